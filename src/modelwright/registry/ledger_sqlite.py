"""The ledger in one SQLite file, for one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.errors import LedgerUnavailable
from modelwright.registry import _ledger_sql as sql
from modelwright.registry.sqlite_file import SQLiteFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from modelwright.core.prediction import Answered, Cell, Columns, Outcome, PredictionRecord, Received, Stirred
    from modelwright.registry.ledger_privacy import Privacy

_SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions (
  id TEXT PRIMARY KEY, time REAL NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL, fingerprint TEXT NOT NULL,
  row TEXT NOT NULL, prediction TEXT NOT NULL, scores TEXT NOT NULL, flags TEXT NOT NULL, latency_ms REAL NOT NULL,
  role TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS predictions_by_time ON predictions (model, time, id);
CREATE TABLE IF NOT EXISTS outcomes (
  prediction_id TEXT NOT NULL, time REAL NOT NULL, value TEXT NOT NULL,
  arrived INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE INDEX IF NOT EXISTS outcomes_by_prediction ON outcomes (prediction_id, time, arrived);
CREATE VIEW IF NOT EXISTS latest_outcomes AS
  SELECT prediction_id, time, value FROM (SELECT *, row_number() OVER (
    PARTITION BY prediction_id ORDER BY time DESC, arrived DESC) AS place FROM outcomes) WHERE place = 1;
"""
_NAMES = ", ".join(f"p.{c}" for c in sql.RECORD_COLUMNS)
_LATEST = (
    "(SELECT {0} FROM outcomes o WHERE o.prediction_id = p.id ORDER BY o.time DESC, o.arrived DESC LIMIT 1) AS o_{0}"
)
_MARKS = ", ".join("?" * len(sql.RECORD_COLUMNS))
_IDS_AT_ONCE = 500


