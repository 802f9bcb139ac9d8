"""modelwright as scikit-learn estimators: they pass scikit-learn's own ``check_estimator``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from modelwright.core.metrics import DEFAULTS, measure
from modelwright.core.model import Model
from modelwright.core.settings import Settings
from modelwright.core.split import How
from modelwright.core.task import Task, TaskKind
from modelwright.data.conforming import conform
from modelwright.data.frames import to_polars
from modelwright.data.inference import infer
from modelwright.data.reading import read
from modelwright.flows._front import pruned_to
from modelwright.flows.api import run_of
from modelwright.flows.builtin import catalogue
from modelwright.search.final import model_on
from modelwright.search.front import front_of
from modelwright.search.journal import Journal
from modelwright.search.problem import Material, Problem
from modelwright.search.workshop import search

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Array, Target

TARGET = "target"


class _Modelwright(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share.

    ``fit`` has no ``sample_weight``: rows are divided into folds, so a weight of two is not the same as the
    row twice, which scikit-learn asks of estimators that take it. ``modelwright train --weight`` has weights.
    """

    _task = ""

    def __init__(
        self,
        *,
        effort: int | None = 2,
        budget: str | float | None = None,
        metric: str | None = None,
        threads: int | None = None,
        random_state: int | None = 0,
        latency: str | float | None = None,
        size: str | int | None = None,
    ) -> None:
        self.effort = effort
        self.budget = budget
        self.metric = metric
        self.threads = threads
        self.random_state = random_state
        self.latency = latency
        self.size = size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes with the model unfolded into plain data."""
        state = dict(super().__getstate__())
        if isinstance(state.get("model_"), Model):
            model = state["model_"]
            state["model_"] = (model.task, model.contract, model.threshold, model.state())
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes back, the model folded again."""
        if isinstance(state.get("model_"), tuple):
            task, contract, threshold, parts = state["model_"]
            plan, blend = (catalogue().restore(parts.parts[name]) for name in ("plan", "blend"))
            state = {**state, "model_": Model(task, contract, plan, blend, threshold)}
        super().__setstate__(state)

    def _fit(self, X: Any, target: Array, labels: tuple[str, ...]) -> Self:
        frame = self._frame(X, reset=True)
        check_consistent_length(frame, target)
        if frame.height < 2:
            message = f"Found array with n_samples=1: {type(self).__name__} needs at least 2 rows"
            raise ValueError(message)
        contract = infer(read(frame))
        kind = TaskKind.REGRESSION if not labels else TaskKind.BINARY if len(labels) == 2 else TaskKind.MULTICLASS
        metric = measure(self.metric or DEFAULTS[kind], kind).name
        task = Task(kind, TARGET, metric, labels)
        encoded: Target = target.astype(np.int64) if labels else target.astype(np.float64)
        settings = Settings.of(
            {
                "target": TARGET,
                "threads": self.threads,
                "seed": self.random_state or 0,
                "latency": self.latency,
                "size": self.size,
                **({"budget": self.budget} if self.budget is not None else {"effort": self.effort or 1}),
            }
        )
        run = run_of(settings, started=time.monotonic())
        material = Material.prepare(Problem(conform(frame, contract).frame, encoded, None, contract, task, run.seed))
        how = How.STRATIFIED if labels else How.RANDOM
        found = search(material, run, how=how, open_journal=lambda _: Journal())
        if settings.latency is not None or settings.size is not None:
            found, _ = pruned_to(found, front_of(found), settings)
        self.model_ = model_on(material, found, run)
        return self

    def _scores(self, X: Any) -> Any:
        check_is_fitted(self, "model_")
        frame = self._frame(X, reset=False)
        return self.model_.scores(conform(frame, self.model_.contract, only_inputs=True).frame)

    def _frame(self, X: Any, *, reset: bool) -> pl.DataFrame:
        """Return the features as a polars frame, after the checks that scikit-learn asks for."""
        import polars as pl

        if hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return to_polars(X)[0]
        array = check_array(X, dtype=None, ensure_all_finite="allow-nan", ensure_min_features=1, estimator=self)
        if array.dtype.kind == "O" and _is_numeric(array):
            array = check_array(array, dtype="numeric", ensure_all_finite="allow-nan", estimator=self)
        validate_data(self, array, reset=reset, skip_check_array=True)
        return pl.DataFrame({f"x{i}": _column(array[:, i]) for i in range(array.shape[1])})


