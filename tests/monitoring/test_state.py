"""The state of watching: one acts, nothing is lost, nothing is told twice."""

import subprocess
import sys

import pytest

from modelwright.core.errors import WatchUnavailable
from modelwright.core.signal import Alarm
from modelwright.monitoring.state import WatchState


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def address(request, tmp_path):
    """A file, or an empty database of a real server."""
    if request.param == "sqlite":
        return str(tmp_path / "watch.db")
    return request.getfixturevalue("empty_database")


@pytest.fixture
def state(address, clock):
    opened = WatchState(address, clock)
    yield opened
    opened.close()


def alarm(name="a" * 16, columns=("x",)):
    return Alarm(name, "churn", 5.0, "x moved", (), columns)


def test_one_of_two_watchers_acts_until_its_lease_ends(state, clock):
    assert state.lease("churn", "one", 60)
    assert not state.lease("churn", "two", 60)
    assert state.lease("other", "two", 60)
    clock.now += 61
    assert state.lease("churn", "two", 60)
    assert not state.lease("churn", "one", 60)
    state.release("churn", "two")
    assert state.lease("churn", "one", 60)


def test_an_alarm_that_is_found_again_is_told_once(state):
    assert state.record("churn", [alarm()], ["log:"], {}) == ["a" * 16]
    assert state.record("churn", [alarm()], ["log:"], {}) == []
    assert len(state.due(["log:"])) == 1
    assert len(state.alarms("churn")) == 1


def test_a_message_is_tried_until_it_arrives(state, clock):
    state.record("churn", [alarm()], ["hook"], {})
    waits = []
    for _ in range(10):
        ((key, _, _),) = state.due(["hook"])
        assert state.due(["hook"]) == []  # claimed: nobody else tries it meanwhile
        state.failed(key, "no route")
        before = clock.now
        while not (again := state.due(["hook"])):
            clock.now += 15
        waits.append(clock.now - before)
        clock.now += 130  # the claim of the look above ends
        del again
    assert waits[0] <= 45
    assert waits[-1] == 3600
    assert state.undelivered() == 1
    ((key, _, _),) = state.due(["hook"])
    state.delivered(key)
    assert state.undelivered() == 0


def test_nothing_is_due_where_nothing_goes(state):
    state.record("churn", [alarm()], ["hook"], {})
    assert state.due([]) == []


def test_a_claim_of_a_watcher_that_died_is_taken_over(state, clock):
    state.record("churn", [alarm()], ["hook"], {})
    assert len(state.due(["hook"])) == 1
    clock.now += 121
    assert len(state.due(["hook"])) == 1


def test_silence_and_acknowledgement(state, clock):
    state.silence("churn", "x", 100)
    state.record("churn", [alarm()], ["hook"], {})
    assert state.due(["hook"]) == []
    state.record("churn", [alarm("b" * 16, ("x", "y"))], ["hook"], {})
    assert len(state.due(["hook"])) == 1
    assert state.acknowledge("aaaaaa", "ada")
    assert not state.acknowledge("aaa", "ada")
    assert not state.acknowledge("cccccc", "ada")
    assert not state.acknowledge("%%%%%%", "ada")
    assert [a["acknowledged_by"] for a in state.alarms()] == ["ada", None]


def test_counts_plans_and_marks_are_kept_once(state):
    for n in (1, 2):
        state.keep_tally("key", 86_400.0, n, b"\x00%d" % n)
        state.keep_plan("key", {"threshold": n})
        state.mark("key", n * 2**40)
    assert state.tallies("key") == ({86_400.0: (2, b"\x002")}, 2 * 2**40)
    assert state.tallies("another") == ({}, 0)
    assert state.plan("key") == {"threshold": 2}
    state.mark("key", 5, gone=[86_400.0])
    assert state.tallies("key") == ({}, 5)


def test_a_state_that_cannot_be_reached_is_said(tmp_path):
    with pytest.raises(WatchUnavailable, match=r"postgresql://me:\*\*\*@"):
        WatchState(f"postgresql://me:secret@/watch?host={tmp_path}")


def test_what_was_over_before_anyone_looked_is_no_news(state):
    over = Alarm("c" * 16, "churn", 5.0, "x moved", (), ("x",), ended=9.0)
    assert state.record("churn", [over], ["hook"], {}) == ["c" * 16]
    assert state.due(["hook"]) == []
    assert state.alarms()[0]["ended"] == 9.0


KILLED = """
import os, signal, sys
from modelwright.core.errors import WatchUnavailable
from modelwright.core.signal import Alarm
from modelwright.monitoring.state import WatchState
state = WatchState(sys.argv[1])
with state._tables.writing() as db:
    db.execute("INSERT INTO modelwright_alarms (id, model, time, body) VALUES ('half', 'churn', 1.0, '{}')")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_nothing_half_written(address):
    WatchState(address).close()
    done = subprocess.run([sys.executable, "-c", KILLED, address], check=False)
    assert done.returncode == -9
    opened = WatchState(address)
    assert opened.alarms() == []
    assert opened.record("churn", [alarm()], ["hook"], {}) == ["a" * 16]
    opened.close()
