"""The ledger keeps what it is given, whichever database it is, and whatever dies in between."""

import json
import os
import random
import sqlite3
import stat
from dataclasses import replace

import pytest

from modelwright.core.errors import InvalidSetting, LedgerUnavailable
from modelwright.core.prediction import Outcome, PredictionRecord, Received
from modelwright.registry.ledger import open_ledger
from modelwright.registry.ledger_privacy import MASK, Privacy, key_of
from modelwright.registry.ledger_spool import LINES_IN_A_ROW, Clerk, Spool

KEY = b"k" * 32
PRIVACY = Privacy({"person": "hash", "phone": "mask", "note": "drop"}, KEY)


def record(i, *, model="churn", time=None, **row):
    row = PRIVACY.kept({"tenure": i, "ok": True, "name": "Zoë \x00 '; --", **row})
    number = f"{i:032x}"
    return PredictionRecord(
        number, float(i) if time is None else time, model, "3", "ab" * 16, row, "yes", (0.2, 0.8), ("x: y",), 1.5
    )


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.server, pytest.mark.slow])])
def ledger(request, tmp_path):
    if request.param == "sqlite":
        opened = open_ledger(tmp_path / "l" / "ledger.db", PRIVACY)
        yield opened
        opened.close()
        return
    import psycopg

    url = request.getfixturevalue("postgres")
    opened = open_ledger(url, PRIVACY)
    yield opened
    opened.close()
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("DROP TABLE modelwright_predictions, modelwright_outcomes")


def all_of(ledger, **when):
    return [a for batch in ledger.read("churn", rows_at_once=7, **when) for a in batch]


def test_what_is_appended_is_read_again_by_rising_time(ledger):
    records = [record(i) for i in range(20)]
    shuffled = random.Random(0).sample(records, 20)
    assert ledger.append(shuffled) == 20
    assert ledger.append(shuffled[:5]) == 0
    found = all_of(ledger)
    assert [a.record.id for a in found] == [r.id for r in records]
    assert found[3].outcome is None
    expected = records[3]
    assert (found[3].record.prediction, found[3].record.scores, found[3].record.flags) == ("yes", (0.2, 0.8), ("x: y",))
    assert found[3].record.row["tenure"] == expected.row["tenure"]
    assert found[3].record.row["ok"] is True
    assert [a.record.time for a in all_of(ledger, start=5.0, end=8.0)] == [5.0, 6.0, 7.0]
    assert (ledger.count("churn"), ledger.count("other"), ledger.count()) == (20, 0, 20)


def test_columns_say_what_records_say(ledger):
    ledger.append([record(i) for i in range(20)])
    ledger.add_outcomes([Outcome(record(3).id, "no", 9.0), Outcome(record(3).id, "yes", 12.0)])
    batches = list(ledger.columns("churn", start=2.0, end=15.0, rows_at_once=6))
    assert [len(b.times) for b in batches] == [6, 6, 1]
    told = all_of(ledger, start=2.0, end=15.0)
    rows = [(t, json.loads(r), s) for b in batches for t, r, s in zip(b.times, b.rows, b.scores, strict=True)]
    assert rows == [(a.record.time, dict(a.record.row), a.record.scores) for a in told]
    assert batches[0].flags == dict.fromkeys(range(6), ("x: y",))
    assert [(v, k) for v, k in zip(batches[0].outcomes, batches[0].known_at, strict=True)][:3] == [
        (None, None),
        ("yes", 12.0),
        (None, None),
    ]


def test_a_ledger_says_which_stretches_moved(ledger):
    ledger.append([record(i) for i in range(20)])
    first = ledger.stirred("churn", 5.0, 0)
    assert (dict(first.counts), first.touched) == ({0.0: 5, 5.0: 5, 10.0: 5, 15.0: 5}, frozenset())
    ledger.add_outcomes([Outcome(record(7).id, "yes", 30.0), Outcome("of another", "yes", 30.0)])
    second = ledger.stirred("churn", 5.0, first.mark)
    assert second.touched == {5.0}
    assert second.mark > first.mark
    assert ledger.stirred("churn", 5.0, second.mark).touched == frozenset()
    assert ledger.stirred("other", 5.0, 0).counts == {}


def test_records_of_one_moment_are_all_read(ledger):
    ledger.append([record(i, time=1.0) for i in range(30)])
    assert len(all_of(ledger)) == 30


