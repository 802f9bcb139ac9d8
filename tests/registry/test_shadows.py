"""What a shadow said is found by the rows that both answered."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from modelwright.core.errors import RegistryUnavailable
from modelwright.registry.shadows import shadowed


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE predictions (id TEXT, time REAL, fingerprint TEXT, row TEXT, prediction TEXT, role TEXT)"
        )
        for i in range(10):
            row = json.dumps({"age": i})
            db.execute("INSERT INTO predictions VALUES (?, ?, 'c', ?, '\"no\"', 'champion')", (f"a{i}", 100 + i, row))
            if i >= 4:
                said = json.dumps("yes" if i == 9 else "no")
                db.execute("INSERT INTO predictions VALUES (?, ?, 's', ?, ?, 'shadow')", (f"b{i}", 100 + i, row, said))
        db.commit()
    return path


def test_answers_to_the_same_rows_are_paired(ledger):
    pairs = shadowed(ledger, shadow="s", champion="c")
    assert len(pairs) == 6
    assert pairs.count(("yes", "no")) == 1


def test_without_a_shadow_there_are_no_pairs(ledger, tmp_path):
    assert shadowed(ledger, shadow="other", champion="c") == []
    assert shadowed(tmp_path / "absent.db", shadow="s", champion="c") == []
    with closing(sqlite3.connect(tmp_path / "empty.db")) as db:
        db.execute("CREATE TABLE other (a)")
    assert shadowed(tmp_path / "empty.db", shadow="s", champion="c") == []


def test_a_ledger_that_is_none_is_explained(tmp_path):
    (tmp_path / "x.db").write_text("no database, and long enough to be looked at as one" * 50)
    with pytest.raises(RegistryUnavailable, match="record of predictions"):
        shadowed(tmp_path / "x.db", shadow="s", champion="c")
