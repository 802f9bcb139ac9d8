"""Target encoding: levels become their mean target, texts a linear score, never by a row's own target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modelwright.core.errors import UnknownName, closest
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.state import State
from modelwright.features._craft import blocks, distinct, singles, sound
from modelwright.features._index import LevelIndex
from modelwright.features._means import level_means, out_of_fold
from modelwright.features._scores import Aim, Reading, TextScore
from modelwright.features.categories import Lookup, count_levels
from modelwright.features.crosses import Cross, crossed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.features._craft import Craft
    from modelwright.features.recipe import Recipe, Step

N_FOLDS = 5
"""Rows get the encoding learnt from the other four fifths of the rows it is fitted on."""

MAX_CLASSES = 10
"""With more labels than this only the most frequent ones are encoded."""

_CRAFTS: Mapping[str, Any] = {"lookup": Lookup, "cross": Cross, "text_score": TextScore}
_STEPS = ("target_mean", "target_score")


@dataclass(frozen=True)
class TargetEncoding:
    """What was learnt from the target: shrunk means of levels, linear scores of texts.

    Attributes:
        crafts: Fitted steps, in the recipe's order.
    """

    crafts: tuple[Craft, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it makes no features."""
        return not self.crafts

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features it makes."""
        return tuple(feature for craft in self.crafts for feature in craft.features)

    @classmethod
    def fit(
        cls,
        frame: pl.DataFrame,
        contract: Contract,
        recipe: Recipe,
        target: Array,
        *,
        n_classes: int,
        weight: Floats | None,
        seed: int,
    ) -> tuple[Self, Matrix]:
        """Return the encoding, and the matrix of these very rows, each encoded without its own target.

        Levels get their mean target (share of positives; share of each label, the ten most frequent ones at most),
        shrunk towards the overall mean by empirical Bayes; in a row's own encoding its target counts only in the
        overall mean, which all rows share. Missing is a level of its own; unseen levels get the overall mean.
        Texts get the log-odds (of two labels; otherwise the expected value) of a ridge-penalised linear model on
        their TF-IDF.

        Args:
            frame: Conformed rows, at least one.
            contract: What each column means.
            recipe: Its ``encoded`` steps are done.
            target: Shape (n_rows,): floats for regression, positions of labels otherwise.
            n_classes: Labels of the task, 0 for regression.
            weight: Row weights, positive, or None.
            seed: Of the five inner folds and of samples of texts.

        Raises:
            UnknownName: a step names no known craft.

        >>> import polars as pl
        >>> from modelwright.core.contract import Contract
        >>> from modelwright.features.recipe import Recipe, Step
        >>> rows, target = pl.DataFrame({"c": ["a"] * 9 + ["b"] * 9}), np.array([0] * 9 + [1] * 9)
        >>> recipe = Recipe((), (Step("c", "target_mean", ""),))
        >>> fitted = TargetEncoding.fit(rows, Contract(()), recipe, target, n_classes=2, weight=None, seed=0)[0]
        >>> fitted.matrix(pl.DataFrame({"c": ["b", "a", "new"]})).values.ravel().round(2)
        array([0.95, 0.05, 0.5 ], dtype=float32)
        """
        answers, labels = _spread(target, n_classes)
        weights = np.ones(len(target)) if weight is None else weight / weight.mean()
        folds = np.random.default_rng(seed).permutation(len(target)) % N_FOLDS
        taken = [column.name for column in contract.columns]
        crafts, columns = [], []
        for step in recipe.encoded:
            series = crossed(frame, step.column, step.other) if step.other else frame[step.column]
            names = [f"{series.name}.{step.craft}{label}" for label in labels]
            made = distinct([Feature(name, step.column, other=step.other) for name in names], taken)
            aim = Aim(series.name, made, answers, weights, is_odds=n_classes == 2)
            craft, encoded = _fit(step, series, aim, folds, seed=seed)
            crafts.append(craft)
            columns.append(singles(encoded))
        fitted = cls(tuple(crafts))
        values = np.hstack([np.zeros((len(target), 0), dtype=np.float32), *columns])
        return fitted, Matrix(np.ascontiguousarray(values), fitted.features)

    def matrix(self, frame: pl.DataFrame) -> Matrix:
        """Return the encoding of other rows than those it was fitted on, learnt from all of those."""
        return Matrix(blocks(self.crafts, frame), self.features)

    def state(self) -> State:
        """Return what is needed to do the same again."""
        parts = {f"craft_{i}": craft.state() for i, craft in enumerate(self.crafts)}
        return State("target_encoding", {"n_crafts": len(self.crafts)}, parts=parts)

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the encoding a state describes; a state that is not sound raises InvalidPackage."""
        with sound(state.kind):
            parts = [state.parts[f"craft_{i}"] for i in range(int(state.meta["n_crafts"]))]
            return cls(tuple(_CRAFTS[part.kind].restore(part) for part in parts))