def test_outcomes_come_twice_late_corrected_and_before_their_prediction(ledger):
    ids = [record(i).id for i in range(4)]
    assert ledger.add_outcomes([Outcome(ids[0], "yes", 10.0)]) == Received(added=1, unmatched=1)
    ledger.append([record(i) for i in range(4)])
    assert ledger.add_outcomes([Outcome(ids[0], "yes", 11.0)]) == Received(repeated=1)
    assert ledger.add_outcomes([Outcome(ids[0], "no", 12.0)]) == Received(corrected=1)
    assert ledger.add_outcomes([Outcome(ids[0], "yes", 5.0)]) == Received(late=1)
    both = [Outcome(ids[1], 1, 2.0), Outcome(ids[1], 2.5, 3.0), Outcome(ids[2], None, 3.0)]
    assert ledger.add_outcomes(both) == Received(added=2, corrected=1)
    outcomes = {a.record.id: a.outcome for a in all_of(ledger)}
    assert outcomes[ids[0]] == Outcome(ids[0], "no", 12.0)
    assert outcomes[ids[1]].value == 2.5
    assert outcomes[ids[2]].value is None
    assert outcomes[ids[3]] is None


def test_any_order_of_arrival_ends_alike(ledger):
    ledger.append([record(1)])
    arrivals = [Outcome(record(1).id, value, when) for value, when in (("a", 1.0), ("b", 2.0), ("c", 3.0), ("b", 2.0))]
    for seed in range(6):
        random.Random(seed).shuffle(arrivals)
        for one in arrivals:
            ledger.add_outcomes([one])
        assert all_of(ledger)[0].outcome.value == "c"


def test_one_persons_rows_are_erased_also_where_they_are_hashed(ledger):
    ledger.append([record(i, person=i % 3, phone="1", note="n") for i in range(9)])
    ledger.add_outcomes([Outcome(record(i).id, "yes", 1.0) for i in range(9)])
    row = all_of(ledger)[0].record.row
    assert row["phone"] == MASK
    assert str(row["person"]).startswith("hmac:")
    assert "note" not in row
    assert ledger.erase("person", "1") == 3
    assert ledger.erase("person", 1) == 0
    assert ledger.erase("tenure", "0") == 1
    assert ledger.count() == 5
    assert ledger.add_outcomes([Outcome(record(1).id, "yes", 1.0)]).added == 1  # its outcome went with it


def test_old_records_go_with_their_outcomes(ledger):
    ledger.append([record(i) for i in range(10)])
    ledger.add_outcomes([Outcome(record(i).id, "yes", 1.0) for i in range(10)])
    assert ledger.retain(6.0) == 6
    assert [a.record.time for a in all_of(ledger)] == [6.0, 7.0, 8.0, 9.0]
    assert all(a.outcome is not None for a in all_of(ledger))


def test_what_was_erased_is_not_left_in_the_file(tmp_path):
    opened = open_ledger(tmp_path / "ledger.db")
    opened.append([record(i, address="Baker Street 221b") for i in range(50)])
    assert opened.erase("address", "Baker Street 221b") == 50
    assert not any(b"Baker Street" in path.read_bytes() for path in tmp_path.iterdir())
    opened.close()


def test_the_file_is_its_owners(tmp_path):
    open_ledger(tmp_path / "ledger.db").close()
    assert stat.S_IMODE((tmp_path / "ledger.db").stat().st_mode) == 0o600


def test_a_ledger_that_cannot_be_opened_says_why(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"no database" * 100)
    with pytest.raises(LedgerUnavailable, match="not a database"):
        open_ledger(tmp_path / "ledger.db")
    with pytest.raises(InvalidSetting, match="PostgreSQL"):
        open_ledger("mysql://u:secret@h/d")


@pytest.mark.server
def test_a_password_is_not_shown():
    with pytest.raises(LedgerUnavailable) as caught:
        open_ledger("postgresql://ann:s3cr3t@127.0.0.1:1/x?connect_timeout=2")
    assert "s3cr3t" not in str(caught.value)


def test_hashes_need_a_key_and_are_alike_for_equal_values(tmp_path):
    with pytest.raises(InvalidSetting, match="key"):
        Privacy({"a": "hash"})
    with pytest.raises(InvalidSetting, match="known way"):
        Privacy({"a": "shred"}, KEY)
    key = key_of(tmp_path, {})
    assert key == key_of(tmp_path, {})
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert key_of(tmp_path, {"MODELWRIGHT_LEDGER_KEY": "ab" * 32}) == b"\xab" * 32
    privacy = Privacy({"a": "hash"}, key)
    assert privacy.kept({"a": 7})["a"] == privacy.kept({"a": "7.0"})["a"] != privacy.kept({"a": 8})["a"]
    assert privacy.hashed("a", 7) != Privacy({}, b"x" * 32).hashed("a", 7)


