"""What a shadow said is found by the rows that both answered."""

from __future__ import annotations

import pytest

from modelwright.core.errors import RegistryUnavailable
from modelwright.core.prediction import PredictionRecord
from modelwright.registry.ledger import open_ledger
from modelwright.registry.shadows import SLACK_SECONDS, shadowed


def record(i, fingerprint, prediction, role, time=None):
    row = {"age": i, "city": "Oslo"} if role == "champion" else {"city": "Oslo", "age": i}
    at = 100.0 + i if time is None else time
    return PredictionRecord(f"{fingerprint * 8}{i:024x}", at, "churn", "1", fingerprint, row, prediction, role=role)


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "ledger.db"
    opened = open_ledger(path)
    opened.append([record(i, "cccc", "no", "champion") for i in range(10)])
    opened.append([record(i, "5555", "yes" if i == 9 else "no", "shadow") for i in range(4, 10)])
    opened.close()
    return path


def test_answers_to_the_same_rows_are_paired(ledger):
    pairs = shadowed(ledger, "churn", shadow="5555", champion="cccc")
    assert len(pairs) == 6
    assert pairs.count(("yes", "no")) == 1


def test_without_a_shadow_there_are_no_pairs(ledger, tmp_path):
    assert shadowed(ledger, "churn", shadow="other", champion="cccc") == []
    assert shadowed(tmp_path / "absent.db", "churn", shadow="s", champion="c") == []
    assert not (tmp_path / "absent.db").exists()
    assert shadowed(ledger, "house", shadow="5555", champion="cccc") == []


def test_what_the_champion_said_long_before_is_not_kept(tmp_path):
    opened = open_ledger(tmp_path / "old.db")
    opened.append([record(1, "cccc", "no", "champion", time=0.0)])
    opened.append([record(2, "cccc", "no", "champion", time=2 * SLACK_SECONDS)])
    opened.append([record(1, "5555", "yes", "shadow", time=2 * SLACK_SECONDS + 1)])
    opened.close()
    assert shadowed(tmp_path / "old.db", "churn", shadow="5555", champion="cccc") == []


def test_a_ledger_that_is_none_is_explained(tmp_path):
    (tmp_path / "x.db").write_text("no database, and long enough to be looked at as one" * 50)
    with pytest.raises(RegistryUnavailable, match="record of predictions"):
        shadowed(tmp_path / "x.db", "churn", shadow="s", champion="c")
