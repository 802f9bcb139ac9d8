"""Tuning: what to try once the portfolio is through and time is left.

Each family that earns weight in the ensemble has a space around it. A tree-structured Parzen estimator (Bergstra et al.
2011, as Optuna implements it), which knows what the portfolio's candidates came to, proposes the next point. The
families take turns by what their last points brought for their seconds. Tuning ends when what it finds no longer
helps on rows that did not choose it: from there on it would only fit the judged rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.search.portfolio import NEURAL, Candidate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Floats
    from modelwright.search.trial import Tried

PATIENCE = 6
"""So many points in a row without a gain end the tuning."""
LEAST_GAIN = 2e-3
"""A gain is a fall of the ensemble's loss by this share at least, on rows that did not choose its weights."""
CANDIDATES_BY_ROWS = ((100, 6), (500, 10), (2_500, 20), (10_000, 45), (100_000, 110))
"""More candidates than this on so few rows and the best of them is best by luck."""
TUNED = "tuned"
TUNED_SHARE = 0.2
LEAST_TIME = 0.6
"""A point is not tried with less than this share of its family's mean seconds: cut short it would say nothing."""
UNTRIED_GAIN = 1.0
"""What a family that was not yet tuned is hoped to bring, against what others brought last, at most 1."""

# Ranges are public priors (TabArena's search spaces); each family's starting point is what its portfolio uses.
SPACES: dict[str, dict[str, tuple[Any, ...]]] = {
    "lightgbm": {
        "leaves": ("int", 4, 200, "log"),
        "feature_share": ("float", 0.3, 1.0),
        "row_share": ("float", 0.6, 1.0),
        "min_leaf": ("int", 1, 64, "log"),
        "l1": ("float", 1e-4, 1.0, "log"),
        "l2": ("float", 1e-3, 5.0, "log"),
        "extra_trees": ("choice", False, True),
        "category_smoothing": ("float", 1e-1, 100.0, "log"),
    },
    "catboost": {
        "depth": ("int", 4, 9),
        "l2": ("float", 1e-4, 5.0, "log"),
        "row_share": ("float", 0.6, 1.0),
        "random_strength": ("float", 0.0, 2.0),
        "leaf_iterations": ("int", 1, 20, "log"),
    },
    "xgboost": {
        "depth": ("int", 3, 10),
        "min_child_weight": ("float", 1e-3, 10.0, "log"),
        "row_share": ("float", 0.6, 1.0),
        "feature_share": ("float", 0.4, 1.0),
        "l2": ("float", 1e-3, 5.0, "log"),
    },
    "neural": {
        "members": ("choice", 1, 4),
        "width": ("int", 64, 384, "log"),
        "layers": ("int", 1, 4),
        "pieces": ("choice", 0, 16, 32),
        "dropout": ("float", 0.0, 0.3),
        "decay": ("float", 2e-3, 0.2, "log"),
    },
}
MIDDLES: dict[str, dict[str, Any]] = {
    "lightgbm": {"feature_share": 0.8, "row_share": 0.75, "min_leaf": 5, "l1": 1e-4, "l2": 1e-3},
    "catboost": {"depth": 7, "l2": 1e-4, "row_share": 0.9, "random_strength": 0.4, "leaf_iterations": 10},
    "xgboost": {"depth": 7, "min_child_weight": 0.1, "row_share": 0.65, "feature_share": 0.9, "l2": 1e-3},
    "neural": {"members": 4, "width": 128, "layers": 2, "pieces": 32, "dropout": 0.15, "decay": 0.02},
}
"""What a portfolio candidate is taken to stand for where it leaves a parameter to its learner."""


def candidates_most(n_rows: int) -> int:
    """Return how many candidates may be compared on so many rows before luck decides.

    >>> candidates_most(100), candidates_most(10_000)
    (6, 45)
    """
    rows, most = np.log([r for r, _ in CANDIDATES_BY_ROWS]), np.log([m for _, m in CANDIDATES_BY_ROWS])
    return round(float(np.exp(np.interp(np.log(max(n_rows, 1)), rows, most))))


