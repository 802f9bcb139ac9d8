"""The audit log: what is altered, removed, added, moved or cut is noticed, and named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.errors import BrokenAudit
from modelwright.registry.audit import ORIGIN, Audit, Note, check_head


def draft(action: str = "promote", reason: str = "") -> Note:
    return Note(0, "2026-01-01T00:00:00+00:00", "ada", action, "churn", 4, "f" * 32, reason, {"a": [1.5, None]})


def written(path: Path, n: int) -> Audit:
    log = Audit(path)
    for i in range(n):
        log.append(draft(reason=f"reason {i} 💶"))
    return log


def test_entries_follow_from_each_other(tmp_path):
    log = written(tmp_path / "audit.jsonl", 3)
    checked = log.check()
    assert [e.number for e in checked.entries] == [1, 2, 3]
    assert checked.entries[0].before == ORIGIN
    assert checked.entries[2].before == checked.entries[1].hash
    assert checked.head == f"3:{checked.entries[2].hash}"
    assert not checked.torn


def test_no_log_is_a_whole_log(tmp_path):
    assert Audit(tmp_path / "audit.jsonl").check().head == f"0:{ORIGIN}"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_first_altered_entry_is_named(tmp_path, place):
    log = written(tmp_path / "audit.jsonl", 3)
    lines = log.path.read_text().splitlines()
    lines[place] = lines[place].replace('"who":"ada"', '"who":"eve"')
    log.path.write_text("\n".join(lines) + "\n")
    with pytest.raises(BrokenAudit, match=f"line {place + 1}"):
        log.check()


def test_an_entry_altered_with_its_hash_breaks_the_next(tmp_path):
    log = written(tmp_path / "audit.jsonl", 3)
    lines = log.path.read_text().splitlines()
    data = {**json.loads(lines[1]), "who": "eve"}
    forged = Note(**data)
    lines[1] = json.dumps({**data, "hash": forged.hashed()}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    log.path.write_text("\n".join(lines) + "\n")
    with pytest.raises(BrokenAudit, match="line 3"):
        log.check()


def test_removed_moved_and_repeated_entries_are_noticed(tmp_path):
    log = written(tmp_path / "audit.jsonl", 4)
    a, b, c, d = log.path.read_text().splitlines()
    for lines, named in (((a, c, d), 2), ((b, c, d), 1), ((a, c, b, d), 2), ((a, b, b, c, d), 3), ((a, "x", b), 2)):
        log.path.write_text("\n".join(lines) + "\n")
        with pytest.raises(BrokenAudit, match=f"line {named}"):
            log.check()


def test_a_cut_log_is_noticed_by_a_head_that_was_kept(tmp_path):
    log = written(tmp_path / "audit.jsonl", 3)
    head = log.check().head
    lines = log.path.read_text().splitlines()
    log.path.write_text("\n".join(lines[:2]) + "\n")
    entries = log.check().entries
    with pytest.raises(BrokenAudit, match="ends with entry 2"):
        check_head(entries, head, where="kept")
    log.append(draft(reason="another"))
    with pytest.raises(BrokenAudit, match="entry 3 is another"):
        check_head(log.check().entries, head, where="kept")


def test_a_torn_last_line_counts_for_nothing_and_is_kept(tmp_path):
    log = written(tmp_path / "audit.jsonl", 2)
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + b'{"action":"prom')
    assert log.check().torn
    assert log.append(draft()).number == 3
    checked = log.check()
    assert len(checked.entries) == 3
    assert b'{"action":"prom' in log.path.read_bytes()
    # Nobody can add such a line later.
    a, b, torn, d = log.path.read_text().splitlines()
    log.path.write_text("\n".join([a, b, torn + "x", d]) + "\n")
    with pytest.raises(BrokenAudit, match="line 3"):
        log.check()


def test_a_last_line_that_lost_only_its_end_is_whole(tmp_path):
    log = written(tmp_path / "audit.jsonl", 2)
    log.path.write_bytes(log.path.read_bytes()[:-1])
    assert [e.number for e in log.check().entries] == [1, 2]
    assert log.append(draft()).number == 3
    assert len(log.check().entries) == 3


@settings(max_examples=60)
@given(data=st.data())
def test_no_byte_can_be_changed_unnoticed(data, tmp_path_factory):
    log = written(tmp_path_factory.mktemp("log") / "audit.jsonl", 3)
    content, head = log.path.read_bytes(), log.check().head
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != content[place]))
    log.path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
    with pytest.raises(BrokenAudit):
        check_head(log.check().entries, head, where="kept")


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    code = (
        "import sys; from pathlib import Path; from modelwright.registry.audit import Audit, Note\n"
        "log = Audit(Path(sys.argv[1]))\n"
        "for i in range(20): log.append(Note(0, 't', sys.argv[2], 'promote', 'churn', i, 'f'))"
    )
    path = tmp_path / "audit.jsonl"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), f"p{i}"]) for i in range(4)]
    assert [p.wait() for p in running] == [0] * 4
    entries = Audit(path).check().entries
    assert len(entries) == 80
    assert sorted((e.who, e.version) for e in entries) == sorted((f"p{i}", k) for i in range(4) for k in range(20))
