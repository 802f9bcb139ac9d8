"""What a page says about its intervals is what was measured of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelwright.core.metrics import MEASURES
from modelwright.reports.page import page
from modelwright.reports.promises import CLASSIFICATION, KEPT, REGRESSION, promises

MEASURED = Path(__file__).parents[2] / "benchmarks" / "results" / "coverage.md"
CALLED = {"mse": "mean squared error", "rmse": "its root", "mae": "mean absolute error", "r2": "R²"}


def outside() -> list[tuple[str, float]]:
    """Return measures and shares of what the benchmark lists outside its band."""
    listed = MEASURED.read_text().split("## Outside the band")[1].split("Why these")[0]
    return [(name, float(share)) for name, share in re.findall(r"rows, (\w+): ([\d.]+)%", listed)]


def test_every_measure_outside_the_band_is_named_with_a_range_that_holds_it():
    assert outside()
    for name, share in outside():
        called = CALLED.get(name, MEASURES[name].title)
        said = [s for s in (*CLASSIFICATION, *REGRESSION) if called.lower() in s.lower()]
        assert said, name
        low, high = map(float, re.search(r"in ([\d.]+) to\s+([\d.]+) of 100", said[0]).groups())
        assert low <= share <= high, (name, share)


def test_no_measure_is_named_that_keeps_its_promise():
    named = {name for name, _ in outside()}
    told = " ".join((*CLASSIFICATION, *REGRESSION)).lower()
    for name in named:
        told = told.replace(CALLED.get(name, MEASURES[name].title).lower(), "")
    assert not [m.title for name, m in MEASURES.items() if name not in named and m.title.lower() in told]


@pytest.mark.parametrize(("name", "word"), [("binary", "Calibration error"), ("regression", "squared error")])
def test_the_page_says_so(views, name, word):
    told = promises(views[name])
    assert told[0] == KEPT
    assert any(word in s for s in told)
    assert "they held the truth in 93 to 97 of 100" in page(views[name])
