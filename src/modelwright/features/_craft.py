"""What every craft of a plan does, and the checks that all of them share when they are restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from modelwright.core.errors import InvalidPackage, ModelwrightError
from modelwright.core.matrix import Feature

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Array, Singles
    from modelwright.core.state import State

Value = float | str | None
"""A canonical value: a float for numeric kinds, text for the others, None when missing."""

Cell = Callable[[Sequence[Value]], Sequence[Value]]
"""From the canonical values of one record to the features of one craft."""

LARGEST = 3.4e38
"""Numbers are held within ± this: float32 ends shortly above it."""


class Craft(Protocol):
    """A fitted step: from one or more columns to features, for a frame or for one record."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features it makes."""
        ...

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the features of a conformed frame into ``out``, shape (n_rows, n_features), NaN where missing."""
        ...

    def state(self) -> State:
        """Return what is needed to do the same again."""
        ...


class CellCraft(Craft, Protocol):
    """A craft that works record by record."""

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function for one record, given where each column stands among its values."""
        ...


class TextCraft(Craft, Protocol):
    """A craft that works on several texts at a time."""

    @property
    def column(self) -> str:
        """The column of texts."""
        ...

    def encode(self, texts: Sequence[str | None]) -> Array:
        """Return the features of these texts, shape (n_texts, n_features)."""
        ...


def singles(values: Array) -> Singles:
    """Return the values as float32; those beyond its range become ±3.4e38.

    >>> float(singles(np.array([1e300]))[0]) < np.inf
    True
    """
    if values.dtype == np.float32:
        return values  # type: ignore[return-value]
    # For one row np.clip costs more than all else here.
    return np.minimum(np.maximum(values, -LARGEST), LARGEST).astype(np.float32)


def blocks(crafts: Sequence[Craft], frame: pl.DataFrame) -> Singles:
    """Return the features of all crafts side by side, float32 in C order."""
    widths = [len(craft.features) for craft in crafts]
    values: Singles = np.empty((frame.height, sum(widths)), dtype=np.float32)
    start = 0
    for craft, width in zip(crafts, widths, strict=True):
        craft.fill(frame, values[:, start : start + width])
        start += width
    return values


def distinct(features: Sequence[Feature], taken: Sequence[str] = ()) -> tuple[Feature, ...]:
    """Return the features with repeated or taken names told apart by a number.

    >>> [f.name for f in distinct([Feature("a", "a"), Feature("a", "b")])]
    ['a', 'a (2)']
    """
    seen = set(taken)
    named = []
    for feature in features:
        name, number = feature.name, 2
        while name in seen:
            name, number = f"{feature.name} ({number})", number + 1
        seen.add(name)
        named.append(replace(feature, name=name))
    return tuple(named)


def features_to_meta(features: Sequence[Feature]) -> list[list[Any]]:
    """Return features as JSON values."""
    return [[f.name, f.source, f.n_levels] for f in features]


def features_from_meta(meta: Any) -> tuple[Feature, ...]:
    """Return the features that ``features_to_meta`` wrote."""
    return tuple(Feature(str(name), str(source), int(n_levels)) for name, source, n_levels in meta)


@contextmanager
def sound(kind: str) -> Iterator[None]:
    """Turn whatever breaks while a state is restored into InvalidPackage."""
    try:
        yield
    except InvalidPackage:
        raise
    except (ModelwrightError, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise InvalidPackage(
            "the feature plan of a package is complete and fits together",
            where=kind,
            got=f"{type(error).__name__}: {error}",
            fix="write the package again from its training run",
        ) from error


def shaped(array: Any, shape: tuple[int, ...], dtype: type[np.generic], *, where: str) -> Any:
    """Return the array, or raise InvalidPackage when shape or type differ or it holds infinities."""
    fits = isinstance(array, np.ndarray) and array.shape == shape and array.dtype == dtype
    if not fits or np.isinf(array).any():
        raise InvalidPackage(
            f"this array has shape {shape}, type {np.dtype(dtype).name} and no infinite values",
            where=where,
            got=f"{getattr(array, 'shape', None)} {getattr(array, 'dtype', type(array).__name__)}",
            fix="write the package again from its training run",
        )
    return array
