"""Of ordinary rows at most the promised share gets a small p-value, whatever the scores are like."""

import numpy as np
import pytest

from modelwright.evaluation.rarity import among_others, p_values


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "lognormal"])
def test_ordinary_rows_are_flagged_no_more_often_than_promised(draw):
    rng = np.random.default_rng(0)
    of = getattr(rng, draw)
    shares = [np.mean(p_values(of(size=200), of(size=99)) <= 0.05) for _ in range(400)]
    assert 0.04 <= np.mean(shares) <= 0.055  # it is 0.05 in truth; 0.055 is four standard errors away


def test_ties_are_never_called_odd():
    assert p_values(np.zeros(5), np.zeros(9)).tolist() == [1.0] * 5
    assert among_others(np.array([3.0, 3.0, 1.0])).tolist() == pytest.approx([2 / 3, 2 / 3, 1.0])