def _spread(target: Array, n_classes: int) -> tuple[Floats, list[str]]:
    """Return answers, shape (n_rows, n_answers), and what is added to a feature's name for each."""
    if n_classes == 0:
        return np.asarray(target, dtype=np.float64)[:, np.newaxis], [""]
    if n_classes == 2:
        return (target == 1).astype(np.float64)[:, np.newaxis], [""]
    n_rows = np.bincount(target.astype(np.int64), minlength=n_classes)
    chosen = np.sort(np.argsort(-n_rows, kind="stable")[:MAX_CLASSES])
    return (target[:, np.newaxis] == chosen).astype(np.float64), [f"_{label}" for label in chosen]


def _fit(step: Step, series: pl.Series, aim: Aim, folds: Ints, *, seed: int) -> tuple[Craft, Floats]:
    """Return the craft of a step and the encodings of its own rows, out of fold."""
    match step.craft:
        case "target_mean" if step.other:
            table, encoded = _fit_means(series, aim, folds)
            return Cross(step.column, step.other, table), encoded
        case "target_mean":
            return _fit_means(series, aim, folds)
        case "target_score":
            return _fit_scores(series.to_list(), aim, folds, seed=seed)
        case _:
            raise UnknownName(
                "a step is done by a known craft", where=step.column, got=step.craft, fix=closest(step.craft, _STEPS)
            )


def _fit_means(series: pl.Series, aim: Aim, folds: Ints) -> tuple[Lookup, Floats]:
    levels, _ = count_levels(series)
    groups, n_groups = LevelIndex(levels).find(series), len(levels) + 2

    def means(rows: Ints) -> Floats:
        return level_means(groups[rows], n_groups, aim.answers[rows], aim.weight[rows])

    fitted = means(np.arange(len(groups)))

    def encode(fit: Ints, held: Ints) -> Floats:
        # The overall mean is that of all rows, one constant. That of the other folds would tell folds apart, and it
        # is high where a fold's own targets are low: on noise the area under the curve would be 0.48, not 0.50.
        table = means(fit)
        own: Floats = fitted[-2] + (table - table[-2])[groups[held]]
        return own

    table = singles(fitted)
    # Levels that say no more than unseen ones need not travel.
    telling = (table[:-2] != table[-2]).any(axis=1)
    kept = tuple(level for level, tells in zip(levels, telling, strict=True) if tells)
    lookup = Lookup(aim.column, aim.made, kept, table[np.append(telling, [True, True])])
    return lookup, out_of_fold(folds, len(aim.made), encode)


def _fit_scores(texts: list[str | None], aim: Aim, folds: Ints, *, seed: int) -> tuple[Craft, Floats]:
    reading = Reading.of(texts, seed=seed)

    def encode(fit: Ints, held: Ints) -> Floats:
        return reading.fit(fit, aim).encode([texts[row] for row in held])

    return reading.fit(np.arange(len(texts)), aim), out_of_fold(folds, len(aim.made), encode)
