"""A model ready to answer: any frame or records in, answers of the same kind out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidSetting

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats
    from modelwright.core.contract import Break
    from modelwright.packaging.package import Package

ROWS_AT_ONCE = 100_000
"""Rows that are scored together; more would cost memory and win nothing."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A loaded package.

    Frames may be polars, pandas or pyarrow, and answers come back in kind; a list of dicts (text as in a CSV
    file, or typed values) is scored without building a frame, in well under a millisecond a row.

    Attributes:
        package: Everything that is known about the model.

    Example::

        model = modelwright.load("churn.model")
        model.predict([{"tenure": "12", "Contract": "Month-to-month"}])
    """

    package: Package

    @property
    def labels(self) -> tuple[str, ...]:
        """The class labels in the order of the probabilities; empty for regression."""
        return self.package.model.task.labels

    @property
    def fingerprint(self) -> str:
        """Names the package."""
        return self.package.fingerprint

    def predict(self, rows: Any) -> Any:
        """Return one answer per row: a label in its own type, or a number.

        Args:
            rows: A frame, or a list of dicts.

        Returns:
            A list for a list of dicts; else a Series or array of the frame's library.
        """
        if _are_records(rows):
            return self._answers(self.package.model.scores_of(rows))
        from modelwright.data.frames import back, to_polars

        frame, kind = to_polars(rows)
        answers: Any = back(self.scored(frame).select("prediction"), kind)
        return answers["prediction"]

    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each label, for classification.

        Args:
            rows: A frame, or a list of dicts.

        Returns:
            A list of dicts (label to probability) for a list of dicts; else a frame with one column a label.
        """
        if _are_records(rows):
            scores = self.package.model.scores_of(rows)
            return [dict(zip(self.labels, row, strict=True)) for row in scores.tolist()]
        from modelwright.data.frames import back, to_polars

        frame, kind = to_polars(rows)
        scored = self.scored(frame)
        return back(scored.select(scored[f"probability_{label}"].alias(label) for label in self.labels), kind)

    def scores(self, frame: pl.DataFrame) -> tuple[Floats, tuple[Break, ...]]:
        """Return values or probabilities for a polars frame, and how its rows departed from the contract."""
        from modelwright.data.conforming import conform

        model = self.package.model
        conformed = conform(frame, model.contract, only_inputs=True)
        shape = (0, len(self.labels)) if self.labels else (0,)
        pieces = [
            model.scores(conformed.frame.slice(start, ROWS_AT_ONCE)) for start in range(0, frame.height, ROWS_AT_ONCE)
        ]
        return np.concatenate(pieces) if pieces else np.zeros(shape), conformed.breaks

    def scored(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``prediction`` and ``probability_<label>`` columns for a polars frame, rows in its order."""
        return self.answers(self.scores(frame)[0])

    def answers(self, scores: Floats) -> pl.DataFrame:
        """Return values or probabilities as ``prediction`` and ``probability_<label>`` columns."""
        import polars as pl

        columns: dict[str, Any] = {"prediction": pl.Series(self._answers(scores), dtype=self._dtype())}
        for position, label in enumerate(self.labels):
            columns[f"probability_{label}"] = scores[:, position]
        return pl.DataFrame(columns)

    def bounds(self, scores: Floats, coverage: float) -> pl.DataFrame:
        """Return what holds the truth of a new row with this probability, by split conformal prediction.

        Args:
            scores: Values or probabilities, as ``scores`` returns them.
            coverage: Between 0 and 1; kept in the mean over rows like the sealed ones.

        Returns:
            Columns ``low`` and ``high`` for numbers; ``labels`` for classes: those that stay possible, by ``; ``.

        Raises:
            InvalidSetting: The sealed rows are too few for this coverage, or it is no probability.
        """
        import polars as pl

        from modelwright.evaluation.conformal import reach, sets

        sealed = self.package.sealed
        n = 0 if sealed is None else len(sealed.target)
        if not 0 < coverage < 1 or sealed is None or (n + 1) * (1 - coverage) < 1:
            raise InvalidSetting(
                "a coverage lies between 0 and 1 and asks for no more than the sealed rows can promise",
                where="coverage",
                got=f"{coverage:g} with {n:,} sealed rows",
                fix=f"at most {n / (n + 1):.4g}" if n else "train the package anew: it carries no sealed rows",
            )
        wide = reach(sealed.target, sealed.scores, coverage=coverage)
        if not self.labels:
            return pl.DataFrame({"low": scores - wide, "high": scores + wide})
        kept = sets(scores, wide)
        kept[np.arange(len(kept)), scores.argmax(axis=1)] = True  # an empty set would tell a reader nothing
        names = np.array(self.labels, dtype=object)
        return pl.DataFrame({"labels": ["; ".join(names[row]) for row in kept]})

    def _answers(self, scores: Floats) -> list[Any]:
        model = self.package.model
        choices: list[Any] = model.choices(scores).tolist()
        if not self.labels:
            return choices
        answers = [model.task.answer(label) for label in self.labels]
        return [answers[i] for i in choices]

    def _dtype(self) -> Any:
        import polars as pl

        from modelwright.core.task import LabelType

        if not self.labels:
            return pl.Float64
        types = {LabelType.INTEGER: pl.Int64, LabelType.FLOAT: pl.Float64, LabelType.BOOLEAN: pl.Boolean}
        return types.get(self.package.model.task.label_type, pl.String)


def _are_records(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(r, dict) for r in rows[:1])
