"""The journal: what a race has finished, on disk, so that a killed run goes on where it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.fingerprint import fingerprint, plain
from modelwright.core.ports import Curve
from modelwright.learners.costs import Counts

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.core.arrays import Floats
    from modelwright.search.portfolio import Candidate
    from modelwright.search.trial import Tried


@dataclass(frozen=True, slots=True)
class Journal:
    """A folder with one entry per finished candidate; without a folder nothing is kept.

    Attributes:
        folder: Where entries lie; its name holds a fingerprint of data, options and folds, so that another
            question never meets these answers.
    """

    folder: Path | None = None

    @classmethod
    def open(cls, parent: Path | None, key: str) -> Journal:
        """Return the journal of one question; entries of other questions in the same parent are removed."""
        if parent is None:
            return cls()
        folder = parent / key
        if parent.exists():
            for other in parent.iterdir():
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def recall(self, candidate: Candidate) -> Tried | None:
        """Return a candidate that an earlier, interrupted run finished, or None."""
        if self.folder is None:
            return None
        from modelwright.search.trial import Tried

        stem = self.folder / fingerprint(candidate.name)
        try:
            entry = json.loads(stem.with_suffix(".json").read_bytes())
            predictions = np.load(stem.with_suffix(".npy"), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        if entry["predictions"] != fingerprint(predictions.tobytes()):
            return None
        shorter = self._shorter(stem, entry)
        curves = tuple(_curve(c) for c in entry["curves"])
        return Tried(
            replace(candidate, params=entry["params"]),
            predictions,
            entry["score"],
            tuple(entry["rounds"]),
            curves,
            entry["fit_seconds"],
            counts=Counts(**entry["counts"]) if entry.get("counts") else None,
            shorter=shorter,
            clocks=tuple(entry.get("clocks", ())),
        )

    def _shorter(self, stem: Path, entry: dict[str, Any]) -> dict[float, Floats]:
        """Return the predictions of the first trees; none where the file was not written whole."""
        try:
            stacked = np.load(stem.with_suffix(".cut.npy"), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return {}
        shares = entry.get("shares", [])
        return dict(zip(shares, stacked, strict=True)) if len(shares) == len(stacked) else {}

    def record(self, one: Tried) -> None:
        """Keep a finished candidate; the entry appears only when it is whole."""
        if self.folder is None:
            return
        stem = self.folder / fingerprint(one.candidate.name)
        if stem.with_suffix(".json").exists():
            return
        np.save(stem.with_suffix(".npy"), one.predictions, allow_pickle=False)
        if one.shorter:
            np.save(stem.with_suffix(".cut.npy"), np.stack(list(one.shorter.values())), allow_pickle=False)
        entry = {
            "name": one.candidate.name,
            "params": dict(one.candidate.params),
            "score": one.score,
            "rounds": one.rounds,
            "curves": one.curves,
            "fit_seconds": one.fit_seconds,
            "counts": None if one.counts is None else one.counts.to_dict(),
            "clocks": list(one.clocks),
            "shares": list(one.shorter),
            "predictions": fingerprint(one.predictions.tobytes()),
        }
        half = stem.with_suffix(".half")
        half.write_text(json.dumps(plain(entry)))
        half.replace(stem.with_suffix(".json"))

    def close(self) -> None:
        """Remove the folder: the run ended well and nothing is left to resume."""
        if self.folder is not None:
            forget(self.folder.parent)


def forget(parent: Path) -> None:
    """Remove all journals of a folder."""
    shutil.rmtree(parent, ignore_errors=True)


def _curve(entry: dict[str, Any]) -> Curve:
    unfolded: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Curve(**unfolded)
