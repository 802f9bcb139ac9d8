"""A run stays under the memory it was given, by reckoning before a fit and by watching while it goes on."""

import json
import subprocess
import sys
import threading
import time

import numpy as np
import polars as pl
import pytest

from modelwright.core.errors import OutOfMemory
from modelwright.search.memory import Memory, held_bytes, peak_bytes


def test_the_system_says_what_is_held():
    before = held_bytes()
    block = np.ones(30_000_000)
    assert held_bytes() - before > 200_000_000
    assert peak_bytes() >= held_bytes() * 0.9
    del block


def test_there_is_room_without_a_limit():
    memory = Memory(None)
    assert not memory.is_scarce()
    with memory.room_for(10**15, "any"):
        pass


def test_a_fit_that_is_too_large_is_refused():
    memory = Memory(held_bytes() + 50_000_000)
    with pytest.raises(OutOfMemory, match="MB held"), memory.room_for(500_000_000, "large"):
        pass
    assert Memory(held_bytes()).is_scarce()


def test_a_fit_waits_until_another_gives_back():
    # The first one's room is only reserved, so the second would pass at once: it is the block that is waited for.
    block = [np.ones(40_000_000)]
    memory = Memory(held_bytes() + 100_000_000)
    seen = []

    def first():
        with memory.room_for(1, "first"):
            time.sleep(0.4)
            block.clear()
        seen.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    time.sleep(0.1)
    with memory.room_for(300_000_000, "second"):
        seen.append("second")
    thread.join()
    assert seen[0] == "first"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_the_peak_stays_under_the_limit(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(15_000, 30)).astype(np.float32).round(3)
    target = np.where(x[:, 0] + rng.normal(size=len(x)) > 0, "p", "q")
    frame = pl.DataFrame(x, schema=[f"c{i}" for i in range(30)]).with_columns(y=pl.Series(target))
    frame.write_csv(tmp_path / "t.csv")
    words = [sys.executable, "-m", "modelwright.ui", "train", "t.csv", "--target", "y", "--effort", "2", "--json"]
    words += ["--memory", "700MB", "--out", "m.model", "--threads", "2"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert "error" not in told, told
    assert told["peak_memory_bytes"] <= 700_000_000
