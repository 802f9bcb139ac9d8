"""Planted odd rows are found with the column that makes them odd; ordinary ones are flagged as rarely as promised."""

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright.core.errors import InvalidSetting


def ordinary(n: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "size": rng.normal(100, 10, n).round(2),
        "age": rng.integers(20, 60, n),
        "kind": rng.choice(["a", "b", "c"], n),
    }


@pytest.mark.slow
def test_planted_rows_come_first_and_say_why():
    rows = ordinary(300, 0)
    rows["size"][7], rows["size"][19] = 900.0, -400.0
    done = modelwright.anomalies(pl.DataFrame(rows))
    assert {r.row for r in done.found.rows[:2]} == {7, 19}
    first = next(r for r in done.found.rows if r.row == 7)
    assert first.reasons[0].column == "size"
    assert first.reasons[0].value == "900"
    assert "in 95 of 100 rows" in first.reasons[0].usual
    assert done.rows["flagged"].sum() == done.found.n_flagged == 3  # one of a hundred


@pytest.mark.slow
def test_against_ordinary_rows_false_alarms_are_as_rare_as_promised():
    shares = []
    for seed in range(6):
        known, new = pl.DataFrame(ordinary(400, 2 * seed)), pl.DataFrame(ordinary(400, 2 * seed + 1))
        shares.append(modelwright.anomalies(new, against=known, false_alarms=0.1).found.n_flagged / 400)
    assert 0.05 <= np.mean(shares) <= 0.14  # the mean over tables is 0.1; one table's share varies by about 0.025


@pytest.mark.slow
def test_against_ordinary_rows_planted_ones_are_counted():
    rows = ordinary(300, 3)
    rows["size"][:30] += 300
    done = modelwright.anomalies(pl.DataFrame(rows), against=pl.DataFrame(ordinary(600, 4)), false_alarms=0.01)
    assert done.found.flagged[:30].all()
    assert done.found.false_share < 0.3
    assert "false alarms" in done.found.sentence


def test_a_share_is_a_share():
    with pytest.raises(InvalidSetting):
        modelwright.anomalies(pl.DataFrame(ordinary(30, 0)), false_alarms=1.5)
