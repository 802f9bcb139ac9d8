"""LightGBM: boosted leaf-wise trees with native categories, the first choice on most tables.

Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree, NeurIPS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.ports import Curve, Fitted, Lesson
from modelwright.learners._rounds import WIDE, Track, Yard, bins_for, link_of, loss_name, normalised
from modelwright.learners._settings import read, setting
from modelwright.learners._text import condense
from modelwright.learners.constant import Constant, nothing_to_learn
from modelwright.learners.shaped import LIKELIHOODS, PLAIN, SHAPES, Shaped, can_be_shaped, fit_shaped
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.matrix import Matrix
    from modelwright.core.state import State

BINS = 255
SETS, ORDER = "sets", "order"


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set; None is chosen from the task and the number of rows.

    Attributes:
        preset: ``tuned``, or ``default`` for the library's own defaults: 100 rounds, the usual yardstick.
        rounds: Boosting rounds at most.
        learning_rate: Shrinkage of each round.
        leaves: Leaves per tree.
        min_leaf: Rows per leaf at least.
        row_share: Share of rows each round sees.
        feature_share: Share of features each tree sees.
        l1: Penalty on the size of leaf values.
        l2: Penalty on their squares.
        extra_trees: Whether thresholds are drawn at random.
        bins: Histogram bins per feature.
        categories: How splits treat them: ``sets`` of levels, or numbers in the ``order`` of their codes, which is that
            of falling count; what levels say about the target is then left to features that tell it.
        category_smoothing: Pulls rare categories to the middle.
        category_l2: Penalty in splits on categories.
        category_rows: Rows at least in a group of categories.
        patience: Rounds without a better exam loss before the end; 0 for never.
        shape: Regression: whether a target of zero or more is learnt as it is, by its root or logarithm, or by the
            likelihood of counts (``poisson``) or of a mixture of none and much (``tweedie``).
    """

    preset: str = setting("tuned", choices=("tuned", "default"))
    rounds: int = setting(1000, 1, 100_000)
    learning_rate: float | None = setting(None, 1e-5, 1.0)
    leaves: int | None = setting(None, 2, 10_000)
    min_leaf: int | None = setting(None, 1, 1_000_000)
    row_share: float = setting(0.75, 0.01, 1.0)
    feature_share: float = setting(0.8, 0.01, 1.0)
    l1: float = setting(0.0, 0.0, 1e6)
    l2: float = setting(0.0, 0.0, 1e6)
    extra_trees: bool = setting(False)
    bins: int | None = setting(None, 2, 65_535)
    categories: str = setting(SETS, choices=(SETS, ORDER))
    category_smoothing: float = setting(10.0, 0.0, 1e6)
    category_l2: float = setting(10.0, 0.0, 1e6)
    category_rows: int | None = setting(None, 1, 1_000_000)
    patience: int = setting(50, 0, 100_000)
    shape: str = setting(PLAIN, choices=SHAPES)


DEFAULT = {
    "rounds": 100,
    "learning_rate": 0.1,
    "leaves": 31,
    "min_leaf": 20,
    "row_share": 1.0,
    "feature_share": 1.0,
    "category_rows": 100,
}


