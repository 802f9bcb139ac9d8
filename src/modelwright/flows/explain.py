"""Explain: why a model answers as it does, what would change its answer, and where not to trust it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.errors import EmptySource, InvalidSetting, closest
from modelwright.core.fingerprint import plain
from modelwright.data.writing import check_writable, write
from modelwright.evaluation.attribution import ranked
from modelwright.evaluation.conformal import sets
from modelwright.evaluation.importance import importance
from modelwright.flows._known_rows import golden_rows, judged_rows, known_rows, some
from modelwright.flows._pages import check_page, write_page
from modelwright.flows._probing import SHAPE_ROWS, Probe, interactions, shapes
from modelwright.flows._weakness import by_groups, calibration, robustness, uncertainty, weak_slices
from modelwright.flows._what_if import Wanted, check_columns, readable, rows_like_it, what_would_change
from modelwright.flows._words import words_that_move
from modelwright.flows.load import load
from modelwright.learners.reasons import LOG_ODDS, Reasons, reasons
from modelwright.reports.explaining import summary
from modelwright.reports.explaining_page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.matrix import Matrix
    from modelwright.core.model import Model
    from modelwright.flows._known_rows import Judged, Rows
    from modelwright.flows.predictor import Predictor

BACKGROUND_ROWS, GLOBAL_ROWS, JUDGED_ROWS = 1_000, 1_000, 5_000
ROWS_TOLD, LEADING = 3, 8
ROWS_UNASKED = 10_000
FEWEST_KNOWN = 50
"""Below this the rows to explain are too few to stand for what is usual, and the golden sample joins them."""
SECONDS = 8.0
"""The reasons of many rows, and importance, take about this long at most; fewer rows are taken of slow models."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What there is to say about why a model answers as it does.

    Attributes:
        model: The model.
        facts: Everything found, plain data: what ``explain --json`` prints.
        reasons: The reasons of every row to explain, in order; of more than 10,000 rows only when they are written
            to a file, else of those whose story is told. ``row`` is their number, from 1.
    """

    model: Predictor
    facts: dict[str, Any]
    reasons: pl.DataFrame

    def summary(self, width: int) -> str:
        """Return what a person should read first, for a terminal of this width."""
        return summary(self.facts, width)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``explain --json`` prints."""
        data: dict[str, Any] = plain(self.facts)
        return data


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an explanation.

    Attributes:
        data: Known rows: what others are compared with, and searched for similar ones. The package stores no
            training rows; given the table it was trained on, its sealed rows are found again and judged by.
        row: Numbers of rows to tell the whole story of, from 1; the first three by default.
        immutable: Columns that counterfactuals leave as they are.
        group_by: Columns of the table by whose groups fairness is measured.
        want: The answer counterfactuals lead to: a label, or a number for regression. By default the other label.
        label: The label whose probability is looked at, where there are more than two.
        space: ``log-odds`` for reasons in place of ``probability``, for two labels.
        out: Where to write every row's reasons: ``.parquet``, ``.csv`` or ``.jsonl``.
        page_out: Where to write a page.
        query: SQL query, when the rows are in a database.
        seed: Of samples and shuffles.
    """

    data: object = None
    row: Sequence[int] = ()
    immutable: Sequence[str] = ()
    group_by: Sequence[str] = ()
    want: str | None = None
    label: str | None = None
    space: str | None = None
    out: str | Path | None = None
    page_out: str | Path | None = None
    query: str | None = None
    seed: int = 0


def explain(package: str | Path, rows: object = None, asked: Asked | None = None) -> Explained:
    """Explain a model, and its answers for rows.

    Args:
        package: A model package.
        rows: The rows to explain: anything that can be read as a table; labelled ones are judged by too. Without
            them, the rows of ``data`` or else the few that travel in the package.
        asked: Everything else.

    Raises:
        ModelwrightError: The package, a table or an output is not usable, or a name is not known.
    """
    asked = asked or Asked()
    out, page_out, seed, space = asked.out, asked.page_out, asked.seed, asked.space
    if out is not None:
        check_writable(out)
    if page_out is not None:
        check_page(page_out)
    loaded = load(package)
    model = loaded.package.model
    check_columns(model, asked.immutable)
    wanted = Wanted(model, asked.want)
    _check_space(model, space)
    shown, known, notes = _tables(loaded, rows, asked)
    chosen, focus = _chosen(asked.row, shown), _focus(model, known, asked.label)
    judged = judged_rows(loaded.package, [known, shown])
    fair = _fairness(judged, model, asked.group_by)
    sample = known.take(some(known.n_rows, BACKGROUND_ROWS, seed))
    background = model.plan.matrix(sample.frame)

    is_few = out is not None or shown.n_rows <= ROWS_UNASKED
    told = list(range(shown.n_rows)) if is_few else sorted(set(chosen))
    found = _reasons(model, shown.take(np.array(told, dtype=np.int64)), background, space, seed)
    across = _across(model, known, background, space, seed)
    moved = ranked(across.columns, across.values)
    leading = [e["column"] for e in moved if e["value"] > 0 and e["column"] in model.contract]
    probe = Probe(model, known.take(some(known.n_rows, SHAPE_ROWS, seed + 1)).frame, focus)
    weights = {e["column"]: float(e["value"]) for e in moved}
    facts = {
        **_heading(loaded, found, shown, known, judged),
        "importance": {"moves": moved, **_permuted(loaded, judged, seed)},
        "focus": None if focus is None else model.task.labels[focus],
        "shapes": shapes(probe, leading[:LEADING]),
        "interactions": interactions(probe, leading, is_odds=model.task.is_classification),
        "calibration": None if judged is None else calibration(judged, model),
        "uncertainty": uncertainty(loaded.package, judged),
        "slices": None if judged is None else weak_slices(_thin(judged, seed), model, leading, seed=seed),
        "fairness": fair,
        "robustness": robustness(_rows_to_shake(judged, known, seed), model, leading, seed=seed),
    }
    teller = _Teller(loaded, found, told, shown, known, weights, wanted, asked.immutable, facts["uncertainty"])
    facts["rows"] = [teller.story(at) for at in chosen]
    facts["notes"] = [*notes, *_notes(found, judged, wanted)]
    table = _as_table(found, told)
    if out is not None:
        write(table, out)
    if page_out is not None:
        write_page(page_out, page(facts, Path(package).name))
    return Explained(loaded, facts, table)


def _check_space(model: Model, space: str | None) -> None:
    if space is None:
        return
    allowed = ("probability", LOG_ODDS) if len(model.task.labels) == 2 else ("probability",)
    allowed = allowed if model.task.is_classification else ("value",)
    if space not in allowed:
        raise InvalidSetting(
            "reasons add up to something the model answers", where="--space", got=space, fix=closest(space, allowed)
        )


def _tables(loaded: Predictor, rows: object, asked: Asked) -> tuple[Rows, Rows, list[str]]:
    """Return the rows to explain, the known rows, and what must be said of them."""
    package = loaded.package
    golden = golden_rows(package)
    known = None if asked.data is None else known_rows(asked.data, package)
    shown = known_rows(rows, package, query=asked.query) if rows is not None else known or golden
    for table in (shown, known):
        if table is not None and not table.n_rows:
            raise EmptySource(
                "a table to explain has rows", where=table.source, got="none", fix="give at least one row"
            )
    if known is not None:
        return shown, known, []
    if shown.n_rows >= FEWEST_KNOWN:
        return shown, shown, ["No known rows were given with --data: each row is compared with the rows explained."]
    return (
        shown,
        golden,
        [
            f"No known rows were given with --data, and the package stores no training rows: rows are compared with "
            f"the {golden.n_rows} that travel in it, so shapes and similar rows are rough. Give a table with --data."
        ],
    )


def _reasons(model: Model, rows: Rows, background: Matrix, space: str | None, seed: int) -> Reasons:
    return reasons(
        model.blend, model.plan.matrix(rows.frame), background, space=space if space == LOG_ODDS else "", seed=seed
    )


def _across(model: Model, known: Rows, background: Matrix, space: str | None, seed: int) -> Reasons:
    """Return the reasons of as many known rows as time allows, at most a thousand."""
    few = known.take(some(known.n_rows, 30, seed))
    begun = time.monotonic()
    found = _reasons(model, few, background, space, seed)
    a_row = (time.monotonic() - begun) / few.n_rows
    many = int(min(GLOBAL_ROWS, SECONDS / max(a_row, 1e-6)))
    if many <= few.n_rows or known.n_rows <= few.n_rows:
        return found
    return _reasons(model, known.take(some(known.n_rows, many, seed)), background, space, seed)


def _focus(model: Model, known: Rows, label: str | None) -> int | None:
    """Return the label whose probability is looked at: the one named, the positive one, or the most frequent answer."""
    task = model.task
    if not task.is_classification:
        return None
    if label is not None:
        if label not in task.labels:
            raise InvalidSetting(
                "a label is one of the task's", where="--label", got=label, fix=closest(label, task.labels)
            )
        return task.labels.index(label)
    if len(task.labels) == 2:
        return 1
    answers = model.choices(model.scores(known.frame.head(GLOBAL_ROWS)))
    return int(np.bincount(np.asarray(answers, dtype=np.int64)).argmax())


def _heading(loaded: Predictor, found: Reasons, shown: Rows, known: Rows, judged: Judged | None) -> dict[str, Any]:
    task = loaded.package.model.task
    return {
        "fingerprint": loaded.fingerprint,
        "task": task.kind.value,
        "target": task.target,
        "labels": list(task.labels),
        "metric": task.metric,
        "space": found.space,
        "sampled_weight": found.sampled,
        "n_explained": shown.n_rows,
        "n_known": known.n_rows,
        "known": known.source,
        "judged_on": None if judged is None else judged.on,
        "breaks": shown.breaks,
    }


def _permuted(loaded: Predictor, judged: Judged | None, seed: int) -> dict[str, Any]:
    """Return permutation importance on the judged rows, or what was measured at training."""
    model = loaded.package.model
    if judged is None or judged.is_sealed:
        # The delivered model may have learnt from the sealed rows; what was measured with the judged one stands.
        return {
            "permutation": list(loaded.package.evidence.importance),
            "permutation_on": "the sealed rows, at training",
        }
    rows = some(judged.rows.n_rows, JUDGED_ROWS, seed)
    matrix = model.plan.matrix(judged.rows.frame[rows])
    measured = importance(model.blend.predict, matrix, judged.target[rows], model.task, seed=seed, seconds=SECONDS)
    return {"permutation": list(measured), "permutation_on": judged.on}


def _thin(judged: Judged, seed: int) -> Judged:
    rows = some(judged.rows.n_rows, JUDGED_ROWS, seed)
    return replace(judged, rows=judged.rows.take(rows), target=judged.target[rows], scores=judged.scores[rows])


def _fairness(judged: Judged | None, model: Model, names: Sequence[str]) -> dict[str, Any]:
    if not names:
        return {}
    if judged is None:
        raise InvalidSetting(
            "fairness is measured on labelled rows",
            where="--group-by",
            got="no table with the target",
            fix=f"give rows, or --data, with the column {model.task.target!r}",
        )
    return by_groups(judged, model, names)


def _rows_to_shake(judged: Judged | None, known: Rows, seed: int) -> Rows:
    rows = known if judged is None else judged.rows
    return rows.take(some(rows.n_rows, GLOBAL_ROWS, seed))


def _chosen(asked: Sequence[int], shown: Rows) -> list[int]:
    """Return the positions of the rows whose story is told."""
    for number in asked:
        if not 1 <= number <= shown.n_rows:
            raise InvalidSetting(
                "a row is named by its number, from 1",
                where="--row",
                got=number,
                fix=f"there are {shown.n_rows:,} rows",
            )
    return [n - 1 for n in asked] or list(range(min(ROWS_TOLD, shown.n_rows)))


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells the story of a row: everything its parts need."""

    loaded: Predictor
    found: Reasons
    place: list[int]
    shown: Rows
    known: Rows
    weights: dict[str, float]
    wanted: Wanted
    immutable: Sequence[str]
    uncertainty: dict[str, Any] | None

    def story(self, at: int) -> dict[str, Any]:
        """Return all there is to say about one row."""
        model, found = self.loaded.package.model, self.found
        number, own = at + 1, self.shown.take(np.array([at]))
        at = self.place.index(at)
        scores = model.scores(own.frame)
        labels = model.task.labels
        return {
            "row": number,
            "prediction": self.loaded.answers(scores)["prediction"][0],
            "about": labels[found.label[at]] if labels else None,
            "answer": float(found.answer[at]),
            "start": float(found.start[at]),
            "space": found.space,
            "reasons": self._reasons(at, own),
            "words": words_that_move(model, own, int(found.label[at]) if labels else None, found.space),
            "range": _range(scores, self.uncertainty, labels),
            "changes": what_would_change(model, own, self.known, self.wanted, self.immutable),
            "similar": rows_like_it(own, self.known, self.weights, model, count=3),
        }

    def _reasons(self, at: int, own: Rows) -> list[dict[str, Any]]:
        found, values = self.found, own.frame.to_dicts()[0]
        order = np.argsort(-np.abs(found.values[at]), kind="stable")
        return [
            {
                "column": found.columns[i],
                "value": self._value(found.columns[i], values),
                "adds": float(found.values[at, i]),
                "error": float(found.errors[at, i]),
            }
            for i in order
        ]

    def _value(self, name: str, values: dict[str, Any]) -> Any:
        contract = self.loaded.package.model.contract
        return readable(contract.column(name), values.get(name)) if name in contract else None


