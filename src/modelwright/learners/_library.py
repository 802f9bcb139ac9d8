"""LightGBM's C library by its functions, without the Python package, whose import takes two seconds."""

from __future__ import annotations

import ctypes
import threading
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidPackage, MissingLibrary
from modelwright.core.machine import cores

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats

RAW_SCORE, LEAF_INDEX, ALL_ROUNDS, ROW_MAJOR = 1, 2, -1, 1
SINGLE, DOUBLE = 0, 1
ALL_THREADS = b"num_threads=0 verbosity=-1"
"""As many threads as ``use_threads`` allows: no call may ask for another number, see there."""


@cache
def library() -> ctypes.CDLL:
    """Return the library, loaded once."""
    spec = find_spec("lightgbm")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    for name in ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll"):
        if spec and (folder / name).exists():
            found = _declare(ctypes.CDLL(str(folder / name)))
            found.LGBM_SetMaxThreads(cores())
            return found
    raise MissingLibrary("trees are predicted by LightGBM's library", where="lightgbm", fix="pip install lightgbm")


def use_threads(n: int) -> None:
    """Have LightGBM use so many threads from now on, in every call of this process.

    The library keeps one number for all that runs in a process and reads it anew while it works: a call that changes
    it while a fit is under way in another thread has that fit write beyond its buffers. So no call names a number of
    its own, fits included, and this is called only while none is under way.
    """
    _allowed[0] = max(n, 1)
    library().LGBM_SetMaxThreads(_allowed[0])


def threads_allowed() -> int:
    """Return how many threads ``use_threads`` allowed last; all cores before it was called."""
    return _allowed[0] or cores()


_allowed = [0]


def _declare(found: ctypes.CDLL) -> ctypes.CDLL:
    """Tell ctypes the types of the arguments: a call with a wrong one then fails in Python, not in C."""
    size, handle, length = ctypes.c_int32, c_void_p, POINTER(c_int64)
    kinds: dict[str, tuple[Any, ...]] = {
        "BoosterLoadModelFromString": (c_char_p, POINTER(c_int), POINTER(handle)),
        "BoosterFree": (handle,),
        "FastConfigFree": (handle,),
        "BoosterPredictForMat": (
            *(handle, c_void_p, c_int, size, size, c_int),
            *(c_int, c_int, c_int, c_char_p, length, c_void_p),
        ),
        "BoosterPredictForMatSingleRowFastInit": (handle, *[c_int] * 4, size, c_char_p, POINTER(handle)),
        "BoosterPredictForMatSingleRowFast": (handle, c_void_p, length, c_void_p),
    }
    for name, arguments in kinds.items():
        getattr(found, f"LGBM_{name}").argtypes = arguments
    found.LGBM_GetLastError.restype = c_char_p
    return found


class _Desk(threading.local):
    """Each thread's own place for a row and its answer; finding an array's address anew takes microseconds."""

    def __init__(self, n_features: int, width: int) -> None:
        self.row, self.answer = np.empty(n_features, dtype=np.float32), np.empty((1, width))
        self.row_address, self.answer_address = self.row.ctypes.data, self.answer.ctypes.data
        self.length = byref(c_int64())


class Engine:
    """One model inside the library; frees it when it is no longer used.

    Args:
        text: A model text that was checked: the library trusts what it reads.
        n_features: Columns of every matrix.
        width: Answers per row: margins, or as many as trees to get the leaf that a row reaches in each.
        wants_leaves: Whether leaves are asked for.
    """

    def __init__(self, text: bytes, n_features: int, width: int, *, wants_leaves: bool = False) -> None:
        self._library = library()
        self._model, self._one_row = c_void_p(), c_void_p()
        self.n_features, self.width = n_features, width
        self._asked = LEAF_INDEX if wants_leaves else RAW_SCORE
        self._call("LGBM_BoosterLoadModelFromString", text, byref(c_int()), byref(self._model))
        init = (self._model, self._asked, 0, ALL_ROUNDS, SINGLE, n_features, ALL_THREADS)
        self._call("LGBM_BoosterPredictForMatSingleRowFastInit", *init, byref(self._one_row))
        self._own = _Desk(n_features, self.width)
        self._predict_one = self._library.LGBM_BoosterPredictForMatSingleRowFast

    def answer(self, values: Array) -> Floats:
        """Return (n_rows, width) margins or leaf numbers for float32 or float64 rows in C order."""
        if len(values) == 1 and values.dtype == np.float32:
            return self._answer_one(values[0])
        out = np.empty((len(values), self.width))
        if len(values):
            kind = SINGLE if values.dtype == np.float32 else DOUBLE
            shape = (len(values), self.n_features, ROW_MAJOR)
            how = (self._asked, 0, ALL_ROUNDS, ALL_THREADS, byref(c_int64()), out.ctypes.data)
            self._call("LGBM_BoosterPredictForMat", self._model, values.ctypes.data, kind, *shape, *how)
        return out

    def _answer_one(self, row: Array) -> Floats:
        return self._asked_one(row).copy()

    def one(self, row: Array) -> float:
        """Return the margin of one row, shape (n_features,), of a model with one margin."""
        return self._asked_one(row).item()

    def _asked_one(self, row: Array) -> Floats:
        """Return this thread's own answer, which the next row overwrites."""
        own = self._own
        own.row[:] = row
        if self._predict_one(self._one_row, own.row_address, own.length, own.answer_address):
            self._fail()
        return own.answer

    def _call(self, name: str, *arguments: object) -> None:
        if getattr(self._library, name)(*arguments):
            self._fail()

    def _fail(self) -> None:
        reason = c_char_p(self._library.LGBM_GetLastError()).value or b""
        raise InvalidPackage(
            "a model of trees is one that LightGBM reads",
            where="trees",
            got=reason.decode(errors="replace")[:200],
            fix="take the package from where it was written, or train again",
        )

    def __del__(self) -> None:
        if getattr(self, "_one_row", None):
            self._library.LGBM_FastConfigFree(self._one_row)
        if getattr(self, "_model", None):
            self._library.LGBM_BoosterFree(self._model)
