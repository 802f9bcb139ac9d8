"""Figures that are absent or of another shape are not drawn; a report never fails for them."""

from __future__ import annotations

import pytest

from modelwright.reports import figures

READERS = (
    figures.confusion,
    figures.roc,
    figures.precision_recall,
    figures.calibration,
    figures.estimates,
    figures.bands,
    figures.distribution,
)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", ["confusion", "roc", "precision_recall", "calibration", "residuals", "distribution"])
@pytest.mark.parametrize("found", [None, {}, []])
def test_nothing_is_read_from_nothing(read, name, found):
    assert not read({})
    assert not read({name: found})


def test_a_ragged_confusion_matrix_is_no_figure():
    assert figures.confusion({"confusion": {"labels": ["a", "b"], "counts": [[1], [2, 3]]}}) is None


def test_points_that_do_not_exist_are_left_out():
    found = {"residuals": {"predicted": [1.0, None, float("inf"), 4.0], "truth": [1.0, 2.0, 3.0, 5.0]}}
    assert figures.estimates(found) == ((1.0, 1.0), (4.0, 5.0))


def test_a_histogram_becomes_a_closed_step_line():
    (line,) = figures.distribution({"distribution": {"edges": [0, 1, 2], "counts": {"a": [3, 4]}}})
    assert line.points == ((0, 3), (1, 4), (2, 4))


def test_bands_are_truths_around_estimates():
    (band,) = figures.bands({"residuals": {"bins": [{"predicted": 10.0, "q5": -2.0, "q95": 3.0}]}})
    assert (band.low, band.high) == (8.0, 13.0)