class SQLiteLedger:
    """A ledger in a file. Safe to use from several threads and processes; writers wait for each other.

    Args:
        path: Made if absent.
        privacy: By which erased values are found.
    """

    def __init__(self, path: str | Path, privacy: Privacy) -> None:
        self._privacy = privacy
        pragmas = ("synchronous=NORMAL", "secure_delete=ON")
        self._file = SQLiteFile(path, _SCHEMA, lambda got: _unavailable(path, got), pragmas=pragmas)

    def append(self, records: Sequence[PredictionRecord]) -> int:
        """Store records and return how many were new."""
        return self.append_spelled([sql.record_values(r) for r in records])

    def append_spelled(self, values: Iterable[tuple[object, ...]]) -> int:
        """Store records that are spelled already and return how many were new."""
        with self._file.writing() as db:
            before = db.total_changes
            db.executemany(f"INSERT OR IGNORE INTO predictions VALUES ({_MARKS})", values)  # noqa: S608 - marks only
            return db.total_changes - before

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> Received:
        """Store outcomes, in any order and however often."""
        ids = sorted({o.prediction_id for o in outcomes})
        with self._file.writing() as db:
            known = {i: (t, v) for i, t, v in self._in(db, "SELECT * FROM latest_outcomes WHERE prediction_id", ids)}
            recorded = frozenset(i for (i,) in self._in(db, "SELECT id FROM predictions WHERE id", ids))
            rows, received = sql.sorted_out(outcomes, known, recorded)
            db.executemany("INSERT INTO outcomes (prediction_id, time, value) VALUES (?, ?, ?)", rows)
        return received

    @staticmethod
    def _in(db: sqlite3.Connection, query: str, ids: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            yield from db.execute(f"{query} IN ({', '.join('?' * len(some))})", some)

    def read(
        self, model: str, *, start: float | None = None, end: float | None = None, rows_at_once: int = 10_000
    ) -> Iterator[tuple[Answered, ...]]:
        """Give the records of a model with the outcomes that count, by rising time, in batches."""
        outcome = f"{_LATEST.format('value')}, {_LATEST.format('time')}"
        query = (
            f"SELECT {_NAMES}, {outcome} FROM predictions p WHERE model = ? AND (time, id) > (?, ?) AND time < ? "  # noqa: S608
            "ORDER BY time, id LIMIT ?"
        )
        # Every batch is a query of its own from where the last one ended: a slow reader holds up nobody.
        at = (float("-inf") if start is None else start, "")
        until = float("inf") if end is None else end
        while True:
            rows = self._file.rows(query, (model, *at, until, rows_at_once))
            if not rows:
                return
            batch = tuple(sql.answered(row) for row in rows)
            yield batch
            at = (batch[-1].record.time, batch[-1].record.id)

    def columns(
        self, model: str, *, start: float | None = None, end: float | None = None, rows_at_once: int = 20_000
    ) -> Iterator[Columns]:
        """Give the same in columns, cells as JSON: quicker where there are many."""
        query = (
            f"SELECT {sql.COLUMNS.format('CAST(p.row AS BLOB)')}, o.value, o.time FROM predictions p "  # noqa: S608 - constants
            "LEFT JOIN outcomes o ON o.arrived = (SELECT arrived FROM outcomes WHERE prediction_id = p.id "
            "ORDER BY time DESC, arrived DESC LIMIT 1) "
            "WHERE p.model = ? AND (p.time, p.id) > (?, ?) AND p.time < ? ORDER BY p.time, p.id LIMIT ?"
        )
        until = float("inf") if end is None else end
        at = (float("-inf") if start is None else start, "")
        while rows := self._file.rows(query, (model, *at, until, rows_at_once)):
            yield sql.in_columns(rows)
            at = (rows[-1][1], rows[-1][0])

    def stirred(self, model: str, seconds: float, since: int | None) -> Stirred:
        """Return how many records each stretch of time holds, and which got outcomes lately."""
        counts = self._file.rows(
            "SELECT CAST(time / ? AS INTEGER), count(*) FROM predictions WHERE model = ? GROUP BY 1", (seconds, model)
        )
        touched = []
        if since is not None:
            touched = self._file.rows(
                "SELECT DISTINCT CAST(p.time / ? AS INTEGER) FROM outcomes o "
                "JOIN predictions p ON p.id = o.prediction_id WHERE o.arrived > ? AND p.model = ?",
                (seconds, since, model),
            )
        mark = self._file.rows("SELECT coalesce(max(arrived), 0) FROM outcomes")
        return sql.stirred(counts, touched, mark[0][0], seconds)

    def erase(self, column: str, value: Cell) -> int:
        """Remove every record whose row holds this value, with its outcomes; the file keeps no trace."""
        spellings = self._privacy.spellings(column, value)
        marks = ", ".join("?" * len(spellings))
        where = (
            "EXISTS (SELECT 1 FROM json_each(predictions.row) cell "  # noqa: S608 - marks only
            f"WHERE cell.key = ? AND CAST(cell.value AS TEXT) IN ({marks}))"
        )
        return self._remove(where, (column, *spellings))

    def retain(self, since: float) -> int:
        """Remove the records of before ``since`` with their outcomes."""
        removed = self._remove("time < ?", (since,))
        with self._file.writing() as db:
            orphans = "prediction_id NOT IN (SELECT id FROM predictions) AND time < ?"
            db.execute(f"DELETE FROM outcomes WHERE {orphans}", (since,))  # noqa: S608 - a constant
        return removed

    def _remove(self, where: str, values: tuple[object, ...]) -> int:
        with self._file.writing() as db:
            ids = [i for (i,) in db.execute(f"SELECT id FROM predictions WHERE {where}", values)]  # noqa: S608
            db.executemany("DELETE FROM outcomes WHERE prediction_id = ?", [(i,) for i in ids])
            db.executemany("DELETE FROM predictions WHERE id = ?", [(i,) for i in ids])
        self._file.rows("PRAGMA wal_checkpoint(TRUNCATE)")  # what was removed does not live on in the log
        return len(ids)

    def count(self, model: str | None = None) -> int:
        """Return how many records there are."""
        where, values = ("", ()) if model is None else (" WHERE model = ?", (model,))
        return int(self._file.rows(f"SELECT count(*) FROM predictions{where}", values)[0][0])  # noqa: S608

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unavailable(path: str | Path, got: str) -> LedgerUnavailable:
    fix = "check the disk and who may write there"
    return LedgerUnavailable("the ledger can be read and written", where=str(path), got=got, fix=fix)
