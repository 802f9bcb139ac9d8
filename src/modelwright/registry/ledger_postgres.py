"""The ledger in PostgreSQL, shared by machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.core.errors import LedgerUnavailable
from modelwright.registry import _ledger_sql as sql
from modelwright.registry.postgres_database import PostgresDatabase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from modelwright.core.prediction import Answered, Cell, Columns, Outcome, PredictionRecord, Received, Stirred
    from modelwright.registry.ledger_privacy import Privacy

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS modelwright_predictions ("
    "id text PRIMARY KEY, time double precision NOT NULL, model text NOT NULL, version text NOT NULL,"
    "fingerprint text NOT NULL, row jsonb NOT NULL, prediction text NOT NULL, scores text NOT NULL,"
    "flags text NOT NULL, latency_ms double precision NOT NULL, role text NOT NULL)",
    "CREATE INDEX IF NOT EXISTS modelwright_predictions_by_time ON modelwright_predictions (model, time, id)",
    "CREATE TABLE IF NOT EXISTS modelwright_outcomes (prediction_id text NOT NULL, time double precision NOT NULL,"
    "value text NOT NULL, arrived bigserial PRIMARY KEY)",
    "CREATE INDEX IF NOT EXISTS modelwright_outcomes_by_prediction ON modelwright_outcomes"
    "(prediction_id, time, arrived)",
)
_NAMES = ", ".join(f"p.{c}" for c in sql.RECORD_COLUMNS)
_MARKS = ", ".join(["%s"] * len(sql.RECORD_COLUMNS))
_KNOWN = (
    "SELECT DISTINCT ON (prediction_id) prediction_id, time, value FROM modelwright_outcomes "
    "WHERE prediction_id = ANY(%s) ORDER BY prediction_id, time DESC, arrived DESC"
)


class PostgresLedger:
    """A ledger in a database. Safe to use from several threads and machines; reconnects after a lost connection.

    Args:
        url: ``postgresql://…``.
        privacy: By which erased values are found.
    """

    def __init__(self, url: str, privacy: Privacy) -> None:
        self._privacy = privacy
        self._database = PostgresDatabase(url, _SCHEMA, _unavailable)

    def append(self, records: Sequence[PredictionRecord]) -> int:
        """Store records and return how many were new."""
        return self.append_spelled([sql.record_values(r) for r in records])

    def append_spelled(self, values: Iterable[tuple[object, ...]]) -> int:
        """Store records that are spelled already and return how many were new."""
        insert = f"INSERT INTO modelwright_predictions VALUES ({_MARKS}) ON CONFLICT DO NOTHING"  # noqa: S608 - marks
        with self._database.transaction() as db, db.cursor() as cursor:
            cursor.executemany(insert, (_storable(v) for v in values))
            return int(cursor.rowcount)

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> Received:
        """Store outcomes, in any order and however often."""
        ids = sorted({o.prediction_id for o in outcomes})
        with self._database.transaction(locked=True) as db, db.cursor() as cursor:
            known = {i: (t, v) for i, t, v in cursor.execute(_KNOWN, (ids,)).fetchall()}
            found = cursor.execute("SELECT id FROM modelwright_predictions WHERE id = ANY(%s)", (ids,)).fetchall()
            rows, received = sql.sorted_out(outcomes, known, frozenset(i for (i,) in found))
            insert = "INSERT INTO modelwright_outcomes (prediction_id, time, value) VALUES (%s, %s, %s)"
            cursor.executemany(insert, rows)
        return received

    def read(
        self, model: str, *, start: float | None = None, end: float | None = None, rows_at_once: int = 10_000
    ) -> Iterator[tuple[Answered, ...]]:
        """Give the records of a model with the outcomes that count, by rising time, in batches."""
        query = (
            f"SELECT {_NAMES}, o.value, o.time FROM modelwright_predictions p LEFT JOIN LATERAL "  # noqa: S608
            "(SELECT value, time FROM modelwright_outcomes WHERE prediction_id = p.id "
            "ORDER BY time DESC, arrived DESC LIMIT 1) o ON true "
            "WHERE p.model = %s AND (p.time, p.id) > (%s, %s) AND p.time < %s ORDER BY p.time, p.id LIMIT %s"
        )
        at = (float("-inf") if start is None else start, "")
        until = float("inf") if end is None else end
        while True:
            with self._database.transaction() as db:
                rows = db.execute(query, (model, *at, until, rows_at_once)).fetchall()
            if not rows:
                return
            batch = tuple(sql.answered(row) for row in rows)
            yield batch
            at = (batch[-1].record.time, batch[-1].record.id)

    def columns(
        self, model: str, *, start: float | None = None, end: float | None = None, rows_at_once: int = 20_000
    ) -> Iterator[Columns]:
        """Give the same in columns, cells as JSON: quicker where there are many."""
        columns = sql.COLUMNS.format("convert_to(p.row::text, 'UTF8')")
        query = (
            f"SELECT {columns}, o.value, o.time FROM modelwright_predictions p "  # noqa: S608 - constants
            "LEFT JOIN LATERAL (SELECT value, time FROM modelwright_outcomes WHERE prediction_id = p.id "
            "ORDER BY time DESC, arrived DESC LIMIT 1) o ON true "
            "WHERE p.model = %s AND (p.time, p.id) > (%s, %s) AND p.time < %s ORDER BY p.time, p.id LIMIT %s"
        )
        at = (float("-inf") if start is None else start, "")
        until = float("inf") if end is None else end
        while True:
            with self._database.transaction() as db:
                rows = db.execute(query, (model, *at, until, rows_at_once)).fetchall()
            if not rows:
                return
            yield sql.in_columns(rows)
            at = (rows[-1][1], rows[-1][0])

    def stirred(self, model: str, seconds: float, since: int | None) -> Stirred:
        """Return how many records each stretch of time holds, and which got outcomes lately."""
        with self._database.transaction() as db:
            counts = db.execute(
                "SELECT floor(time / %s), count(*) FROM modelwright_predictions WHERE model = %s GROUP BY 1",
                (seconds, model),
            ).fetchall()
            touched = []
            if since is not None:
                touched = db.execute(
                    "SELECT DISTINCT floor(p.time / %s) FROM modelwright_outcomes o "
                    "JOIN modelwright_predictions p ON p.id = o.prediction_id WHERE o.arrived > %s AND p.model = %s",
                    (seconds, since, model),
                ).fetchall()
            mark = db.execute("SELECT coalesce(max(arrived), 0) FROM modelwright_outcomes").fetchone()
        return sql.stirred(counts, touched, mark[0], seconds)

    def erase(self, column: str, value: Cell) -> int:
        """Remove every record whose row holds this value, with its outcomes."""
        spellings = list(self._privacy.spellings(column, value))
        return self._remove("row ->> %s = ANY(%s)", (column, spellings))

    def retain(self, since: float) -> int:
        """Remove the records of before ``since`` with their outcomes."""
        removed = self._remove("time < %s", (since,))
        with self._database.transaction() as db:
            orphans = "time < %s AND NOT EXISTS (SELECT 1 FROM modelwright_predictions p WHERE p.id = prediction_id)"
            db.execute(f"DELETE FROM modelwright_outcomes WHERE {orphans}", (since,))  # noqa: S608 - a constant
        return removed

    def _remove(self, where: str, values: tuple[object, ...]) -> int:
        delete = f"DELETE FROM modelwright_predictions WHERE {where} RETURNING id"  # noqa: S608 - constants
        with self._database.transaction() as db:
            ids = [i for (i,) in db.execute(delete, values).fetchall()]
            db.execute("DELETE FROM modelwright_outcomes WHERE prediction_id = ANY(%s)", (ids,))
        return len(ids)

    def count(self, model: str | None = None) -> int:
        """Return how many records there are."""
        where, values = ("", ()) if model is None else (" WHERE model = %s", (model,))
        with self._database.transaction() as db:
            found = db.execute(f"SELECT count(*) FROM modelwright_predictions{where}", values).fetchone()  # noqa: S608
        return int(found[0])

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


def _unavailable(place: str, got: str) -> LedgerUnavailable:
    fix = "check that the server runs and the user may write"
    return LedgerUnavailable("the ledger can be read and written", where=place, got=got, fix=fix)


def _storable(values: tuple[object, ...]) -> tuple[object, ...]:
    r"""Return values without the one character PostgreSQL cannot hold."""
    return tuple(v.replace("\\u0000", "\\ufffd").replace("\x00", "\ufffd") if isinstance(v, str) else v for v in values)
