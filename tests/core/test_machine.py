"""What the machine allows."""

import gc
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from modelwright.core.machine import TURN_SECONDS, ShortTurns, one_thread, uncollected


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def interrupted() -> None:
    with one_thread():
        assert threads() == {1}
        raise KeyboardInterrupt


def test_linear_algebra_has_one_thread_inside_and_as_many_as_before_afterwards():
    assert np.ones(2) @ np.ones(2) == 2  # its library is loaded
    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert threads() == {2}


def test_turns_are_short_until_the_last_who_asked_is_through():
    before = sys.getswitchinterval()
    first, second = ShortTurns(), ShortTurns()
    first.__enter__()
    with second:
        assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
        first.__exit__()
        assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)
    assert sys.getswitchinterval() == before


def test_garbage_is_looked_for_again_afterwards():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
