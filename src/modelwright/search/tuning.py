"""Tuning: what to try once the portfolio is through and time is left.

Each family that earns weight in the ensemble has a space around it. A tree-structured Parzen estimator (Bergstra et al.
2011, as Optuna implements it), which knows what the portfolio's candidates came to, proposes the next point. The
families take turns by what their last points brought for their seconds. Against the clock there is one more way: the
members of the ensemble again with smaller steps, which takes more rounds and generalises a little better (Friedman
2001). Tuning ends when what it finds no longer helps on rows that did not choose it: from there on it would only fit
the judged rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.search import pace
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
TUNED, SLOWER = "tuned", "smaller steps"
"""Why a candidate is there: a point of a space, or a member again with a smaller learning rate."""
TUNED_SHARE = 0.2
SLOWER_RATE, RATE_LEAST = 0.4, 0.015
"""A copy learns at this share of its member's rate, if that is this rate at least."""
COPY_TREES_MOST = 1_000
"""A copy is not made that would ask more trees than this for one answer: it would use up the room of all members."""
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
        "categories": ("choice", "sets", "order"),
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
    "lightgbm": {
        "feature_share": 0.8,
        "row_share": 0.75,
        "min_leaf": 5,
        "l1": 1e-4,
        "l2": 1e-3,
        "extra_trees": False,
        "categories": "sets",
    },
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
        n_trees_a_round: As the problem has it.
        is_short_of_time: No family's fit would have found time when a point was asked for last.
    """

    n_rows: int
    greater_is_better: bool
    seed: int
    is_reproducible: bool = False
    n_trees_a_round: int = 1
    _studies: dict[str, Any] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _asked: dict[str, Any] = field(default_factory=dict)
    _gains: dict[str, float] = field(default_factory=dict)
    _copied: set[str] = field(default_factory=set)
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
            seconds: What one fold of it may take; what needs more is left out.
        """
        self._learn(tried, loss)
        copy = self._copy(tried, weights)
        is_through = self._n_idle >= PATIENCE or len(self._known - self._copied) >= candidates_most(self.n_rows)
        families = set() if is_through else self._leading(tried, weights)
        costs = {f: self._mean_seconds(f, tried) for f in families}
        if copy is not None:
            costs[SLOWER] = copy.least_seconds
        if not costs:
            return None
        ways = set(costs)
        if not self.is_reproducible:
            ways = {way for way in ways if costs[way] * (1.0 if way == SLOWER else LEAST_TIME) <= seconds}
        self.is_short_of_time = not ways
        if not ways:
            return None
        way = self._next(ways, costs)
        if copy is not None and way == SLOWER:
            self._copied.add(copy.name)
            return copy
        return self._point(way, tried)

    def _leading(self, tried: Sequence[Tried], weights: Floats) -> set[str]:
        """Return the families that have a space and weight in the ensemble."""
        # Counted in work units a network would be as cheap as a small tree, so it is tuned against the clock only.
        spaces = SPACES.keys() - {NEURAL.learner} if self.is_reproducible else SPACES.keys()
        return {t.candidate.learner for t, w in zip(tried, weights, strict=True) if w > 0} & spaces

    def _point(self, family: str, tried: Sequence[Tried]) -> Candidate:
        """Return the next point of a family's space."""
        trial = self._studies[family].ask(_space(family))
        self._n_proposed += 1
        name = f"{family} tuned {self._n_proposed}"
        self._asked[name] = trial
        least = LEAST_TIME * self._mean_seconds(family, tried)
        params = {**trial.params, **self._shape(family, tried)}
        has_rate = any(t.candidate.has_rate for t in tried if t.candidate.learner == family)
        return Candidate(name, family, params, TUNED, has_rate, TUNED_SHARE, least)

    def _copy(self, tried: Sequence[Tried], weights: Floats) -> Candidate | None:
        """Return the member of most weight that has no copy yet, with smaller steps, or None.

        It is compared at once with the member and takes its weight where it is better. In work units none is made: a
        copy would count as little as its member and take several times as long.
        """
        if self.is_reproducible:
            return None
        for place in np.argsort(-weights, kind="stable"):
            one = tried[place]
            name = f"{one.candidate.name}, {SLOWER}"
            rate = round(SLOWER_RATE * one.candidate.params.get("learning_rate", 0.0), 4)
            trees = float(np.mean(one.rounds)) * self.n_trees_a_round if one.rounds else 0.0
            is_cut = any(curve.ended == "time" for curve in one.curves)
            is_dear = not 0 < trees <= SLOWER_RATE * COPY_TREES_MOST
            if weights[place] <= 0 or name in self._copied or rate < RATE_LEAST or is_cut or is_dear:
                continue
            rates = {"learning_rate": rate, "rounds": pace.rounds_limit(rate), "patience": pace.patience(rate)}
            params = {**one.candidate.params, **rates}
            least = one.fit_seconds / SLOWER_RATE
            return Candidate(name, one.candidate.learner, params, SLOWER, share=TUNED_SHARE, least_seconds=least)
        return None

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

    def _mean_seconds(self, family: str, tried: Sequence[Tried]) -> float:
        """Return the seconds that a fold of a family took in the mean, copies aside."""
        own = [t for t in tried if t.candidate.learner == family and t.candidate.name not in self._copied]
        return float(np.mean([t.fit_seconds for t in own]))

    def _learn(self, tried: Sequence[Tried], loss: float) -> None:
        """Tell the studies what became of the candidates that ended since the last time."""
        import optuna

        fresh = [t for t in tried if t.candidate.name not in self._known]
        has_gained = loss < self._loss * (1 - LEAST_GAIN) if self._loss > 0 else loss < self._loss - LEAST_GAIN
        for one in fresh:
            name, family = one.candidate.name, one.candidate.learner
            self._known.add(name)
            if name in self._copied:
                self._took(SLOWER, loss, len(fresh), has_gained=has_gained)
                continue
            if family not in SPACES:
                continue
            study = self._studies.setdefault(family, self._study(family))
            value = -one.score if self.greater_is_better else one.score
            if name in self._asked:
                study.tell(self._asked[name], value)
                self._took(family, loss, len(fresh), has_gained=has_gained)
            else:
                space = _space(family)
                point = {k: _within(d, v) for k, d in space.items() if (v := _start(one, k)) is not None}
                known = {k: space[k] for k in point}
                study.add_trial(optuna.trial.create_trial(params=point, distributions=known, value=value))
        self._loss = min(loss, self._loss)

    def _took(self, way: str, loss: float, n_fresh: int, *, has_gained: bool) -> None:
        """Take note of what a way's last candidate brought."""
        self._gains[way] = max(self._loss - loss, 0.0) / n_fresh
        if has_gained:
            self._n_idle = 0
        elif way != SLOWER:  # there are only as many copies as members, and each is worth its try
            self._n_idle += 1

    def _next(self, ways: set[str], seconds: Mapping[str, float]) -> str:
        """Return the way, a family or smaller steps, whose next candidate is hoped to bring most for its seconds."""
        most = max(self._gains.values(), default=0.0) or 1.0

        def hope(way: str) -> tuple[float, str]:
            gain = self._gains[way] / most if way in self._gains else UNTRIED_GAIN
            n_asked = len(self._copied) if way == SLOWER else sum(name.startswith(f"{way} ") for name in self._asked)
            worth = (gain + 0.1) / (1 + n_asked)
            return (worth if self.is_reproducible else worth / (seconds[way] or 1.0), way)

        return max(ways, key=hope)

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
