"""The names of the measures: for which task, which way is better, in what unit."""

from __future__ import annotations

from dataclasses import dataclass

from modelwright.core.errors import InvalidTask, closest
from modelwright.core.task import TaskKind

BINARY, MULTICLASS, REGRESSION = TaskKind.BINARY, TaskKind.MULTICLASS, TaskKind.REGRESSION


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure by name; ``evaluation.metrics`` computes it.

    Attributes:
        name: As in options and results.
        kinds: The tasks it exists for.
        greater_is_better: Which way is better.
        unit: ``""``, ``target``, ``target²`` or ``%``.
        reads: ``scores`` (probabilities or values) or ``choices`` (labels after the threshold).
        title: For people.
    """

    name: str
    kinds: tuple[TaskKind, ...]
    greater_is_better: bool
    unit: str
    reads: str
    title: str


MEASURES = {
    m.name: m
    for m in (
        Measure("accuracy", (BINARY, MULTICLASS), True, "", "choices", "Accuracy"),
        Measure("balanced_accuracy", (BINARY, MULTICLASS), True, "", "choices", "Balanced accuracy"),
        Measure("precision", (BINARY, MULTICLASS), True, "", "choices", "Precision"),
        Measure("recall", (BINARY, MULTICLASS), True, "", "choices", "Recall"),
        Measure("f1", (BINARY, MULTICLASS), True, "", "choices", "F1"),
        Measure("f1_macro", (BINARY, MULTICLASS), True, "", "choices", "F1, mean over classes"),
        Measure("roc_auc", (BINARY, MULTICLASS), True, "", "scores", "ROC AUC"),
        Measure("average_precision", (BINARY, MULTICLASS), True, "", "scores", "Average precision"),
        Measure("log_loss", (BINARY, MULTICLASS), False, "", "scores", "Log loss"),
        Measure("brier", (BINARY, MULTICLASS), False, "", "scores", "Brier score"),
        Measure("calibration_error", (BINARY, MULTICLASS), False, "", "scores", "Calibration error"),
        Measure("mae", (REGRESSION,), False, "target", "scores", "Mean absolute error"),
        Measure("mse", (REGRESSION,), False, "target²", "scores", "Mean squared error"),
        Measure("rmse", (REGRESSION,), False, "target", "scores", "Root mean squared error"),
        Measure("mape", (REGRESSION,), False, "%", "scores", "Mean absolute percentage error"),
        Measure("r2", (REGRESSION,), True, "", "scores", "R²"),
    )
}
"""All measures by name; for multiclass tasks precision, recall, f1, roc_auc, average_precision are class means."""

DEFAULTS = {BINARY: "roc_auc", MULTICLASS: "log_loss", REGRESSION: "rmse"}


def measure(name: str, kind: TaskKind) -> Measure:
    """Return the measure of this name, or raise InvalidTask when the task has no such measure."""
    fitting = [m.name for m in MEASURES.values() if kind in m.kinds]
    if name not in fitting:
        raise InvalidTask(
            f"a {kind} task is measured by a measure that exists for it",
            where="--metric",
            got=name,
            fix=closest(name, fitting),
        )
    return MEASURES[name]
