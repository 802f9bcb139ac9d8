"""XGBoost: boosted depth-wise trees.

Chen and Guestrin (2016), XGBoost: a scalable tree boosting system, KDD.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from modelwright.core.ports import Curve, Fitted, Lesson
from modelwright.learners import _from_xgboost
from modelwright.learners._rounds import Track, Yard, bins_for, link_of, loss_name, normalised
from modelwright.learners._settings import read, setting
from modelwright.learners.constant import Constant, nothing_to_learn
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from modelwright.core.state import State

BINS = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set; None is chosen from the task.

    Attributes:
        rounds: Boosting rounds at most.
        learning_rate: Shrinkage of each round.
        depth: Levels per tree at most.
        min_child_weight: Weight of a leaf at least, in the loss's second derivative.
        row_share: Share of rows each round sees.
        feature_share: Share of features each level sees.
        l2: Penalty on the squares of leaf values.
        bins: Histogram bins per feature.
        patience: Rounds without a better exam loss before the end; 0 for never.
    """

    rounds: int = setting(1000, 1, 100_000)
    learning_rate: float | None = setting(None, 1e-5, 1.0)
    depth: int | None = setting(None, 1, 16)
    min_child_weight: float | None = setting(None, 1e-6, 1e6)
    row_share: float | None = setting(None, 0.01, 1.0)
    feature_share: float = setting(0.9, 0.01, 1.0)
    l2: float = setting(0.0, 0.0, 1e6)
    bins: int | None = setting(None, 2, 65_535)
    patience: int = setting(50, 0, 100_000)


class XGBoost:
    """Boosted trees by XGBoost; category codes count as numbers; predicts through ``Trees``."""

    name: ClassVar[str] = "xgboost"
    has_rounds: ClassVar[bool] = True

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Learn round by round until the rounds, the patience or the time end."""
        if nothing_to_learn(lesson):
            return Constant().fit(lesson)
        import xgboost

        yard = Yard.of(lesson)
        how = {"max_bin": self._bins(lesson), "nthread": lesson.threads}
        shown = (lesson.matrix.values, yard.standardise(lesson.target))
        train = xgboost.QuantileDMatrix(*shown, weight=normalised(lesson.weight), **how)
        watched = [(train, "fit")]
        if lesson.exam is not None:
            exam = (lesson.exam.matrix.values, yard.standardise(lesson.exam.target))
            watched.append((xgboost.QuantileDMatrix(*exam, weight=lesson.exam.weight, ref=train, **how), "exam"))
        track = Track(self.settings.rounds, self.settings.patience, lesson.seconds_left)
        callback = _callback(xgboost, track, is_squared=not lesson.n_classes, spread=yard.spread)
        booster = xgboost.train(
            self._parameters(lesson),
            train,
            num_boost_round=self.settings.rounds,
            evals=watched,
            callbacks=[callback],
            verbose_eval=False,
        )
        link, n_outputs = link_of(lesson.n_classes)
        model = json.loads(booster[: track.best_round].save_raw("json"))
        bias = _from_xgboost.bias_of(model, n_outputs) * yard.spread + yard.mean
        table, n_features = _from_xgboost.table_of(model), len(lesson.matrix.features)
        fitted = Trees.of(table, link, n_features=n_features, bias=bias, scale=yard.spread)
        return fitted, track.curve(loss_name(lesson))

    def _bins(self, lesson: Lesson) -> int:
        return self.settings.bins or bins_for(lesson, BINS)

    def _parameters(self, lesson: Lesson) -> dict[str, Any]:
        """Return XGBoost's own parameters; defaults follow public meta-tuned values for each task."""
        s, is_class = self.settings, bool(lesson.n_classes)
        return {
            **_objective(lesson),
            "tree_method": "hist",
            "max_bin": self._bins(lesson),
            "learning_rate": s.learning_rate or (0.08 if is_class else 0.05),
            "max_depth": s.depth or (6 if is_class else 9),
            "min_child_weight": s.min_child_weight or (5e-6 if is_class else 2.0),
            "subsample": s.row_share or (0.65 if is_class else 0.7),
            "colsample_bylevel": s.feature_share,
            "reg_lambda": s.l2,
            "seed": lesson.seed % 2**31,
            "nthread": lesson.threads,
            "verbosity": 0,
        }

    @classmethod
    def restore(cls, state: State) -> Fitted:
        """Return the trees of a state."""
        return Trees.restore(state)


def _objective(lesson: Lesson) -> dict[str, Any]:
    if not lesson.n_classes:
        return {"objective": "reg:squarederror", "eval_metric": "rmse"}
    if lesson.n_classes == 2:
        return {"objective": "binary:logistic", "eval_metric": "logloss"}
    return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": lesson.n_classes}


def _callback(library: Any, track: Track, *, is_squared: bool, spread: float) -> Any:
    """Return a callback that feeds the track; XGBoost tells a root of the squared error in standard units."""

    def ours(log: dict[str, dict[str, list[float]]], name: str) -> float | None:
        if name not in log:
            return None
        value = float(next(iter(log[name].values()))[-1])
        return (value * spread) ** 2 if is_squared else value

    class Follow(library.callback.TrainingCallback):  # type: ignore[misc]
        """Ends training when the track has ended."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            """Take the losses of one round."""
            return track.has_ended(ours(evals_log, "fit"), ours(evals_log, "exam"))

    return Follow()
