"""Traits: what is counted of a column, in bins that the reference rows fix once.

Every statistic of monitoring is a function of these counts, so a window of a million rows is kept as a few
hundred integers, windows are pooled by adding, and no row is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.contract import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Column, Contract

INNER_BINS = 48
"""Bins between the smallest and the largest reference value; more tell no more of location, spread and shape."""
LEVELS_COUNTED = 12
"""Frequent levels that are watched one by one; the others are watched together."""
LEVEL_ROWS_LEAST = 20
TEXT_ROWS_MOST = 20_000
"""Texts of a window that are split into words; more cost time and change the shares little."""
VOCABULARY = 5_000


CELLS = 8_192
"""Narrow cells in which bins are looked up."""
EDGES_MOST = 4
"""In one cell; with more, halving the edges again and again is quicker."""


class Form(StrEnum):
    """How a trait's values are binned."""

    NUMBERS = "numbers"
    LEVELS = "levels"


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing that is counted.

    The bins of numbers: below all reference values, the stretches between the edges, above all; those of levels:
    the frequent ones, the other known ones, those never seen. The last bin of both counts missing values.

    Attributes:
        name: Shown to people.
        column: Where it comes from, or empty for what is no column.
        form: Numbers or levels.
        edges: Of numbers, rising.
        levels: The levels counted one by one.
        known: All levels of the reference.
    """

    name: str
    column: str
    form: Form
    edges: Floats | None = None
    levels: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()

    @property
    def n_bins(self) -> int:
        """How many bins there are, that of missing values included."""
        return len(self.levels) + 3 if self.edges is None else len(self.edges) + 2

    def count(self, values: pl.Series | Floats) -> Ints:
        """Return how many values fall into each bin."""
        return np.bincount(self.codes(values), minlength=self.n_bins)

    def codes(self, values: pl.Series | Floats) -> Ints:
        """Return the bin of each value, shape (n,)."""
        if self.edges is None:
            return self._codes_of_levels(pl.Series(values))
        numbers = _as_numbers(values)
        codes = bins(self.edges, numbers)
        codes[np.isnan(numbers)] = self.n_bins - 1
        return codes

    def _codes_of_levels(self, values: pl.Series) -> Ints:
        n, n_rows = len(self.levels), values.len()
        counted = {level: i for i, level in enumerate(self.levels)}
        # Few distinct levels among many rows: polars numbers them, and each is looked up where it is seen first.
        numbers = values.cast(pl.Categorical(pl.Categories.random())).to_physical()
        numbers = numbers.fill_null(n_rows) if numbers.null_count() else numbers
        places = numbers.to_numpy()
        first = np.full(n_rows + 1, -1)
        first[places[::-1]] = np.arange(n_rows)[::-1]
        seen = np.flatnonzero(first[:n_rows] >= 0)
        codes = np.full(n_rows + 1, n + 2)
        codes[seen] = [counted.get(v, n if v in self.known else n + 1) for v in values.gather(first[seen]).to_list()]
        found: Ints = codes[places]
        return found


def bins(edges: Floats, values: Floats) -> Ints:
    """Return ``np.searchsorted(edges, values, side="right")``, several times quicker for many values.

    Values fall into narrow cells of equal width; few cells hold an edge, and only its side is left to look up. Where
    a value or an edge lands is one rising function of it, so rounding cannot put the two on the wrong sides.

    Args:
        edges: Rising, two or more.
        values: Any numbers; what is said of NaN has no meaning.
    """
    with np.errstate(over="ignore"):
        scale = CELLS / (edges[-1] - edges[0])
    if len(values) < CELLS // 8 or not 0 < scale < np.inf:
        return np.searchsorted(edges, values, side="right")

    def cells(numbers: Floats) -> Ints:
        with np.errstate(over="ignore", invalid="ignore"):
            places: Ints = np.fmax(np.fmin((numbers - edges[0]) * scale, CELLS - 1), 0).astype(np.int64)
        return places

    of_edges = cells(edges)
    most = int(np.bincount(of_edges).max())
    if most > EDGES_MOST:  # a long tail: nearly all is in the first cells
        return np.searchsorted(edges, values, side="right")
    ends = np.append(of_edges + 1, CELLS)
    before = np.repeat(np.arange(len(edges) + 1), np.diff(ends, prepend=0))
    found: Ints = before[cells(values)]
    beyond = np.append(edges, np.nan)  # nothing is at or above NaN
    for _ in range(most):
        found += values >= beyond[found]
    return found


def _as_numbers(values: pl.Series | Floats) -> Floats:
    if isinstance(values, pl.Series):
        return values.cast(pl.Float64).to_numpy()  # missing values as NaN
    return np.asarray(values, dtype=np.float64)


def numbers_trait(name: str, values: pl.Series | Floats, column: str = "") -> Trait:
    """Return the trait of numbers, its edges at equal shares of the reference values."""
    present = _as_numbers(values)
    present = np.sort(present[~np.isnan(present)])
    if not len(present):
        return Trait(name, column, Form.NUMBERS, edges=np.array([0.0, np.nextafter(0.0, 1.0)]))
    shares = np.linspace(0, len(present) - 1, INNER_BINS + 1)[:-1].astype(np.int64)
    edges = np.unique(np.append(present[shares], np.nextafter(present[-1], np.inf)))
    return Trait(name, column, Form.NUMBERS, edges=edges)


def levels_trait(name: str, values: pl.Series, column: str = "") -> Trait:
    """Return the trait of levels, the frequent ones by falling count."""
    counted = values.drop_nulls().alias("level").value_counts(name="count")
    ranked = sorted(counted.rows(), key=lambda row: (-row[1], row[0]))
    frequent = tuple(level for level, count in ranked[:LEVELS_COUNTED] if count >= LEVEL_ROWS_LEAST)
    return Trait(name, column, Form.LEVELS, levels=frequent, known=frozenset(level for level, _ in ranked))


@dataclass(frozen=True, slots=True)
class Watched:
    """The columns that are watched, and how their cells become values of traits.

    Attributes:
        columns: Of the contract, in its order.
        vocabulary: Words of the reference by text column.
    """

    columns: tuple[Column, ...]
    vocabulary: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, contract: Contract, frame: pl.DataFrame) -> Watched:
        """Return what can be watched of conformed reference rows: the features, but not time itself."""
        there = set(frame.columns)
        kept = tuple(c for c in contract.features if c.name in there and c.role is not Role.TIME)
        words = {c.name: _vocabulary(frame[c.name]) for c in kept if c.kind is Kind.TEXT}
        return cls(kept, words)

    def values(self, frame: pl.DataFrame) -> dict[tuple[str, str], pl.Series]:
        """Return the series to count by (name, column)."""
        found: dict[tuple[str, str], pl.Series] = {}
        for column in self.columns:
            series = frame[column.name]
            if column.kind is Kind.DATETIME:
                found |= _of_dates(column.name, series)
            elif column.kind is Kind.TEXT:
                found |= _of_texts(column.name, series, self.vocabulary[column.name])
            else:
                found[column.name, column.name] = series
        return found

    def traits(self, values: Mapping[tuple[str, str], pl.Series]) -> tuple[Trait, ...]:
        """Return the traits, their bins fixed by these reference values."""
        return tuple(
            numbers_trait(name, s, column) if s.dtype.is_numeric() else levels_trait(name, s, column)
            for (name, column), s in values.items()
        )


def _of_dates(name: str, series: pl.Series) -> dict[tuple[str, str], pl.Series]:
    """Return weekday and hour: a date itself moves on with time, and that is no drift."""
    moments = (series * 1e6).cast(pl.Int64).cast(pl.Datetime("us"))
    parts = {"weekday": moments.dt.weekday(), "hour": moments.dt.hour()}
    return {(f"{name} ({part})", name): s.cast(pl.Float64) for part, s in parts.items()}


def _of_texts(name: str, series: pl.Series, vocabulary: frozenset[str]) -> dict[tuple[str, str], pl.Series]:
    length = series.str.len_chars().cast(pl.Float64)
    some = series if series.len() <= TEXT_ROWS_MOST else series.gather_every(series.len() // TEXT_ROWS_MOST + 1)
    words = pl.DataFrame({"text": some}).with_row_index("row").select("row", word=_words(pl.col("text")))
    words = words.explode("word")
    known = pl.Series(list(vocabulary), dtype=pl.String)
    unseen = (
        words.with_columns(unseen=~pl.col("word").is_in(known.implode())).group_by("row").agg(pl.col("unseen").mean())
    )
    share = unseen.sort("row")["unseen"].cast(pl.Float64)
    return {(f"{name} (length)", name): length, (f"{name} (unseen words)", name): share}


def _words(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.extract_all(r"\w+")


def _vocabulary(series: pl.Series) -> frozenset[str]:
    words = pl.DataFrame({"text": series}).select(word=_words(pl.col("text"))).explode("word")["word"].drop_nulls()
    top = words.value_counts(sort=True).head(VOCABULARY)
    return frozenset(top["word"].to_list())


def coarse(counts: Ints, trait: Trait, n_groups: int = 10) -> Ints:
    """Return the counts of a trait in about ten bins of like reference share (levels stay as they are)."""
    if trait.edges is None or trait.n_bins <= n_groups + 3:
        return counts
    inner = np.array_split(np.arange(1, trait.n_bins - 2), n_groups)
    parts: Sequence[Ints] = [np.arange(1), *inner, np.arange(trait.n_bins - 2, trait.n_bins - 1)]
    return np.array([*(counts[p].sum() for p in parts), counts[-1]])
