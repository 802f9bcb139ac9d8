"""Every chart the evidence has data for is specified, with words for those who cannot see it."""

from __future__ import annotations

import json

import pytest

from modelwright.reports.gallery import pictures

EXPECTED = {
    "binary": {
        "importance",
        "leaderboard",
        "convergence",
        "confusion",
        "roc",
        "precision-recall",
        "calibration",
        "distribution",
    },
    "multiclass": {"importance", "leaderboard", "convergence", "confusion", "roc", "precision-recall", "calibration"},
    "regression": {"importance", "leaderboard", "convergence", "estimates", "distribution"},
    "tiny": set(),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_charts_follow_the_data(views, name):
    assert {p.name for p in pictures(views[name])} == EXPECTED[name]


@pytest.mark.slow
def test_charts_are_small_valid_and_told(any_view):
    import altair as alt

    for picture in pictures(any_view):
        assert len(json.dumps(picture.spec)) < 120_000
        assert picture.told
        assert picture.caption
        assert picture.title
        spec = {k: v for k, v in picture.spec.items() if k != "config"}
        alt.Chart.from_dict(spec).to_dict()  # raises when it is not Vega-Lite


def test_colours_are_variables_of_the_page(views):
    from modelwright.reports.page import TEMPLATES

    style = (TEMPLATES / "page.css").read_text()
    for picture in pictures(views["binary"]):
        text = json.dumps(picture.spec)
        for part in text.split("var(")[1:]:
            assert style.count(f"{part.split(')')[0]}:") == 3, "light, dark and print"


@pytest.mark.slow
def test_pandas_is_not_needed():
    import subprocess
    import sys

    code = "import sys, altair; sys.exit('pandas' in sys.modules or 'pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
