"""The plan keeps its promises: one record is encoded as in a batch, states travel, odd tables work."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.errors import InvalidPackage, UnknownColumn, UnknownName
from modelwright.core.state import State
from modelwright.core.values import read_value
from modelwright.features.encoding import TargetEncoding
from modelwright.features.plan import FeaturePlan, recommend
from modelwright.features.recipe import Recipe, Step

KINDS = (Kind.NUMBER, Kind.BOOLEAN, Kind.CATEGORY, Kind.DATETIME, Kind.TEXT, Kind.IDENTIFIER, Kind.CONSTANT)
WORDS = ("free prize", "see you at home", "see you later 😀", "WIN 1000 $ now www.x.com", "مرحبا بك", "İstanbul ß")
RAW = {
    Kind.NUMBER: st.one_of(st.floats(), st.integers(), st.sampled_from(["1e300", "-1.5", "6.0", "x", "", "1e-320"])),
    Kind.BOOLEAN: st.sampled_from(["yes", "no", True, False, 1, 0, "maybe", ""]),
    Kind.CATEGORY: st.one_of(st.sampled_from([*"abcdefghijklmnop", "6.0", 6, "😀", ""]), st.text(max_size=4)),
    Kind.DATETIME: st.one_of(st.datetimes().map(str), st.sampled_from(["2011-01-01 05:30:00", "2012-02-29", "soon"])),
    Kind.TEXT: st.one_of(st.sampled_from(WORDS), st.text(max_size=30), st.lists(st.sampled_from(WORDS)).map(" ".join)),
    Kind.IDENTIFIER: st.text(max_size=3),
    Kind.CONSTANT: st.just("same"),
}


def column(i, kind):
    return Column(f"{kind.value} {i} 🙂", kind, n_distinct=12, datetime_format="iso" if kind is Kind.DATETIME else "")


@st.composite
def tables(draw):
    contract = Contract(tuple(column(i, k) for i, k in enumerate(draw(st.lists(st.sampled_from(KINDS), max_size=5)))))
    row = st.fixed_dictionaries({}, optional={c.name: st.none() | RAW[c.kind] for c in contract.columns})
    return contract, draw(st.lists(row, min_size=1, max_size=12)), draw(st.lists(row, max_size=6))


def conformed(contract, records):
    return pl.DataFrame(
        {c.name: [read_value(c, r.get(c.name)) for r in records] for c in contract.columns},
        schema={c.name: pl.Float64 if c.is_numeric else pl.String for c in contract.columns},
    )


def travelled(part, restore):
    """Return the part after its state has been through JSON, as a package would have it."""

    def through_json(state):
        return State(
            state.kind,
            json.loads(json.dumps(state.meta)),
            state.arrays,
            {},
            {k: through_json(v) for k, v in state.parts.items()},
        )

    return restore(through_json(part.state()))


def same(left, right):
    return left.shape == right.shape and left.dtype == right.dtype and np.array_equal(left, right, equal_nan=True)


@settings(max_examples=40, deadline=None)
@given(table=tables(), n_classes=st.sampled_from([0, 2, 3]))
def test_one_record_is_encoded_as_in_a_batch_before_and_after_travelling(table, n_classes):
    contract, seen, unseen = table
    frame = conformed(contract, seen)
    recipe = recommend(contract, n_classes=n_classes, n_rows=len(seen))
    target = np.arange(len(seen)) % n_classes if n_classes else np.arange(len(seen)) * 1e200
    encoding, own = TargetEncoding.fit(frame, contract, recipe, target, n_classes=n_classes, weight=None, seed=1)
    plan = FeaturePlan.fit(frame, contract, recipe, seed=1).with_encoding(encoding)
    assert own.values.shape == (len(seen), len(encoding.features))
    records = seen + unseen
    rows = conformed(contract, records)
    batch = plan.matrix(rows)
    for other in (plan, travelled(plan, FeaturePlan.restore)):
        single = [other.rows([record]).values for record in records]
        if contract.columns:  # a frame without columns has no rows
            assert same(np.vstack(single), batch.values)
            assert same(other.rows(records).values, batch.values)
            assert same(other.matrix(rows).values, batch.values)
        assert other.features == batch.features
        assert other.state().fingerprint == plan.state().fingerprint
    assert batch.values.dtype == np.float32
    assert batch.values.flags.c_contiguous
    assert not np.isinf(batch.values).any()
    names = [feature.name for feature in batch.features]
    assert len(set(names)) == len(names)
    assert batch.values.shape[1] == len(names)


def test_codes_stay_below_the_number_of_levels_and_missing_differs_from_unseen():
    contract = Contract((Column("c", Kind.CATEGORY),))
    frame = pl.DataFrame({"c": ["a", "a", "b", "b", "rare", None]})
    plan = FeaturePlan.fit(frame, contract, recommend(contract, n_classes=2, n_rows=6), seed=0)
    codes = plan.rows([{"c": v} for v in ("a", "b", "rare", "never seen", None)]).values[:, 0]
    assert plan.features[0].n_levels == 3
    assert codes[:4].tolist() == [0, 1, 2, 2]
    assert np.isnan(codes[4])


def test_missing_values_of_a_row_are_counted_only_if_there_were_some():
    contract = Contract((Column("a", Kind.NUMBER), Column("b", Kind.CATEGORY)))
    whole = pl.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    holes = pl.DataFrame({"a": [1.0, None], "b": ["x", None]})
    recipe = recommend(contract, n_classes=0, n_rows=2)
    assert [f.name for f in FeaturePlan.fit(whole, contract, recipe, seed=0).features] == ["a", "b"]
    counted = FeaturePlan.fit(holes, contract, recipe, seed=0)
    assert counted.matrix(holes).values[:, -1].tolist() == [0, 2]
    assert counted.features[-1].source not in contract


@pytest.mark.parametrize("kinds", [(), (Kind.IDENTIFIER, Kind.CONSTANT)])
def test_without_usable_columns_the_matrix_is_empty(kinds):
    contract = Contract(tuple(column(i, k) for i, k in enumerate(kinds)))
    frame = pl.DataFrame({c.name: ["1", "2", "3"] for c in contract.columns})
    plan = FeaturePlan.fit(frame, contract, recommend(contract, n_classes=2, n_rows=3), seed=0)
    assert plan.matrix(frame).values.shape == (frame.height, 0)
    assert travelled(plan, FeaturePlan.restore).rows([{}, {"x": 1}]).values.shape == (2, 0)


def test_no_rows_and_one_row():
    contract = Contract(tuple(column(i, k) for i, k in enumerate(KINDS[:5])))
    frame = conformed(contract, [{}])
    plan = FeaturePlan.fit(frame, contract, recommend(contract, n_classes=2, n_rows=1), seed=0)
    assert plan.matrix(frame).values.shape == (1, len(plan.features))
    assert plan.matrix(frame.clear()).values.shape == plan.rows([]).values.shape == (0, len(plan.features))


def test_names_that_collide_are_told_apart():
    names = ("t", "t.hour", "(missing values)", "t.days", "c", "c.target_mean")
    kinds = (Kind.DATETIME, Kind.NUMBER, Kind.NUMBER, Kind.NUMBER, Kind.CATEGORY, Kind.NUMBER)
    contract = Contract(tuple(Column(n, k, n_distinct=99) for n, k in zip(names, kinds, strict=True)))
    rows = [{"c": "a", "t": "2011-01-01 01:00:00"}, {"c": "b", "t": "2011-01-02 02:00:00"}]
    frame = conformed(contract, rows)
    recipe = recommend(contract, n_classes=2, n_rows=2)
    encoding, _ = TargetEncoding.fit(frame, contract, recipe, np.array([0, 1]), n_classes=2, weight=None, seed=0)
    features = FeaturePlan.fit(frame, contract, recipe, seed=0).with_encoding(encoding).features
    assert len({f.name for f in features}) == len(features)
    assert features[-1].name == encoding.features[-1].name  # as in the matrix of the fold


def test_unknown_steps_and_columns_are_refused():
    contract = Contract((Column("a", Kind.NUMBER),))
    frame = pl.DataFrame({"a": [1.0]})
    with pytest.raises(UnknownName, match="calendar"):
        FeaturePlan.fit(frame, contract, Recipe((Step("a", "calender", ""),)), seed=0)
    with pytest.raises(UnknownColumn):
        FeaturePlan.fit(frame, contract, Recipe((Step("b", "number", ""),)), seed=0)
    recipe = Recipe((), (Step("a", "target_means", ""),))
    with pytest.raises(UnknownName, match="target_mean"):
        TargetEncoding.fit(frame, contract, recipe, np.array([1.0]), n_classes=0, weight=None, seed=0)


def broken_states():
    contract = Contract(tuple(column(i, k) for i, k in enumerate(KINDS[:5])))
    records = [
        {c.name: v for c, v in zip(contract.columns, ("1", "yes", v, f"2011-01-0{1 + i}", WORDS[1]), strict=True)}
        for i, v in enumerate("aabb")
    ]
    frame = conformed(contract, records)
    recipe = recommend(contract, n_classes=2, n_rows=4)
    encoding, _ = TargetEncoding.fit(frame, contract, recipe, np.array([0, 1, 0, 1]), n_classes=2, weight=None, seed=0)
    state = FeaturePlan.fit(frame, contract, recipe, seed=0).with_encoding(encoding).state()
    lookup = next(k for k, v in state.parts.items() if v.kind == "lookup")
    text = next(k for k, v in state.parts.items() if v.kind == "text")

    def with_part(name, part):
        return State(state.kind, state.meta, parts={**state.parts, name: part})

    yield "no contract", State(state.kind, {"n_crafts": 1}, parts=state.parts)
    yield "fewer columns", State(state.kind, {**state.meta, "contract": {"columns": []}}, parts=state.parts)
    yield "no such craft", with_part("craft_0", State("os.system", {}))
    yield "numbers of nothing", with_part("craft_0", State("numbers", {}))
    old = state.parts[lookup]
    yield "short table", with_part(lookup, State(old.kind, old.meta, {"table": old.arrays["table"][:-1]}))
    yield "infinite", with_part(lookup, State(old.kind, old.meta, {"table": old.arrays["table"] + np.float32(np.inf)}))
    yield "level twice", with_part(lookup, State(old.kind, {**old.meta, "levels": ["a", "a"]}, old.arrays))
    yield "text without projection", with_part(text, State("text", {"column": "x"}))
    projection = state.parts[text].parts["projection"]
    vocabulary = projection.parts["vocabulary"]
    backwards = State("vocabulary", {}, {**vocabulary.arrays, "buckets": vocabulary.arrays["buckets"][::-1]})
    turned = State("projection", {}, projection.arrays, parts={"vocabulary": backwards})
    yield "hashes fall", with_part(text, State("text", state.parts[text].meta, parts={"projection": turned}))


@pytest.mark.parametrize(("why", "state"), list(broken_states()), ids=lambda v: v if isinstance(v, str) else "")
def test_broken_states_are_refused_with_an_error_of_ours(why, state):
    with pytest.raises(InvalidPackage) as caught:
        FeaturePlan.restore(state)
    assert caught.value.fix


@pytest.mark.slow
def test_five_thousand_columns_take_well_under_a_second():
    contract = Contract(tuple(Column(f"n{i}", Kind.NUMBER) for i in range(5_000)))
    values = np.random.default_rng(0).normal(size=(1_000, 5_000))
    frame = pl.DataFrame(values, schema=[c.name for c in contract.columns])
    frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias("n7"))
    plan = FeaturePlan.fit(frame, contract, recommend(contract, n_classes=2, n_rows=1_000), seed=0)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        matrix = plan.matrix(frame)
        seconds.append(time.process_time() - start)
    assert matrix.values.shape == (1_000, 5_001)
    assert min(seconds) < 1


def test_hundred_thousand_levels():
    levels = [f"level {i}" for i in range(100_000)]
    frame = pl.DataFrame({"c": levels + levels[:60_000]})
    contract = Contract((Column("c", Kind.CATEGORY, n_distinct=100_000),))
    recipe = recommend(contract, n_classes=2, n_rows=frame.height)
    plan = FeaturePlan.fit(frame, contract, recipe, seed=0)
    values = plan.matrix(frame).values
    assert plan.features[0].n_levels == recipe.max_codes + 1
    assert np.nanmax(values[:, 0]) == recipe.max_codes
    assert values[0, 1] == np.float32(np.log(2))
    assert values[99_999, 1] == 0
    assert same(plan.rows([{"c": levels[5]}]).values, values[5:6])


def test_the_row_path_loads_no_workshop():
    script = (
        "import sys, modelwright.features.plan as plan\n"
        "heavy = {'polars', 'sklearn', 'scipy', 'pandas', 'pyarrow', 'threadpoolctl'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


TABLES = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.mark.tables
@pytest.mark.skipif(not TABLES.exists(), reason="the real tables of ../shared/data are not here")
def test_the_hour_of_a_rental_becomes_a_feature():
    from sklearn.tree import DecisionTreeRegressor

    table = pl.read_csv(TABLES / "bike_sharing" / "train.csv")
    contract = Contract((Column("date", Kind.DATETIME, datetime_format="iso"),))
    frame = conformed(contract, table.select(pl.col("date").cast(pl.String)).to_dicts())
    plan = FeaturePlan.fit(frame, contract, recommend(contract, n_classes=0, n_rows=frame.height), seed=0)
    matrix = plan.matrix(frame).values[:, 1:]  # all but the running days
    fitted = DecisionTreeRegressor(min_samples_leaf=30).fit(matrix, table["cnt"])
    assert fitted.score(matrix, table["cnt"]) > 0.6
    assert "date.hour" in {feature.name for feature in plan.features}
