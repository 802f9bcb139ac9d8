"""Explaining: for single rows, what each column adds to the answer; the numbers add up to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modelwright.service.refusals import too_large

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.service.door import Row
    from modelwright.service.limits import Limits
    from modelwright.service.scorer import Scorer


def check_rows(rows: Sequence[Row], limits: Limits) -> None:
    """Raise Refused (413) where more rows are to be explained than are."""
    if len(rows) > limits.explained_rows:
        raise too_large("rows that are explained", limits.explained_rows)


class Explainer:
    """Tells reasons for one model. Safe to use from several threads.

    Rows are compared with the golden sample, the real rows that travel in the package; the package holds no others.
    What explains is imported and made at the first question, so that a service that is never asked carries none of it.

    Args:
        scorer: Whose answers are explained.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._lock = threading.Lock()
        self._background: Any = None
        self._groves: Any = None

    def reasons(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Return the reasons of each row, as it is scored.

        Returns:
            ``start``, the answer before anything is known of the row; ``columns``, by name what each adds;
            ``answer``, their sum: the value, or the probability of ``label``.
        """
        from modelwright.learners.reasons import Groves, reasons

        model, names = self._scorer.model, self._scorer.names
        with self._lock:
            if self._groves is None:
                self._background = model.plan.rows(self._scorer.package.golden.records)
                self._groves = Groves(self._background, 0)
            if not rows:
                return []
            found = reasons(model.blend, model.plan.rows(rows), self._background, grown=self._groves)
        told = []
        for i in range(len(rows)):
            one = {
                "start": float(found.start[i]),
                "columns": dict(zip(found.columns, found.values[i].tolist(), strict=True)),
                "answer": float(found.answer[i]),
            }
            told.append({"label": self._scorer.labels[int(found.label[i])], **one} if names else one)
        return told
