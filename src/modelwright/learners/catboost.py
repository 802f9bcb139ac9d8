"""CatBoost: boosted trees that ask one question a level.

Prokhorenkova et al. (2018), CatBoost: unbiased boosting with categorical features, NeurIPS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.errors import MissingLibrary
from modelwright.core.ports import Curve, Exam, Fitted, Lesson
from modelwright.learners import _from_catboost
from modelwright.learners._rounds import Track, Yard, bins_for, link_of, loss_name, normalised
from modelwright.learners._settings import read, setting
from modelwright.learners.constant import Constant, nothing_to_learn
from modelwright.learners.shaped import PLAIN, TRANSFORMED, fit_shaped
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from modelwright.core.arrays import Array
    from modelwright.core.state import State

BINS = 128
MANY_CLASSES = 5
"""From here on a round costs so much that a tree gets a level less."""
MARGIN_UNSEEN = -20.0
"""Margin of a label without rows: possible, and no more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set; None is chosen from the task.

    Attributes:
        rounds: Boosting rounds at most.
        learning_rate: Shrinkage of each round.
        depth: Questions per tree.
        l2: Penalty on the squares of leaf values.
        row_share: Share of rows each round sees.
        feature_share: Share of features each level sees.
        random_strength: Noise on the scores of splits, less as training goes on.
        leaf_iterations: Newton steps for the leaf values.
        bins: Borders per feature.
        patience: Rounds without a better exam loss before the end; 0 for never.
        shape: Regression: whether a target of zero or more is learnt as it is, or by its root or logarithm.
    """

    rounds: int = setting(1000, 1, 100_000)
    learning_rate: float | None = setting(None, 1e-5, 1.0)
    depth: int | None = setting(None, 1, 10)
    l2: float = setting(1e-5, 0.0, 1e6)
    row_share: float = setting(0.9, 0.01, 1.0)
    feature_share: float = setting(1.0, 0.01, 1.0)
    random_strength: float | None = setting(None, 0.0, 100.0)
    leaf_iterations: int | None = setting(None, 1, 50)
    bins: int | None = setting(None, 1, 65_535)
    patience: int = setting(50, 0, 100_000)
    shape: str = setting(PLAIN, choices=TRANSFORMED)


class CatBoost:
    """Boosted trees by CatBoost; category codes count as numbers; predicts through ``Trees``."""

    name: ClassVar[str] = "catboost"
    has_rounds: ClassVar[bool] = True

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Learn round by round until the rounds, the patience or the time end."""
        if nothing_to_learn(lesson) or not _varies(lesson):
            return Constant().fit(lesson)
        if lesson.n_classes or self.settings.shape == PLAIN:
            return self._fit(lesson)
        return fit_shaped(self._fit, self.settings.shape, lesson)

    def _fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        library = _library()
        labels = np.unique(lesson.target) if lesson.n_classes > 2 else np.arange(lesson.n_classes)
        lesson, n_classes = _with_labels(lesson, labels), lesson.n_classes
        yard = Yard.of(lesson)
        track = Track(self.settings.rounds, self.settings.patience, lesson.seconds_left)
        model = library.CatBoost(self._parameters(lesson))
        weight = normalised(lesson.weight)
        train = library.Pool(lesson.matrix.values, yard.standardise(lesson.target), weight=weight)
        exam = None
        if lesson.exam is not None:
            target = yard.standardise(lesson.exam.target)
            exam = library.Pool(lesson.exam.matrix.values, target, weight=lesson.exam.weight)
        follow = _Follow(track, is_squared=not lesson.n_classes, spread=yard.spread)
        model.fit(train, eval_set=exam, callbacks=[follow], use_best_model=False)
        if track.best_round < len(track.fit):
            model.shrink(ntree_end=track.best_round)
        fitted = _translated(model, yard, len(lesson.matrix.features), n_classes, labels)
        return fitted, track.curve(loss_name(lesson))

    def _parameters(self, lesson: Lesson) -> dict[str, Any]:
        """Return CatBoost's own parameters; defaults follow public meta-tuned values for each task."""
        s, is_class = self.settings, bool(lesson.n_classes)
        strength = s.random_strength if s.random_strength is not None else (0.8 if is_class else 0.0)
        return {
            **_objective(lesson),
            "iterations": s.rounds,
            "learning_rate": s.learning_rate or (0.08 if is_class else 0.09),
            "depth": s.depth or (6 if lesson.n_classes > MANY_CLASSES else 7),
            "l2_leaf_reg": s.l2,
            "bootstrap_type": "Bernoulli",
            "subsample": s.row_share,
            "rsm": s.feature_share,
            "random_strength": strength,
            "leaf_estimation_iterations": s.leaf_iterations or (1 if is_class else 20),
            "boosting_type": "Plain",
            "border_count": s.bins or bins_for(lesson, BINS),
            "nan_mode": "Min",
            "random_seed": lesson.seed % 2**31,
            "thread_count": lesson.threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }

    @classmethod
    def restore(cls, state: State) -> Fitted:
        """Return the trees of a state."""
        return Trees.restore(state)