def _range(scores: Any, known: dict[str, Any] | None, labels: tuple[str, ...]) -> Any:
    """Return what holds the truth nine times of ten: two ends, or the labels that cannot be ruled out."""
    if known is None or known["reach"] is None:
        return None
    if not labels:
        return [float(scores[0]) - known["reach"], float(scores[0]) + known["reach"]]
    return [label for label, stays in zip(labels, sets(scores, known["reach"])[0].tolist(), strict=True) if stays]


def _notes(found: Reasons, judged: Judged | None, wanted: Wanted) -> list[str]:
    notes = []
    if not wanted.is_possible:
        notes.append("What would have to change is told when --want names the estimate to aim for.")
    if found.sampled > 0:
        notes.append(
            f"Members with {found.sampled:.0%} of the ensemble's weight are explained by sampling; "
            "each reason carries its standard error."
        )
    if judged is None:
        notes.append("No table held the target: slices, fairness and calibration need labelled rows.")
    elif judged.is_sealed:
        notes.append(
            "Slices, fairness and calibration are of the sealed rows, found again in the table by fingerprint."
        )
    return notes


def _as_table(found: Reasons, place: Sequence[int]) -> pl.DataFrame:
    """Return the reasons of rows: ``row``, ``answer``, ``start``, and a column per column of the table."""
    columns: dict[str, Any] = {"row": [at + 1 for at in place], "answer": found.answer, "start": found.start}
    for i, name in enumerate(found.columns):
        columns[f"reason_{name}"] = found.values[:, i]
    return pl.DataFrame(columns)
