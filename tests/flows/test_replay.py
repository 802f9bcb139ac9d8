"""Replay, end to end on a table in which the world changes."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from modelwright.core.errors import InvalidSetting
from modelwright.core.table import Table
from modelwright.flows._moments import moments, window_seconds
from modelwright.flows.monitoring_api import replay


def table_of(frame):
    return Table(frame, "test", "")


def test_moments_come_from_a_date_or_its_parts():
    dates = table_of(pl.DataFrame({"when": [f"2024-01-{d:02d}" for d in range(1, 20)], "x": range(19)}))
    parts = table_of(pl.DataFrame({"Y": [2024] * 19, "M": [1] * 19, "D": list(range(1, 20))}))
    assert moments(dates, "when").tolist() == moments(parts, "Y,M,D").tolist()
    with pytest.raises(InvalidSetting, match="date-time column"):
        moments(dates, "x")


def test_windows_are_lengths_people_think_in():
    assert window_seconds(np.arange(0, 365 * 86_400, 3_600.0)) == 7 * 86_400


@pytest.mark.slow
def test_a_changed_world_is_noticed_and_learnt(tmp_path):
    """From day 90 on the effect of x turns round: inputs stay as they are, only outcomes can tell."""
    rng = np.random.default_rng(0)
    n = 3_000
    day = np.sort(rng.integers(0, 150, n))
    x, z = rng.standard_normal(n), rng.standard_normal(n)
    y = np.where(day < 90, 3 * x, -3 * x) + z + 0.5 * rng.standard_normal(n)
    start = dt.date(2024, 1, 1)
    when = [(start + dt.timedelta(days=int(d))).isoformat() for d in day]
    path = tmp_path / "world.csv"
    pl.DataFrame({"when": when, "x": x, "z": z, "y": y}).write_csv(path)
    page = tmp_path / "page.html"
    done = replay(path, target="y", time="when", every="5d", delay="5d", out=str(page))
    turned = (dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=90)).timestamp()
    late = [a for a in done.alarms if a["time"] > turned and a["is_about_quality"]]
    assert late
    assert late[0]["time"] <= turned + 15 * 86_400
    assert any(r["verdict"] == "promoted" for r in done.retrains)
    gain = done.comparison["advice_less_never"]
    assert gain["high"] < 0  # the error of retraining on advice is surely smaller than that of never retraining
    assert done.comparison["advice"]["retrains"] < done.comparison["always"]["retrains"]
    assert any(not w["is_trusted"] for w in done.windows if w["start"] > turned)
    assert all(w["is_trusted"] for w in done.windows if w["end"] < turned)
    assert "<script" not in page.read_text()
    assert "Retraining on advice is better than never retraining" in done.summary(200)
