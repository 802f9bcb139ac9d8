"""Plots: specs with their data inside, that the renderer draws."""

import json

import pytest

from modelwright.reports import plots
from modelwright.reports.drawing import Pen
from modelwright.reports.figures import Series

X, Y = plots.Axis("x"), plots.Axis("y", ends=(0.0, 1.0))
LINES = [Series("a", ((1.0, 0.1), (10.0, 0.4))), Series("b", ((1.0, 0.3), (10.0, 0.9)))]


def specs():
    groups = [f"g{i}" for i in range(8)]
    return {
        "lines": plots.lines(
            LINES, plots.Axis("x", is_log=True), Y, marks=[(1.0, 0.1)], upright=2.0, level=(0.5, "half")
        ),
        "bars": plots.bars([("one", "a", 1.0), ("one", "b", 2.0)], X, ends=[(0.5, 1.5), (1.5, 2.5)]),
        "dots": plots.dots([(float(i), 0.5, g) for i, g in enumerate(groups)], X, Y, names=groups),
        "strips": plots.strips([("first", [1.0, 2.0]), ("second", [1.5])], X),
        "path": plots.path([(0.0, 0.0, 0.5)], (1.0, 1.0), [LINES[0]], X, Y),
        "grid": plots.grid([("a", "b", 0.9, "9")], "answer", "truth"),
    }


def test_a_spec_carries_its_data_and_is_plain():
    for spec in specs().values():
        assert spec["datasets"]["points"]
        assert json.loads(json.dumps(spec)) == spec


def test_names_from_the_data_are_cut_and_kept_apart():
    spec = plots.lines([Series("x" * 80, ((0.0, 1.0),)), Series("x" * 80, ((0.0, 2.0),))], X, plots.Axis("y"))
    names = {p["name"] for p in spec["datasets"]["points"]}
    assert len(names) == 2
    assert max(map(len, names)) < 45


@pytest.mark.slow
def test_every_kind_is_drawn():
    with Pen() as pen:
        drawn = pen.draw(specs())
    assert set(drawn) == set(specs())
    assert all(svg.startswith("<svg") for svg in drawn.values())
    assert "NaN" not in "".join(drawn.values())
