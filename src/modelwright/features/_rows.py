"""Records: the crafts compiled into one function from dicts to numbers, without a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from modelwright.features._craft import singles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.arrays import Singles
    from modelwright.features._craft import Cell, CellCraft, Craft, TextCraft, Value

    Records = Sequence[Mapping[str, object]]

KNOWN_MAX, KNOWN_LENGTH_MAX = 2_000, 64
"""So many texts of a column, and texts so long, are remembered with what they were read as."""


def compile_rows(
    readers: Mapping[str, Callable[[object], Value]], crafts: Sequence[Craft]
) -> Callable[[Records], Singles]:
    """Return the function from records to float32 values, shape (n_records, n_features).

    Args:
        readers: What turns a raw value into its canonical one, by column, in the order of reading.
        crafts: In the order of their features.
    """
    places = {name: i for i, name in enumerate(readers)}
    cells: list[Cell] = []
    texts: list[tuple[slice, int, Any]] = []
    at: list[int] = []
    start = 0
    for craft in crafts:
        width = len(craft.features)
        if hasattr(craft, "encode"):
            text = cast("TextCraft", craft)
            texts.append((slice(start, start + width), places[text.column], text.encode))
        else:
            cells.append(cast("CellCraft", craft).cell(places))
            at.extend(range(start, start + width))
        start += width
    read = _reading(readers, cells)
    if not texts:
        return lambda records: read(records)[0]

    def encode(records: Records) -> Singles:
        numbers, canonical = read(records)
        values = np.empty((len(records), start), dtype=np.float32)
        values[:, at] = numbers
        for columns, place, encode_texts in texts:
            values[:, columns] = singles(encode_texts([cast("str | None", row[place]) for row in canonical]))
        return values

    return encode


class _Known(dict[str, "Value"]):
    """What texts of one column were read as; the same few come again and again."""

    def __init__(self, read: Callable[[object], Value]) -> None:
        self._read = read

    def __missing__(self, text: str) -> Value:
        value = self._read(text)
        if len(self) < KNOWN_MAX and len(text) <= KNOWN_LENGTH_MAX:  # strangers' texts must not fill the memory
            self[text] = value
        return value


def _reading(readers: Mapping[str, Callable[[object], Value]], cells: Sequence[Cell]) -> Any:
    """Return the function from records to the cells' features and the canonical values."""
    cuts = [(name, _Known(read), read) for name, read in readers.items()]
    width = sum(len(cell([None] * len(cuts))) for cell in cells)

    def read(records: Records) -> tuple[Singles, list[list[Value]]]:
        canonical, rows = [], []
        for record in records:
            get = record.get
            values = [known[v] if type(v := get(name)) is str else read_value(v) for name, known, read_value in cuts]
            row: list[Value] = []
            for cell in cells:
                row += cell(values)
            canonical.append(values)
            rows.append(row)
        # None becomes NaN here.
        return singles(np.array(rows, dtype=np.float64).reshape(len(rows), width)), canonical

    return read
