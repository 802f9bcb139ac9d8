"""The words of a text that move an answer are found, and only those."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.flows._words import words_that_move
from modelwright.learners.reasons import LOG_ODDS


def asked(text, label=1, space="probability"):
    """Return what moves a model that counts good and bad words."""

    def scores(frame):
        texts = frame["note"].to_list()
        odds = np.array([t.lower().count("free") * 2.0 - t.lower().count("meeting") for t in texts])
        p = 1 / (1 + np.exp(-odds))
        return np.column_stack([1 - p, p])

    contract = Contract((Column("note", Kind.TEXT), Column("n", Kind.NUMBER)))
    model = SimpleNamespace(contract=contract, scores=scores)
    row = SimpleNamespace(frame=pl.DataFrame({"note": [text], "n": [1.0]}, schema={"note": pl.String, "n": pl.Float64}))
    return words_that_move(model, row, label, space)


def test_words_are_ranked_by_what_they_move():
    found = asked("Free lunch before the meeting", space=LOG_ODDS)
    assert [(w["word"], round(w["adds"], 6)) for w in found] == [("Free", 2.0), ("meeting", -1.0)]
    assert asked("Free lunch", label=0)[0]["adds"] < 0 < asked("Free lunch")[0]["adds"]


@pytest.mark.parametrize("text", [None, "", "...", "nothing of note"])
def test_texts_that_say_nothing_have_no_words(text):
    assert asked(text) == []


def test_words_are_left_out_wherever_they_stand_but_not_inside_others():
    found = asked("free freedom free", space=LOG_ODDS)
    assert {w["word"]: round(w["adds"], 6) for w in found} == {"free": 4.0, "freedom": 2.0}
