import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.errors import InvalidPackage
from modelwright.core.state import State
from modelwright.features._craft import singles
from modelwright.features.arithmetic import SIGNS, Arithmetic

ALL = Arithmetic(tuple((operation, "a", "b") for operation in SIGNS))
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


def filled(craft: Arithmetic, a: list, b: list) -> np.ndarray:
    frame = pl.DataFrame({"a": pl.Series(a, dtype=pl.Float64), "b": pl.Series(b, dtype=pl.Float64)})
    out = np.empty((frame.height, len(craft.features)), dtype=np.float32)
    craft.fill(frame, out)
    return out


def test_the_four_operations():
    assert filled(ALL, [6.0], [4.0])[0].tolist() == [10.0, 2.0, 24.0, 1.5]
    assert [f.name for f in ALL.features] == ["a + b", "a − b", "a × b", "a ÷ b"]
    assert {(f.source, f.other) for f in ALL.features} == {("a", "b")}


def test_what_is_not_known_is_missing():
    assert np.isnan(filled(ALL, [None, 1.0], [1.0, None])).all()
    assert np.isnan(filled(ALL, [1.0], [0.0])[0, 3])
    assert np.isfinite(filled(ALL, [1e308], [-1e308])).all()


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS)
def test_one_record_is_worked_out_as_in_a_batch(a, b):
    alone = singles(np.array(ALL.cell({"a": 0, "b": 1})([a, b]), dtype=np.float64))
    assert np.array_equal(alone, filled(ALL, [a], [b])[0], equal_nan=True)


def test_it_travels_and_refuses_what_it_does_not_know():
    assert Arithmetic.restore(ALL.state()) == ALL
    with pytest.raises(InvalidPackage):
        Arithmetic.restore(State("arithmetic", {"terms": [["__import__", "a", "b"]]}))