@dataclass(slots=True)
class Tuner:
    """Proposes points around the families that lead.

    Attributes:
        n_rows: Rows that judge.
        greater_is_better: The direction of scores.
        seed: All randomness comes from it.
        is_reproducible: Points must not depend on how long fits take.
        is_short_of_time: No family's fit would have found time when a point was asked for last.
    """

    n_rows: int
    greater_is_better: bool
    seed: int
    is_reproducible: bool = False
    _studies: dict[str, Any] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _asked: dict[str, Any] = field(default_factory=dict)
    _gains: dict[str, float] = field(default_factory=dict)
    is_short_of_time: bool = False
    _n_proposed: int = 0
    _n_idle: int = 0
    _loss: float = float("inf")

    def propose(
        self, tried: Sequence[Tried], weights: Floats, loss: float, seconds: float = float("inf")
    ) -> Candidate | None:
        """Return the next candidate, or None when nothing more is to be gained.

        Args:
            tried: Everything that was fitted so far.
            weights: Of the best blend of them.
            loss: That blend's, on rows that did not choose its weights; smaller is better.
            seconds: What one fold of it may take; families that need more are left out.
        """
        self._learn(tried, loss)
        # Counted in work units a network would be as cheap as a small tree, so it is tuned against the clock only.
        spaces = SPACES.keys() - {NEURAL.learner} if self.is_reproducible else SPACES.keys()
        families = {t.candidate.learner for t, w in zip(tried, weights, strict=True) if w > 0} & spaces
        if not families or self._n_idle >= PATIENCE or len(self._known) >= candidates_most(self.n_rows):
            return None
        families = {f for f in families if self.is_reproducible or self._least_seconds(f, tried) <= seconds}
        self.is_short_of_time = not families
        if not families:
            return None
        family = self._next(families, tried)
        trial = self._studies[family].ask(_space(family))
        self._n_proposed += 1
        name = f"{family} tuned {self._n_proposed}"
        self._asked[name] = trial
        least = self._least_seconds(family, tried)
        params = {**trial.params, **self._shape(family, tried)}
        has_rate = any(t.candidate.has_rate for t in tried if t.candidate.learner == family)
        return Candidate(name, family, params, TUNED, has_rate, TUNED_SHARE, least)

    def failed(self, candidate: Candidate) -> None:
        """Take note that a candidate could not be fitted: a point without a gain, too."""
        if candidate.name in self._asked:
            import optuna

            trial = self._asked.pop(candidate.name)
            self._studies[candidate.learner].tell(trial, state=optuna.trial.TrialState.FAIL)
            self._n_idle += 1

    def _shape(self, family: str, tried: Sequence[Tried]) -> dict[str, Any]:
        """Return the shape of the target that the family's best candidate learnt, as a parameter."""
        turn = 1.0 if self.greater_is_better else -1.0
        best = max((t for t in tried if t.candidate.learner == family), key=lambda t: turn * t.score)
        shape = best.candidate.params.get("shape")
        return {} if shape is None else {"shape": shape}

    @staticmethod
    def _least_seconds(family: str, tried: Sequence[Tried]) -> float:
        """Return the seconds without which a fold of a family would say nothing."""
        return LEAST_TIME * float(np.mean([t.fit_seconds for t in tried if t.candidate.learner == family]))

    def _learn(self, tried: Sequence[Tried], loss: float) -> None:
        """Tell the studies what became of the candidates that ended since the last time."""
        import optuna

        fresh = [t for t in tried if t.candidate.name not in self._known]
        has_gained = loss < self._loss * (1 - LEAST_GAIN) if self._loss > 0 else loss < self._loss - LEAST_GAIN
        for one in fresh:
            name, family = one.candidate.name, one.candidate.learner
            self._known.add(name)
            if family not in SPACES:
                continue
            study = self._studies.setdefault(family, self._study(family))
            value = -one.score if self.greater_is_better else one.score
            if name in self._asked:
                study.tell(self._asked[name], value)
                self._gains[family] = max(self._loss - loss, 0.0) / len(fresh)
                self._n_idle = 0 if has_gained else self._n_idle + 1
            else:
                space = _space(family)
                point = {k: _within(d, v) for k, d in space.items() if (v := _start(one, k)) is not None}
                known = {k: space[k] for k in point}
                study.add_trial(optuna.trial.create_trial(params=point, distributions=known, value=value))
        self._loss = min(loss, self._loss)

    def _next(self, families: set[str], tried: Sequence[Tried]) -> str:
        """Return the family whose next point is hoped to bring most for its seconds."""
        seconds = {
            f: float(np.mean([t.fit_seconds for t in tried if t.candidate.learner == f])) or 1.0 for f in families
        }
        most = max(self._gains.values(), default=0.0) or 1.0

        def hope(family: str) -> tuple[float, str]:
            gain = self._gains[family] / most if family in self._gains else UNTRIED_GAIN
            n_asked = sum(name.startswith(f"{family} ") for name in self._asked)
            worth = (gain + 0.1) / (1 + n_asked)
            return (worth if self.is_reproducible else worth / seconds[family], family)

        return max(families, key=hope)

    def _study(self, family: str) -> Any:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        seed = self.seed * 7 + sorted(SPACES).index(family)
        sampler = optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=3)
        return optuna.create_study(sampler=sampler)


def _space(family: str) -> Mapping[str, Any]:
    """Return Optuna's distributions of a family's space."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, Any] = {}
    for name, (kind, *limits) in SPACES[family].items():
        if kind == "choice":
            made[name] = CategoricalDistribution(limits)
        else:
            distribution = IntDistribution if kind == "int" else FloatDistribution
            made[name] = distribution(limits[0], limits[1], log="log" in limits)
    return made


def _start(one: Tried, name: str) -> Any:
    """Return the value of a parameter that a portfolio candidate stands for, or None."""
    return one.candidate.params.get(name, MIDDLES[one.candidate.learner].get(name))


def _within(distribution: Any, value: Any) -> Any:
    """Return the value moved into its range."""
    if hasattr(distribution, "choices"):
        return value
    return min(max(value, distribution.low), distribution.high)