class LightGBM:
    """Boosted trees by LightGBM; predicts through ``Trees``."""

    name: ClassVar[str] = "lightgbm"
    has_rounds: ClassVar[bool] = True

    def __init__(self, **settings: object) -> None:
        if settings.get("preset") == "default":
            settings = {**DEFAULT, **settings}
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Learn round by round until the rounds, the patience or the time end."""
        if nothing_to_learn(lesson):
            return Constant().fit(lesson)
        shape = self.settings.shape
        if lesson.n_classes or shape == PLAIN or not can_be_shaped(lesson.target):
            return self._fit(lesson)
        return self._fit(lesson, shape) if shape in LIKELIHOODS else fit_shaped(self._fit, shape, lesson)

    def gains(self, lesson: Lesson) -> Floats:
        """Return by how much the splits on each feature lowered the loss of the lesson, shape (n_features,)."""
        if nothing_to_learn(lesson):
            return np.zeros(len(lesson.matrix.features))
        booster, _ = self._boosted(lesson, Yard.of(lesson))
        return np.asarray(booster.feature_importance("gain"), dtype=np.float64)

    def _fit(self, lesson: Lesson, likelihood: str = "") -> tuple[Fitted, Curve]:
        """Learn labels, values, or the logarithm of the mean of values by their likelihood."""
        yard = Yard(0.0, float(np.asarray(lesson.target, dtype=np.float64).mean())) if likelihood else Yard.of(lesson)
        booster, track = self._boosted(lesson, yard, likelihood)
        source = booster.model_to_string(num_iteration=track.best_round)
        link, n_outputs = link_of(lesson.n_classes)
        n_features = len(lesson.matrix.features)
        bias = None if lesson.n_classes else np.array([yard.mean])
        scale = 1.0 if likelihood else yard.spread
        text = condense(source, n_features=n_features, n_outputs=n_outputs, scale=scale, bias=bias)
        fitted: Fitted = Trees(text, link, n_features=n_features, n_outputs=n_outputs)
        if likelihood:
            target = np.asarray(lesson.target, dtype=np.float64)
            fitted = Shaped.within(fitted, likelihood, target, unit=yard.spread, lift=1.0)
        return fitted, track.curve(loss_name(lesson))

    def _boosted(self, lesson: Lesson, yard: Yard, likelihood: str = "") -> tuple[Any, Track]:
        """Return the library's booster after its last round, and how the rounds went."""
        import lightgbm

        parameters = {**self._parameters(lesson), **({"objective": likelihood} if likelihood else {})}
        codes = lesson.matrix.categories if self.settings.categories == SETS else []
        train = _dataset(lightgbm, lesson.matrix, yard.standardise(lesson.target), lesson.weight, codes, parameters)
        booster = lightgbm.Booster(parameters, train)
        if lesson.exam is not None:
            exam = lesson.exam
            made = (exam.matrix, yard.standardise(exam.target), exam.weight, codes, parameters, train)
            booster.add_valid(_dataset(lightgbm, *made), "exam")
        track = Track(self.settings.rounds, self.settings.patience, lesson.seconds_left, yard.spread**2)
        while True:
            is_finished = booster.update()
            valid = booster.eval_valid()[0][2] if lesson.exam is not None else None
            if track.has_ended(booster.eval_train()[0][2], valid) or is_finished:
                return booster, track

    def _parameters(self, lesson: Lesson) -> dict[str, Any]:
        """Return LightGBM's own parameters; defaults follow public meta-tuned values for each task."""
        s, n_rows = self.settings, lesson.matrix.n_rows
        is_wide = len(lesson.matrix.features) > WIDE  # histograms are then built column by column
        return {
            **_objective(lesson),
            "learning_rate": s.learning_rate or (0.04 if lesson.n_classes else 0.05),
            "num_leaves": s.leaves or (50 if lesson.n_classes else 100),
            "min_data_in_leaf": s.min_leaf or max(2, min(40 if lesson.n_classes else 5, n_rows // 50)),
            "min_sum_hessian_in_leaf": 1e-7 if s.preset == "tuned" else 1e-3,
            "bagging_fraction": s.row_share,
            "bagging_freq": int(s.row_share < 1.0),
            "feature_fraction": s.feature_share,
            "lambda_l1": s.l1,
            "lambda_l2": s.l2,
            "extra_trees": s.extra_trees,
            "max_bin": s.bins or (bins_for(lesson, BINS) if s.preset == "tuned" else BINS),
            "cat_smooth": s.category_smoothing,
            "cat_l2": s.category_l2,
            "min_data_per_group": s.category_rows or max(5, min(100, n_rows // 100)),
            "feature_pre_filter": False,
            "seed": lesson.seed % 2**31,
            "num_threads": 0,  # as many as the process allows: see use_threads
            # The result must not depend on threads, and the library's own choice of layout depends on timing.
            "deterministic": True,
            "force_col_wise": is_wide,
            "force_row_wise": not is_wide,
            "verbosity": -1,
        }

    @classmethod
    def restore(cls, state: State) -> Fitted:
        """Return the trees of a state."""
        return Trees.restore(state)


def _objective(lesson: Lesson) -> dict[str, Any]:
    if not lesson.n_classes:
        return {"objective": "regression", "metric": "l2"}
    if lesson.n_classes == 2:
        return {"objective": "binary", "metric": "binary_logloss"}
    return {"objective": "multiclass", "metric": "multi_logloss", "num_class": lesson.n_classes}


def _dataset(
    library: Any,
    matrix: Matrix,
    target: Any,
    weight: Any,
    codes: list[int],
    parameters: dict[str, Any],
    reference: Any = None,
) -> Any:
    return library.Dataset(
        matrix.values,
        target,
        weight=normalised(weight),
        reference=reference,
        categorical_feature=codes,
        params=parameters,
        free_raw_data=True,
    )
