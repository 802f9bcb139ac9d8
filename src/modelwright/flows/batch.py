"""Batch: Parquet files of any size are scored in constant memory; an interrupted run goes on where it was."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import UnwritableOutput
from modelwright.core.fingerprint import plain
from modelwright.data.streaming import appending, chunks, parts_of
from modelwright.flows.load import load

if TYPE_CHECKING:
    from modelwright.data.streaming import Part
    from modelwright.flows.predictor import Predictor

ROWS_AT_ONCE = 50_000
NOTE = "batch.json"
"""Beside the parts: which package scored which file, so that a second run knows what is done."""


def is_folder(out: str | None) -> bool:
    """Return whether an output is to be a folder of parts rather than one file: ``scored/``, or a folder that is there.

    >>> is_folder("scored/"), is_folder("scored.parquet"), is_folder(None)
    (True, False, False)
    """
    return out is not None and (out.endswith("/") or Path(out).is_dir())


@dataclass(frozen=True, slots=True)
class Batched:
    """What a batch did.

    Attributes:
        out: The folder of the parts, one for each file and of its name.
        files: How many there are.
        rows: In all of them.
        skipped: How many files were done already.
        breaks: Rows by column and rule that departed from the contract, in the files of this run.
    """

    out: str
    files: int
    rows: int
    skipped: int
    breaks: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        data: dict[str, Any] = plain(self)
        return data


def batch(package: str | Path, source: str, *, out: str | Path, coverage: float | None = None) -> Batched:
    """Score Parquet files into a folder of Parquet files of the same names.

    Each has the columns that ``predict`` gives, rows in the order of its input, and appears only once it is
    whole. A file whose part is there, made by this package from this very file, is not scored again.

    Args:
        package: A model package, or a registered name such as ``churn@champion``.
        source: A file, a folder or a glob of Parquet files, also behind ``s3://``.
        out: A folder; made if absent.
        coverage: As for ``predict``.

    Raises:
        UnwritableOutput: The folder holds something else, or two files would have one part.
        UnreadableSource: There are no Parquet files.
    """
    parts, folder = parts_of(source), Path(out)
    names = [part.name for part in parts]
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})[0]
        raise UnwritableOutput("each file of a batch has a name of its own", where=source, got=twice, fix="split it")
    model = load(package)
    folder.mkdir(parents=True, exist_ok=True)
    made_by = model.fingerprint if coverage is None else f"{model.fingerprint}, coverage {coverage:g}"
    done = _noted(folder, made_by)
    _note(
        folder, made_by, done
    )  # before the first part shows: whenever a run is killed, the folder is known as its own
    breaks: dict[str, int] = {}
    skipped = 0
    for part in parts:
        target = folder / part.name
        if done.get(part.name) == _stamp(part) and target.exists():
            skipped += 1
            continue
        _score(model, part, target, breaks, coverage)
        done[part.name] = _stamp(part)
        _note(folder, made_by, done)
    return Batched(str(folder), len(parts), sum(part.n_rows for part in parts), skipped, breaks)


def _score(model: Predictor, part: Part, target: Path, breaks: dict[str, int], coverage: float | None) -> None:
    if part.path is not None and target.resolve() == part.path.resolve():
        raise UnwritableOutput("a batch leaves its input as it is", where=str(target), fix="give another folder")
    with appending(target) as append:
        for frame in chunks(part, rows_at_once=ROWS_AT_ONCE):
            scores, found = model.scores(frame)
            answers = model.answers(scores)
            append(answers if coverage is None else answers.hstack(model.bounds(scores, coverage)))
            for b in found:
                key = f"{b.column}: {b.rule}"
                breaks[key] = breaks.get(key, 0) + b.n_rows


def _stamp(part: Part) -> list[int]:
    return [*part.stamp, part.n_rows]


def _noted(folder: Path, fingerprint: str) -> dict[str, list[int]]:
    """Return what is done, or raise where the folder is another package's or holds other things."""
    path = folder / NOTE
    if path.exists():
        data = json.loads(path.read_text())
        if data.get("fingerprint") == fingerprint:
            return dict(data["done"])
        got = "the parts of another package"
    elif any(not p.name.startswith(".") for p in folder.iterdir()):
        got = "other files"
    else:
        return {}
    raise UnwritableOutput("a batch has a folder of its own", where=str(folder), got=got, fix="give another folder")


def _note(folder: Path, fingerprint: str, done: dict[str, list[int]]) -> None:
    beside = folder / f".{NOTE}"
    with beside.open("w") as file:
        json.dump({"fingerprint": fingerprint, "done": done}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / NOTE)
