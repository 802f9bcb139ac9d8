"""One job at a time: claimed by one process, renewed while it works, taken up by another when it dies."""

from __future__ import annotations

import threading

import pytest

from modelwright.core.errors import NotAllowed
from modelwright.registry.jobs import Job, Jobs

JOB = Job("1", "churn", "retrain", {"champion": 1})


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def pair(registry, seconds: float = 10.0):
    clock = Clock()
    return clock, *(Jobs(registry, "retrain", holder=h, seconds=seconds, clock=clock) for h in "ab")


def test_of_two_one_has_the_right_until_it_runs_out(registry):
    clock, a, b = pair(registry)
    job, is_mine = a.claim(JOB)
    assert is_mine
    assert (job.begun, job.until) == (1_000.0, 1_010.0)
    assert b.claim(JOB) == (job, False)
    clock.now += 9
    job = a.update(job, way="all rows alike")
    clock.now += 9
    assert not b.claim(JOB)[1]
    clock.now += 2
    # It is the first one's job, with what it had found, that is gone on with, whatever the second would have done.
    taken, is_mine = b.claim(Job("2", "churn", "retrain"))
    assert (is_mine, taken.id, taken.attempts, taken.facts["way"]) == (True, "1", 2, "all rows alike")
    for late in (a.update, a.check, lambda j: a.end(j, "promoted")):
        with pytest.raises(NotAllowed, match="another has taken up"):
            late(job)
    done = b.end(taken, "promoted")
    assert b.claim(JOB) == (done, False)
    assert a.claim(Job("2", "churn", "retrain"))[1]


def test_a_right_is_renewed_while_its_holder_lives(registry):
    a, b = (Jobs(registry, "retrain", holder=h, seconds=0.4) for h in "ab")
    job, _ = a.claim(JOB)
    with a.kept(job):
        assert not threading.Event().wait(1.0)
        assert not b.claim(JOB)[1]


def test_many_at_once_and_one_begins(registry):
    jobs = [Jobs(registry, "retrain", holder=str(i), seconds=60.0) for i in range(8)]
    won: list[bool] = []
    threads = [threading.Thread(target=lambda j=j: won.append(j.claim(JOB)[1])) for j in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == 1


def test_a_tag_that_holds_no_job_counts_as_none(registry):
    registry.tag("churn", {"modelwright.job.retrain": '{"id": 3, "no": 1}'})
    _, a, _ = pair(registry)
    assert a.latest("churn") is None
    assert a.claim(JOB)[1]
