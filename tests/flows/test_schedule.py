"""A schedule: when the next retraining is due is told by the registry, and is the same for all who wait for it."""

import pytest

from modelwright.flows.retrain import JITTER, due, retrain_every
from modelwright.registry.jobs import Job

HOUR = 3600.0


def over(key: str) -> Job:
    return Job(key, "churn", "retrain", ended=10_000.0, until=10_000.0)


def test_the_next_time_is_near_the_asked_one_and_not_the_same_for_all_models():
    times = [due(over(f"{7919 * i:016x}"[::-1]), HOUR) - 10_000.0 for i in range(200)]
    assert min(times) >= HOUR * (1 - JITTER)
    assert max(times) <= HOUR * (1 + JITTER)
    assert max(times) - min(times) > 0.1 * HOUR
    assert due(over("ab" * 8), HOUR) == due(over("ab" * 8), HOUR)


def test_what_was_never_done_is_due_and_what_is_unfinished_when_its_lease_ends():
    assert due(None, HOUR) == 0.0
    assert due(Job("1" * 16, "churn", "retrain", until=77.0), HOUR) == 77.0


@pytest.mark.slow
def test_a_daemon_waits_out_errors_and_starts_anew_where_another_process_left_off(tmp_path, monkeypatch):
    """Nothing is registered: each time it is told, and a whole period passes before the next try."""
    from modelwright.flows.maintaining_api import retraining_of

    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    now, told = [0.0], []
    loop = retrain_every(
        "churn",
        retraining_of(why="schedule", ledger=str(tmp_path / "ledger.db")),
        every=10.0,
        is_stopped=lambda: now[0] >= 35.0,
        complain=lambda error: told.append((now[0], error.code)),
        clock=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
    )
    assert list(loop) == []
    assert told == [(0.0, "MW802"), (10.0, "MW802"), (20.0, "MW802"), (30.0, "MW802")]
