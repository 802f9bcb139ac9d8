"""Texts: read word by word, only counted, or left out, by what they tell."""

import numpy as np
import polars as pl

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.run import Run
from modelwright.core.task import Task, TaskKind
from modelwright.flows.builtin import catalogue
from modelwright.search.audition import with_texts
from modelwright.search.problem import Material, Problem


def auditioned(target, columns) -> tuple[Material, Material]:
    """Return the material before and after."""
    kinds = {name: Kind.NUMBER if values.dtype.kind == "f" else Kind.TEXT for name, values in columns.items()}
    contract = Contract(tuple(Column(name, kind) for name, kind in kinds.items()))
    task = Task(TaskKind.REGRESSION, "y", "rmse")
    material = Material.prepare(Problem(pl.DataFrame(columns), target, None, contract, task))
    run = Run(catalogue(), lambda: 0.0, 0.0, None, 1, threads=2)
    return material, with_texts(material, run, round_seconds=0.001, search_seconds=60.0)


WORDS = np.array(["red", "green", "blue", "round", "square", "heavy", "light", "old", "new", "small", "large", "soft"])


def sentences(rng, n: int) -> np.ndarray:
    return np.array([" ".join(words) for words in rng.choice(WORDS, (n, 4))])


def test_texts_are_read_counted_or_left_out_by_what_they_tell():
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 12, 900)
    x = {
        "a": rng.normal(size=900),
        "idle": sentences(rng, 900),
        "long": np.array([" ".join(rng.choice(WORDS, n)) for n in lengths]),
        "told": sentences(rng, 900),
    }
    target = x["a"] + 0.5 * lengths + 2.0 * np.char.count(x["told"], "heavy") + rng.normal(size=900)
    before, after = auditioned(target, x)
    crafts = {s.column: s.craft for s in after.recipe.steps}
    assert {s.craft for s in before.recipe.steps if s.column != "a"} == {"text"}
    assert crafts == {"a": "number", "long": "text_counts", "told": "text"}
    assert [s.column for s in after.recipe.encoded] == ["told"]
    assert not any(f.source == "idle" for f in after.base.features)


def test_a_text_is_counted_where_there_is_nothing_else():
    rng = np.random.default_rng(4)
    _, after = auditioned(rng.normal(size=900), {"idle": sentences(rng, 900), "still": sentences(rng, 900)})
    assert {s.column for s in after.recipe.steps} == {"idle", "still"}
