"""The audit log: who did what to which model and why; every entry holds the hash of the one before.

One JSON object a line. An entry can be added, never changed: altering, removing or moving one breaks the hashes
after it. What a chain alone cannot show is that its last entries were cut off; for that its head (count and hash of
the last entry) is kept elsewhere too.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import BrokenAudit, RegistryUnavailable
from modelwright.core.fingerprint import canonical_json
from modelwright.registry.locking import locked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = "audit.jsonl"
ORIGIN = "0" * 64
"""What stands as the hash before the first entry."""
LINE_BYTES_MAX = 4 * 2**20
TAIL_BYTES = 64 * 1024
KEYS = ("number", "time", "who", "action", "model", "version", "fingerprint", "reason", "detail", "before", "hash")


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of the log.

    Attributes:
        number: From 1 on.
        time: ISO 8601, UTC.
        who: The person.
        action: ``register``, ``approve``, ``promote``, ``refuse``, ``rollback``.
        model: Its name.
        version: Its number.
        fingerprint: Of its package.
        reason: As the person gave it.
        detail: What else was known: for a decision, the whole verdict.
        before: Hash of the entry before.
        hash: Of all of the above.
    """

    number: int
    time: str
    who: str
    action: str
    model: str
    version: int
    fingerprint: str
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    before: str = ORIGIN
    hash: str = ""

    def hashed(self) -> str:
        """Return the hash its content should have."""
        return sha256(canonical_json({k: getattr(self, k) for k in KEYS if k != "hash"})).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        data: dict[str, Any] = json.loads(canonical_json({k: getattr(self, k) for k in KEYS}))
        return data


@dataclass(frozen=True, slots=True)
class Checked:
    """A log that was read and found whole.

    Attributes:
        entries: All of them.
        torn: Whether a last line was begun and never ended, as when the power fails; it counts for nothing.
    """

    entries: tuple[Note, ...]
    torn: bool = False

    @property
    def head(self) -> str:
        """Count and hash of the last entry, to be kept elsewhere: ``12:3f…``."""
        return head_of(self.entries[-1]) if self.entries else f"0:{ORIGIN}"


def head_of(note: Note) -> str:
    """Return the head of a log that ends with this entry."""
    return f"{note.number}:{note.hash}"