def _library() -> Any:
    try:
        import catboost
    except ImportError as error:
        raise MissingLibrary(
            "this learner needs its library",
            where="catboost",
            got=str(error),
            fix="pip install 'modelwright[catboost]'",
        ) from error
    return catboost


def _varies(lesson: Lesson) -> bool:
    """Whether any feature has two values: CatBoost refuses a matrix in which none has."""
    values = lesson.matrix.values
    first = values[0]
    return bool(((values != first) & ~((values != values) & (first != first))).any())  # noqa: PLR0124 - NaN


def _objective(lesson: Lesson) -> dict[str, Any]:
    if not lesson.n_classes:
        return {"loss_function": "RMSE"}
    return {"loss_function": "Logloss" if lesson.n_classes == 2 else "MultiClass"}


class _Follow:
    """Feeds the track; CatBoost tells a root of the squared error in standard units."""

    def __init__(self, track: Track, *, is_squared: bool, spread: float) -> None:
        self.track, self.is_squared, self.spread = track, is_squared, spread

    def after_iteration(self, info: Any) -> bool:
        """Take the losses of one round; false ends the training."""
        return not self.track.has_ended(self._last(info, "learn"), self._last(info, "validation"))

    def _last(self, info: Any, name: str) -> float | None:
        if name not in info.metrics:
            return None
        value = float(next(iter(info.metrics[name].values()))[-1])
        return (value * self.spread) ** 2 if self.is_squared else value


def _translated(model: Any, yard: Yard, n_features: int, n_classes: int, labels: Array) -> Trees:
    """Return the model as our trees; the library gives its own only through a file."""
    with TemporaryDirectory(prefix="modelwright-") as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        told = json.loads(path.read_bytes())
    link, n_outputs = link_of(n_classes)
    table, scale, bias = _from_catboost.table_of(told, n_features)
    if len(labels) == 2 < n_classes:  # two labels of more have a single margin
        table = replace(table, leaf=np.hstack([np.zeros_like(table.leaf), table.leaf]))
        bias = np.append(0.0, bias)
    if len(labels) < n_outputs and n_classes:
        leaf, margins = np.zeros((len(table.leaf), n_outputs)), np.full(n_outputs, MARGIN_UNSEEN)
        leaf[:, labels], margins[labels] = table.leaf, bias
        table, bias = replace(table, leaf=leaf), margins
    whole_bias = bias * yard.spread + yard.mean
    return Trees.of(table, link, n_features=n_features, bias=whole_bias, scale=scale * yard.spread)


def _with_labels(lesson: Lesson, labels: Array) -> Lesson:
    """Return a lesson whose labels are numbered among those it has: CatBoost cannot learn one without rows."""
    if len(labels) == lesson.n_classes:
        return lesson
    exam = lesson.exam
    if exam is not None:
        kept = np.flatnonzero(np.isin(exam.target, labels))
        weight = None if exam.weight is None else exam.weight[kept]
        target = np.searchsorted(labels, np.asarray(exam.target)[kept])
        exam = Exam(exam.matrix.take(kept), target, weight) if len(kept) else None
    return replace(lesson, target=np.searchsorted(labels, lesson.target), n_classes=len(labels), exam=exam)
