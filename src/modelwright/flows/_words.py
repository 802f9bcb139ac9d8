"""Words: of a free text, which of its words move the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.contract import Kind
from modelwright.learners.reasons import LOG_ODDS

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.model import Model
    from modelwright.flows._known_rows import Rows

WORDS_MOST, TOLD = 150, 5
_WORD = re.compile(r"\w+")


def words_that_move(model: Model, row: Rows, label: int | None, space: str) -> list[dict[str, Any]]:
    """Return the words of a row's texts without which the answer would be another, most first.

    Each word is left out by itself, wherever it stands in its text, and the model is asked again. Words work
    together, so what they move does not add up to the text's own reason.

    Args:
        model: Answers.
        row: One row.
        label: Whose probability is looked at; None for values.
        space: What reasons add up to.

    Returns:
        Entries with ``column``, ``word`` and ``adds``: the answer less the answer without the word.
    """
    texts = [c.name for c in model.contract.inputs if c.kind is Kind.TEXT and row.frame[c.name][0] is not None]
    found: list[dict[str, Any]] = []
    for name in texts:
        text = str(row.frame[name][0])
        words = list(dict.fromkeys(_WORD.findall(text)))[:WORDS_MOST]
        if not words:
            continue
        without = [text, *(re.sub(rf"\b{re.escape(word)}\b", " ", text) for word in words)]
        frame = row.frame[np.zeros(len(without), dtype=np.int64)].with_columns(pl.Series(name, without))
        answers = _answers(model.scores(frame), label, space)
        moved = answers[0] - answers[1:]
        found += [{"column": name, "word": w, "adds": float(m)} for w, m in zip(words, moved, strict=True) if m != 0]
    return sorted(found, key=lambda e: -abs(e["adds"]))[:TOLD]


def _answers(scores: Floats, label: int | None, space: str) -> Floats:
    answers = scores if label is None else scores[:, label]
    if space != LOG_ODDS:
        return answers
    inside = np.clip(answers, 1e-15, 1 - 1e-15)
    return np.asarray(np.log(inside / (1 - inside)))