def carried(folder, ledger):
    clerk = Clerk(folder, ledger)
    clerk.carry()
    return clerk


def test_the_clerk_carries_everything_and_removes_what_is_over(ledger, tmp_path):
    spool = Spool(tmp_path / "spool", bytes_max=2_000)
    for i in range(40):
        spool.write([record(i)], [Outcome(record(i).id, "yes", 1.0)])
    clerk = carried(tmp_path / "spool", ledger)
    assert ledger.count() == 40
    spool.write([record(40)])
    clerk.carry()
    assert ledger.count() == 41
    spool.write([record(41)])
    spool.close()
    clerk.carry()
    assert ledger.count() == 42
    assert list((tmp_path / "spool").iterdir()) == []
    assert clerk.torn == 0
    assert sum(a.outcome is not None for a in all_of(ledger)) == 40


def test_what_comes_while_the_clerk_carries_waits_for_its_next_round(tmp_path):
    ledger, spool = open_ledger(tmp_path / "ledger.db"), Spool(tmp_path / "spool")
    store, n_calls = ledger.append_spelled, 0

    def append_and_answer_on(values):
        nonlocal n_calls
        n_calls += 1
        assert n_calls < 5, "a commit for every line that comes"
        spool.write([record(100 + n_calls)])
        return store(values)

    ledger.append_spelled = append_and_answer_on
    spool.write([record(i) for i in range(3)])
    clerk = Clerk(tmp_path / "spool", ledger)
    assert clerk.carry() == 3
    assert clerk.carry() == 1
    assert ledger.count() == 4
    spool.close()
    ledger.close()


def test_the_clerk_rests_so_that_who_answers_gets_the_processor(tmp_path, monkeypatch):
    ledger, spool, rests = open_ledger(tmp_path / "ledger.db"), Spool(tmp_path / "spool"), []
    spool.write([record(i) for i in range(10 * LINES_IN_A_ROW)])
    monkeypatch.setattr("modelwright.registry.ledger_spool.time.sleep", rests.append)
    assert Clerk(tmp_path / "spool", ledger).carry() == 10 * LINES_IN_A_ROW
    assert len(rests) == 10
    spool.close()
    ledger.close()


@pytest.mark.parametrize("long", [10, 400_000, 700_000, 3_000_000])
def test_lines_longer_than_what_is_read_at_once_are_carried(tmp_path, long):
    ledger, spool = open_ledger(tmp_path / "ledger.db"), Spool(tmp_path / "spool")
    for i, size in enumerate([10, long, 700_000, long, 5]):
        spool.write([replace(record(i), row={"text": "x" * size})])
    spool.close()
    clerk = carried(tmp_path / "spool", ledger)
    assert (ledger.count(), clerk.torn) == (5, 0)
    assert list((tmp_path / "spool").iterdir()) == []
    ledger.close()


def test_a_clerk_that_begins_again_carries_nothing_twice(ledger, tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.write([record(i) for i in range(5)])
    carried(tmp_path / "spool", ledger)
    spool.write([record(5)])
    carried(tmp_path / "spool", ledger)
    assert ledger.count() == 6
    spool.close()


def test_lines_of_a_process_that_was_killed_are_carried(ledger, tmp_path):
    child = os.fork()
    if child == 0:
        spool = Spool(tmp_path / "spool")
        for i in range(100):
            spool.write([record(i)])
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    carried(tmp_path / "spool", ledger)
    assert ledger.count() == 100
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_torn_line_spoils_no_other(tmp_path):
    ledger = open_ledger(tmp_path / "ledger.db")
    spool = Spool(tmp_path / "spool")
    spool.write([record(0)])
    path = next((tmp_path / "spool").iterdir())
    spool.close()
    done = path.with_suffix(".done")
    whole = done.read_bytes().rstrip(b"\x00")
    done.write_bytes(b"R{broken}\n" + whole + b'R{"id": "12')
    clerk = carried(tmp_path / "spool", ledger)
    assert (ledger.count(), clerk.torn) == (1, 2)
    ledger.close()


def test_readers_are_not_held_up_by_a_writer(tmp_path):
    opened = open_ledger(tmp_path / "ledger.db")
    opened.append([record(i) for i in range(30)])
    reading = opened.read("churn", rows_at_once=10)
    next(reading)
    opened.append([record(i) for i in range(30, 60)])
    assert sum(len(batch) for batch in reading) == 50
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    opened.close()
