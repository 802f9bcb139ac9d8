"""Timing: with a clock that is told what to say."""

import numpy as np
import pytest

from modelwright.evaluation.timing import exact, quantile_score, time_inference


class Clock:
    """A clock that moves only when work is done."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


def test_times_and_rates_are_those_of_the_clock():
    clock, asked = Clock(), []

    def predict_row(record):
        asked.append(record)
        clock.work(0.002)

    found = time_inference(predict_row, ["a", "b"], lambda: clock.work(0.05), 1000, clock=clock)
    assert found["inference_ms_p50"].value == pytest.approx(2)
    assert found["inference_ms_p99"].value == pytest.approx(2)
    assert found["rows_per_second"].value == pytest.approx(20_000)
    assert found["rows_per_second"].unit == "rows/s"
    assert asked[:4] == ["a", "b", "a", "b"]
    assert clock.now < 0.6


def test_a_slow_model_is_given_up_on_and_the_note_says_so():
    clock = Clock()
    found = time_inference(lambda _: clock.work(5), ["a"], lambda: clock.work(60), 10, clock=clock)
    assert clock.now <= 2 * 5 + 2 * 60
    assert found["inference_ms_p99"].n_rows == 1
    assert "too few" in found["inference_ms_p50"].note


def test_a_clock_too_coarse_to_see_anything_does_not_divide_by_zero():
    found = time_inference(lambda _: None, ["a"], lambda: None, 10, clock=lambda: 0.0)
    assert found["inference_ms_p50"].value == 0
    assert np.isfinite(found["rows_per_second"].high)


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_order_statistics_hold_the_quantile_about_as_often_as_they_say(share):
    hits = 0
    for seed in range(400):
        values = np.random.default_rng(seed).exponential(size=1000)
        found = quantile_score("x", values, share, "ms")
        hits += found.low <= -np.log(1 - share) <= found.high
    assert 0.91 <= hits / 400 <= 0.99


def test_what_was_counted_is_its_own_interval():
    found = exact("size_mb_disk", 2.5, "MB", method="counted")
    assert (found.low, found.value, found.high, found.n_rows, found.method) == (2.5, 2.5, 2.5, 1, "counted")
