"""Distances from group means, and two categories read as one: the same for frames and for records."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.errors import InvalidPackage
from modelwright.features.crosses import Cross
from modelwright.features.encoding import TargetEncoding
from modelwright.features.groups import Deviation, fit_deviation
from modelwright.features.plan import FeaturePlan
from modelwright.features.recipe import Recipe, Step

CONTRACT = Contract((Column("price", Kind.NUMBER), Column("kind", Kind.CATEGORY), Column("town", Kind.CATEGORY)))
RECIPE = Recipe(
    (
        Step("price", "number", ""),
        Step("kind", "category", ""),
        Step("town", "category", ""),
        Step("price", "deviation", "", other="kind"),
    ),
    (Step("kind", "target_mean", "", other="town"),),
)


@pytest.fixture
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b", "c"], 400)
    price = np.where(kind == "a", 100.0, 10.0) + rng.normal(size=400)
    town = rng.choice(["x", "y"], 400)
    rows = pl.DataFrame({"price": price, "kind": kind, "town": town})
    holes = [
        pl.when(pl.int_range(400) % k == 0).then(None).otherwise(pl.col(c)).alias(c)
        for c, k in (("price", 17), ("kind", 23))
    ]
    return rows.with_columns(holes)


def plan_of(frame: pl.DataFrame) -> tuple[FeaturePlan, np.ndarray]:
    together = (frame["kind"].fill_null("") == "a").to_numpy() ^ (frame["town"] == "x").to_numpy()
    target = together.astype(np.int64)
    plan = FeaturePlan.fit(frame, CONTRACT, RECIPE, seed=0)
    encoding, encoded = TargetEncoding.fit(frame, CONTRACT, RECIPE, target, n_classes=2, weight=None, seed=0)
    assert np.corrcoef(encoded.values[:, 0], target)[0, 1] > 0.9, "alone neither of the two says anything"
    return plan.with_encoding(encoding), target


def test_records_are_read_as_frames_are_also_from_a_state(frame):
    plan, _ = plan_of(frame)
    again = FeaturePlan.restore(plan.state())
    fresh = pl.concat(
        [frame.head(40), pl.DataFrame({"price": [5.0], "kind": ["new"], "town": [None]}, schema=frame.schema)]
    )
    whole = plan.matrix(fresh)
    assert [f.name for f in whole.features][-2:] == ["price − mean by kind", "kind × town.target_mean"]
    assert whole.features[-1].other == "town"
    np.testing.assert_array_equal(again.rows(fresh.to_dicts()).values, whole.values)


def test_a_distance_is_from_the_levels_own_mean(frame):
    made = fit_deviation(frame, "price", "kind")
    out = np.empty((frame.height, 1), dtype=np.float32)
    made.fill(frame, out)
    known = frame["price"].is_not_null().to_numpy() & frame["kind"].is_not_null().to_numpy()
    assert np.abs(out[known]).max() < 15, "levels lie 90 apart"
    assert np.isnan(out[frame["price"].is_null().to_numpy()]).all()


@pytest.mark.parametrize("change", ["means", "levels"])
def test_a_state_that_does_not_fit_together_is_refused(frame, change):
    state = fit_deviation(frame, "price", "kind").state()
    broken = {
        "means": replace(state, arrays={"means": state.arrays["means"][:-1]}),
        "levels": replace(state, meta={**state.meta, "levels": ["a", "a", "c"]}),
    }
    with pytest.raises(InvalidPackage):
        Deviation.restore(broken[change])
    with pytest.raises(InvalidPackage):
        Cross.restore(state)
