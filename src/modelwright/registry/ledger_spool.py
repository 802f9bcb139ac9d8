"""The spool: answers and outcomes go to a file of the worker's own first, and from there to the ledger.

Appending a line to a file costs microseconds and is safe from then on against the death of the process (and, with
``fsync``, of the machine). A clerk, a process of its own, carries the lines into the ledger in batches; lines are
carried at least once, and the ledger knows the ids it has.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.core.prediction import Outcome, PredictionRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.ports import Ledger

RECORD, OUTCOME = b"R", b"O"
BYTES_MAX = 16_000_000
"""A file that is larger is closed, and the next one begun."""
LINES_AT_ONCE = 2_000

_encoder = msgspec.json.Encoder()
_record = msgspec.json.Decoder(PredictionRecord)
_outcome = msgspec.json.Decoder(Outcome)


class Spool:
    """One worker's end: lines are written whole, in order. For one thread.

    Args:
        folder: Made if absent, for its owner only.
        fsync: Whether a line is on the disk, not only with the operating system, before it counts as written.
    """

    def __init__(self, folder: str | Path, *, fsync: bool = False) -> None:
        self._folder, self._fsync = Path(folder), fsync
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._size = 0
        self._file = -1
        self._path = Path()
        self._begin()

    def _begin(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._path.rename(self._path.with_suffix(".done"))
        self._path = self._folder / f"{time.time_ns():020d}-{os.getpid()}.open"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size = 0

    def write(self, records: Sequence[PredictionRecord] = (), outcomes: Sequence[Outcome] = ()) -> None:
        """Append records and outcomes; when this returns they survive the process.

        Raises:
            OSError: The disk is full or gone; part of the lines may be there, and will be carried.
        """
        lines = [RECORD + _encoder.encode(record) for record in records]
        lines += [OUTCOME + _encoder.encode(outcome) for outcome in outcomes]
        content = b"\n".join(lines) + b"\n"
        written = os.write(self._file, content)
        if written != len(content):  # a full disk; a newline parts the torn line from the next
            os.write(self._file, b"\n")
            raise OSError("the spool took part of the lines only")
        if self._fsync:
            os.fsync(self._file)
        self._size += written
        if self._size > BYTES_MAX:
            self._begin()

    def close(self) -> None:
        """Say that no more comes; the clerk then removes the file once it is carried."""
        if self._file >= 0:
            os.close(self._file)
            self._path.rename(self._path.with_suffix(".done"))
            self._file = -1


@dataclass(slots=True)
class Clerk:
    """Carries what lies in a spool's folder into a ledger. Restarted at any point it loses nothing.

    Attributes:
        folder: Of the spools.
        ledger: Where lines go.
        carried: How far each file has been carried, bytes.
    """

    folder: Path
    ledger: Ledger
    carried: dict[Path, int] = field(default_factory=dict)
    torn: int = 0

    def carry(self) -> int:
        """Carry what there is now and return how many lines; files that are through are removed.

        Raises:
            ModelwrightError: The ledger does not take them; they stay, and the next call tries again.
        """
        n = 0
        for path in sorted(self.folder.glob("*.open")) + sorted(self.folder.glob("*.done")):
            while taken := self._carry_some(path):
                n += taken
            if self._is_over(path):
                with suppress(FileNotFoundError):
                    path.unlink()
                self.carried.pop(path, None)
        for path in [p for p in self.carried if not p.exists()]:
            # A worker renamed it; how far it was carried goes on under the new name.
            at = self.carried.pop(path)
            if path.with_suffix(".done").exists():
                self.carried.setdefault(path.with_suffix(".done"), at)
        return n

    def _carry_some(self, path: Path) -> int:
        done = path.with_suffix(".done")
        at = self.carried.get(path, self.carried.get(path.with_suffix(".open"), 0) if path == done else 0)
        try:
            with path.open("rb") as file:
                file.seek(at)
                lines = file.readlines(LINES_AT_ONCE * 400)
        except FileNotFoundError:
            return 0
        if lines and not lines[-1].endswith(b"\n"):  # still being written, or torn by a death
            last = lines.pop()
            self.torn += path.suffix == ".done" and bool(last)
        if not lines:
            return 0
        records, outcomes = self._read(lines)
        if records:
            self.ledger.append(records)
        if outcomes:
            self.ledger.add_outcomes(outcomes)
        self.carried[path] = at + sum(map(len, lines))
        return len(records) + len(outcomes) or 1

    def _read(self, lines: list[bytes]) -> tuple[list[PredictionRecord], list[Outcome]]:
        records, outcomes = [], []
        for line in lines:
            kind, content = line[:1], line[1:]
            try:
                if kind == RECORD:
                    records.append(_record.decode(content))
                elif kind == OUTCOME:
                    outcomes.append(_outcome.decode(content))
                else:
                    self.torn += bool(line.strip())
            except msgspec.DecodeError:
                self.torn += 1
        return records, outcomes

    def _is_over(self, path: Path) -> bool:
        """Return whether nothing more can come and all of it is carried."""
        try:
            is_carried = self.carried.get(path, 0) >= path.stat().st_size or path.suffix == ".done"
        except FileNotFoundError:
            return False
        return is_carried and (path.suffix == ".done" or not _is_alive(int(path.stem.rpartition("-")[2])))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def plain_record(record: PredictionRecord) -> dict[str, Any]:
    """Return a record as JSON-ready data."""
    data: dict[str, Any] = msgspec.to_builtins(record)
    return data
