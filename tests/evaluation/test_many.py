"""Many comparisons: of models that are all alike hardly ever one is called better."""

import numpy as np

from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.many import is_surely_better, is_surely_worse, together
from modelwright.evaluation.pairs import paired

N_CONTENDERS, N_TRIALS = 12, 300


def test_the_best_of_twelve_that_are_no_better_is_seldom_called_better():
    rng, task = np.random.default_rng(0), Task(TaskKind.REGRESSION, "y", "rmse")
    alone = corrected = 0
    for _ in range(N_TRIALS):
        target = rng.normal(size=150)
        champion = target + rng.normal(size=150)
        seen = [
            paired(task, target, target + rng.normal(size=150), champion, metric="rmse") for _ in range(N_CONTENDERS)
        ]
        alone += any(is_surely_better(s) for s in seen)
        corrected += any(is_surely_better(together(s, N_CONTENDERS)) for s in seen)
    assert alone > 0.1 * N_TRIALS, "without the correction luck is taken for merit"
    assert corrected <= 0.05 * N_TRIALS


def test_what_is_better_is_found_and_one_comparison_stays_as_it_is():
    rng, task = np.random.default_rng(1), Task(TaskKind.REGRESSION, "y", "rmse")
    target = rng.normal(size=400)
    good, bad = target + 0.5 * rng.normal(size=400), target + rng.normal(size=400)
    seen = paired(task, target, good, bad, metric="rmse")
    assert together(seen, 1) is seen
    wide = together(seen, 20)
    assert wide.low < seen.low < seen.high < wide.high
    assert is_surely_better(wide)
    assert is_surely_worse(together(paired(task, target, bad, good, metric="rmse"), 20))
