"""The spool: answers and outcomes go to a file of the worker's own first, and from there to the ledger.

Appending a line to a file costs microseconds and is safe from then on against the death of the process (and, with
``fsync``, of the machine). A clerk, a process of its own, carries the lines into the ledger in batches; lines are
carried at least once, and the ledger knows the ids it has.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from modelwright.core.prediction import Cell, Outcome, PredictionRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.ports import Ledger

RECORD, OUTCOME = b"R", b"O"
BYTES_MAX = 4_194_304
"""Size of a file; when it is full the next one is begun."""
BYTES_AT_ONCE = 1_048_576
"""Of lines that are carried together."""
LINES_IN_A_ROW, REST_SECONDS = 24, 50e-6
"""A clerk that worked on without a rest would keep the processor for milliseconds, however nice it is, from a worker
that a request just woke."""
_SHARED = mmap.MAP_SHARED | mmap.MAP_POPULATE if hasattr(mmap, "MAP_POPULATE") else 0
"""All pages of a file are fetched when it is begun: each one that is met later would hold up an answer."""

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode
_outcome = msgspec.json.Decoder(Outcome)


class Line(msgspec.Struct):
    """A record as it is written: the fields of ``PredictionRecord``, made in a tenth of the time."""

    id: str
    time: float
    model: str
    version: str
    fingerprint: str
    row: Mapping[str, Cell]
    prediction: Cell
    scores: Sequence[float]
    flags: Sequence[str]
    latency_ms: float
    role: str


class _Carried(msgspec.Struct):
    """A line as it is carried: the fields of ``PredictionRecord``, those of several parts left as JSON."""

    id: str
    time: float
    model: str
    version: str
    fingerprint: str
    row: msgspec.Raw
    prediction: msgspec.Raw
    scores: msgspec.Raw
    flags: msgspec.Raw
    latency_ms: float
    role: str

    def spelled(self) -> tuple[object, ...]:
        """Return the values of a ledger's columns."""
        told = (self.row, self.prediction, self.scores, self.flags)
        row, prediction, scores, flags = (str(part, "utf-8") for part in told)
        return (
            *(self.id, self.time, self.model, self.version, self.fingerprint),
            *(row, prediction, scores, flags, self.latency_ms, self.role),
        )


_record = msgspec.json.Decoder(_Carried)


class Spool:
    """One worker's end: lines are written whole, in order. For one thread.

    The file is given its full size first and then written through memory: no call of the operating system is needed
    for a line, a full disk is noticed while there is still room, and what was written outlives the process.

    Args:
        folder: Made if absent, for its owner only.
        fsync: Whether a line is on the disk, not only with the operating system, before it counts as written.
        bytes_max: Of a file; lines that are longer get one of their own.
    """

    def __init__(self, folder: str | Path, *, fsync: bool = False, bytes_max: int = BYTES_MAX) -> None:
        self._folder, self._fsync, self._bytes_max = Path(folder), fsync, bytes_max
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._at, self._size = 0, 0
        self._path = Path()
        self._memory: mmap.mmap | None = None
        self._begin(bytes_max)

    def _begin(self, size: int) -> None:
        """Begin a file of this size."""
        path = self._folder / f"{time.time_ns():020d}-{os.getpid()}.open"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file, 0, size)
            else:
                os.truncate(file, size)
            memory = mmap.mmap(file, size, _SHARED) if _SHARED else mmap.mmap(file, size)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(file)
        self.close()
        self._path, self._memory, self._at, self._size = path, memory, 0, size

    def write(self, records: Sequence[Line | PredictionRecord] = (), outcomes: Sequence[Outcome] = ()) -> None:
        """Append records and outcomes; when this returns they survive the process.

        Raises:
            OSError: The disk is full or gone; nothing was written.
        """
        content = b"".join([RECORD + _encode(record) + b"\n" for record in records])
        if outcomes:
            content += b"".join([OUTCOME + _encode(outcome) + b"\n" for outcome in outcomes])
        end = self._at + len(content)
        if end > self._size or self._memory is None:
            self._begin(max(self._bytes_max, len(content)))
            end = len(content)
        assert self._memory is not None
        self._memory[self._at : end] = content
        self._at = end
        if self._fsync:
            self._memory.flush()

    def close(self) -> None:
        """Say that no more comes; the clerk then removes the file once it is carried."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
            self._path.rename(self._path.with_suffix(".done"))


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
            # A worker that is through with a file renames it; how far it was carried goes on under the new name.
            self.carried[path] = self.carried.pop(path, self.carried.pop(path.with_suffix(".open"), 0))
            is_over = self._is_over(path)  # asked first: what comes after is then carried too
            is_more = True
            while is_more:
                taken, is_more = self._carry_some(path)
                n += taken
            if is_over:
                self.torn += self._has_rest(path)
                with suppress(FileNotFoundError):
                    path.unlink()
                self.carried.pop(path, None)
        return n

    def _carry_some(self, path: Path) -> tuple[int, bool]:
        """Carry some lines; return how many, and whether more were there already.

        What comes meanwhile is left to the next round: a few lines at a time would cost a commit each.
        """
        content, is_more = _whole_lines(path, self.carried[path])
        if not content:
            return 0, False
        by_kind: dict[bytes, list[bytes]] = {RECORD: [], OUTCOME: []}
        for line in content[:-1].split(b"\n"):
            if line[:1] in by_kind:
                by_kind[line[:1]].append(line[1:])
            else:
                self.torn += bool(line.strip())
        torn = self.torn
        if by_kind[RECORD]:
            self.ledger.append_spelled(record.spelled() for record in self._read(_record, by_kind[RECORD]))
        if outcomes := list(self._read(_outcome, by_kind[OUTCOME])):
            self.ledger.add_outcomes(outcomes)
        self.carried[path] += len(content)
        return sum(map(len, by_kind.values())) - (self.torn - torn), is_more

    def _read(self, decoder: msgspec.json.Decoder[_T], lines: Sequence[bytes]) -> Iterator[_T]:
        """Give what the lines say, a few at a time: whoever waits to answer gets the processor in between."""
        for i, line in enumerate(lines):
            if i % LINES_IN_A_ROW == LINES_IN_A_ROW - 1:
                time.sleep(REST_SECONDS)
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError:
                self.torn += 1

    def _has_rest(self, path: Path) -> bool:
        """Return whether a line without an end is left: its writer died before the answer was given."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return False
        return bool(content[self.carried.get(path, 0) :].strip(b"\x00"))

    @staticmethod
    def _is_over(path: Path) -> bool:
        """Return whether nothing more can come."""
        return path.suffix == ".done" or not _is_alive(int(path.stem.rpartition("-")[2]))


def _whole_lines(path: Path, at: int) -> tuple[bytes, bool]:
    """Return whole lines from a place on, and whether there were more; behind all are zeros, or what a death tore."""
    size = BYTES_AT_ONCE
    try:
        with path.open("rb") as file:
            while True:
                file.seek(at)
                content = file.read(size)
                end, is_more = content.rfind(b"\n") + 1, len(content) == size and not content.endswith(b"\x00")
                if end or not is_more:
                    return content[:end], is_more
                size *= 2  # one long line
    except FileNotFoundError:
        return b"", False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