class Audit:
    """The log of a project; safe with any number of processes at once.

    Args:
        path: The file; made with the first entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, draft: Note) -> Note:
        """Add an entry, on the disk when this returns; number and hashes are given to it here.

        Raises:
            RegistryUnavailable: The file cannot be written.
            BrokenAudit: Its last entry is not one, so that nothing can be hung on it.
        """
        with locked(self.path.with_suffix(".lock")):
            try:
                return self._append(draft)
            except OSError as error:
                raise RegistryUnavailable(
                    "the audit log can be written", where=self.path.name, got=str(error), fix="check the disk"
                ) from error

    def _append(self, draft: Note) -> Note:
        last, torn, is_ended = self._last()
        detail = dict(draft.detail)
        if torn:
            detail["torn_line"] = sha256(torn).hexdigest()
        known = {k: getattr(draft, k) for k in KEYS}
        number, before = (1, ORIGIN) if last is None else (last.number + 1, last.hash)
        made = Note(**{**known, "number": number, "before": before, "detail": detail, "hash": ""})
        made = Note(**{**{k: getattr(made, k) for k in KEYS}, "hash": made.hashed()})
        line = canonical_json(made.to_dict()) + b"\n"
        with self.path.open("ab") as file:
            # A torn line is ended, not removed: nothing that was ever written is taken away.
            file.write(line if is_ended else b"\n" + line)
            file.flush()
            os.fsync(file.fileno())
        return made

    def _last(self) -> tuple[Note | None, bytes, bool]:
        """Return the last whole entry, what was begun after it, and whether the file ends with a line's end."""
        if not self.path.exists() or not self.path.stat().st_size:
            return None, b"", True
        size, wanted = self.path.stat().st_size, TAIL_BYTES
        while True:
            with self.path.open("rb") as file:
                file.seek(max(size - wanted, 0))
                tail = file.read()
            *whole, torn = tail.split(b"\n")
            is_ended = not torn
            if _note(torn) is not None:  # only its line's end is missing
                whole, torn = [*whole, torn], b""
            # The first piece may be the end of a longer line, unless the file begins there.
            whole = whole if wanted >= size else whole[1:]
            for line in reversed(whole):
                note = _note(line)
                if note is not None:
                    return note, torn, is_ended
            if wanted >= size:
                if whole:
                    raise self._broken(1, "no entry that can be read")
                return None, torn, is_ended
            wanted *= 8

    def check(self) -> Checked:
        """Read the whole log and follow its hashes.

        Raises:
            BrokenAudit: An entry was altered, removed, added or moved; the first such is named.
            RegistryUnavailable: The file cannot be read.
        """
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise RegistryUnavailable(
                "the audit log can be read", where=self.path.name, got=str(error), fix="check who may read it"
            ) from error
        *lines, torn = content.split(b"\n")
        if _note(torn) is not None:  # only its line's end is missing
            lines, torn = [*lines, torn], b""
        entries: list[Note] = []
        spoilt = b""
        for place, line in enumerate(lines, start=1):
            note = _note(line)
            if note is None:
                if spoilt:
                    raise self._broken(place, "a line that is no entry")
                spoilt = line or b"-"
                continue
            self._check_next(note, entries, spoilt, place)
            entries.append(note)
            spoilt = b""
        if spoilt:
            raise self._broken(len(lines), "a line that is no entry")
        return Checked(tuple(entries), bool(torn))

    def _check_next(self, note: Note, entries: list[Note], spoilt: bytes, place: int) -> None:
        before = entries[-1].hash if entries else ORIGIN
        if note.hashed() != note.hash:
            raise self._broken(place, f"entry {note.number}, whose content is not what was hashed")
        if note.before != before or note.number != len(entries) + 1:
            got = f"entry {note.number} by {note.who}, which does not follow entry {len(entries)}"
            raise self._broken(place, got)
        if spoilt and note.detail.get("torn_line") != sha256(spoilt).hexdigest():
            raise self._broken(place - 1, "a line that is no entry, and was not there when the next was written")

    def _broken(self, line: int, got: str) -> BrokenAudit:
        return BrokenAudit(
            "every entry of the audit log follows from the one before",
            where=f"{self.path.name}, line {line}",
            got=got,
            fix="restore the file from a backup; entries before this line are sound",
        )


def check_head(entries: tuple[Note, ...], head: str, *, where: str) -> None:
    """Check that a log goes at least as far as a head that was kept elsewhere.

    Raises:
        BrokenAudit: It ends before, or the entry of that number is another.
    """
    count, _, named = head.partition(":")
    number = int(count) if count.isdigit() else -1
    if number == 0:
        return
    found = entries[number - 1].hash if 0 < number <= len(entries) else ""
    if found != named:
        got = f"entry {number} is another" if found else f"the log ends with entry {len(entries)}, not {count[:12]}"
        raise BrokenAudit(
            "the audit log goes as far as the head that was kept elsewhere",
            where=where,
            got=got,
            fix="restore the file from a backup: entries were cut off or written anew",
        )


def _note(line: bytes) -> Note | None:
    """Return the entry of a line, or None when it is none."""
    if len(line) > LINE_BYTES_MAX:
        return None
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.keys() != set(KEYS):
        return None
    kinds = {"number": int, "version": int, "detail": dict}
    if not all(type(data[k]) is kinds.get(k, str) for k in KEYS):
        return None
    # Only the one spelling counts, so that no two files say the same in different bytes.
    note = Note(**data)
    return note if canonical_json(data) == line else None
