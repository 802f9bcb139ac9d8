"""The clerk waits out a ledger that is away; one works in a folder at a time."""

import threading
import time

import pytest

from modelwright.core.prediction import PredictionRecord
from modelwright.registry.ledger import open_ledger
from modelwright.registry.ledger_clerk import keep
from modelwright.registry.ledger_privacy import Privacy
from modelwright.registry.ledger_spool import Spool


def record(i, moment=None):
    return PredictionRecord(f"{i:032x}", time.time() if moment is None else moment, "m", "1", "f", {}, 1.0)


@pytest.mark.slow
def test_what_comes_while_the_ledger_is_away_is_carried_later(tmp_path):
    address, folder, said, over = tmp_path / "l" / "ledger.db", tmp_path / "spool", [], threading.Event()
    address.parent.mkdir()
    address.write_bytes(b"no database" * 100)  # away, in its way
    arguments = {"is_over": over.is_set, "say": said.append, "retain_days": 7}
    clerk = threading.Thread(target=keep, args=(address, folder, Privacy()), kwargs=arguments)
    clerk.start()
    spool = Spool(folder)
    spool.write([record(1), record(2), record(3, moment=0.0)])
    wait_for(lambda: len(said) == 1)
    address.unlink()
    wait_for(lambda: said[-1] == "the ledger is back")
    over.set()
    spool.close()
    clerk.join(10)
    ledger = open_ledger(address)
    assert ledger.count() == 2  # the third is older than what is kept
    ledger.close()


def wait_for(what, seconds=30.0):
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_second_clerk_waits(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    folder = tmp_path / "spool"
    folder.mkdir()
    with (folder / "clerk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        turns = iter([False, False, True])
        keep(tmp_path / "ledger.db", folder, Privacy(), is_over=lambda: next(turns), say=print)
        assert not (tmp_path / "ledger.db").exists()