class ModelwrightClassifier(ClassifierMixin, _Modelwright):  # type: ignore[misc]
    """A tuned, blended, calibrated classifier.

    Args:
        effort: Work units, one per candidate that is cross-validated; reproducible. Used without ``budget``.
        budget: Wall-clock limit of ``fit`` instead, such as ``"60s"``.
        metric: Measure that candidates are chosen by; ROC AUC for two classes, log loss for more.
        threads: Threads to use; all cores when None.
        random_state: Seed of all randomness.
        latency: Most time for one row, such as ``"0.1ms"``; the ensemble is pruned to it, or may grow
            to it beyond 0.5 ms.
        size: Most room for the model, such as ``"5MB"``; likewise.

    Example::

        cross_val_score(ModelwrightClassifier(effort=4), X, y, scoring="roc_auc")
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows and labels.

        Args:
            X: A frame, or an array of shape (n_rows, n_features); numbers, text and missing values are fine.
            y: Labels, shape (n_rows,).
        """
        if y is None:
            message = f"{type(self).__name__} requires y to be passed, but the target y is None"
            raise ValueError(message)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y)
        check_classification_targets(y)
        self.classes_, positions = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            message = f"{type(self).__name__} needs at least 2 classes, but the data holds only one class"
            raise ValueError(message)
        # Labels travel as numbered words, so that their own spelling and order never matter.
        labels = tuple(f"c{i:06d}" for i in range(len(self.classes_)))
        return self._fit(X, positions, labels)

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities, shape (n_rows, n_classes), in the order of ``classes_``."""
        return self._scores(X)

    def predict(self, X: Any) -> Any:
        """Return labels, shape (n_rows,)."""
        scores = self._scores(X)
        return self.classes_[self.model_.choices(scores)]


class ModelwrightRegressor(RegressorMixin, _Modelwright):  # type: ignore[misc]
    """A tuned, blended regressor.

    Args:
        effort: Work units, one per candidate that is cross-validated; reproducible. Used without ``budget``.
        budget: Wall-clock limit of ``fit`` instead, such as ``"60s"``.
        metric: Measure that candidates are chosen by; RMSE when None.
        threads: Threads to use; all cores when None.
        random_state: Seed of all randomness.
        latency: Most time for one row, such as ``"0.1ms"``; the ensemble is pruned to it, or may grow
            to it beyond 0.5 ms.
        size: Most room for the model, such as ``"5MB"``; likewise.

    Example::

        cross_val_score(ModelwrightRegressor(effort=4), X, y, scoring="r2")
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows and values.

        Args:
            X: A frame, or an array of shape (n_rows, n_features); numbers, text and missing values are fine.
            y: Values, shape (n_rows,).
        """
        if y is None:
            message = f"{type(self).__name__} requires y to be passed, but the target y is None"
            raise ValueError(message)
        return self._fit(X, _check_y(y, y_numeric=True, estimator=self), ())

    def predict(self, X: Any) -> Any:
        """Return values, shape (n_rows,)."""
        return self._scores(X)


def _is_numeric(array: Any) -> bool:
    """Whether an object array holds no text, so that it can be read as numbers."""
    return not any(isinstance(v, str) for v in array.ravel())


def _column(values: Any) -> Any:
    if values.dtype.kind in "OUS":
        return [None if v is None or v != v else str(v) for v in values]  # noqa: PLR0124 - NaN differs from itself
    return values
