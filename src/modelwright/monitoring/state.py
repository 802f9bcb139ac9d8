"""The state of watching, in one file or database: alarms, what a person said to them, what is still to be delivered.

An alarm and its messages are written in one transaction, so that a process that is killed at any moment loses
neither; ids come from what was found, so that finding it again adds nothing. A lease lets one watcher act.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import WatchUnavailable
from modelwright.core.fingerprint import fingerprint
from modelwright.registry.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from modelwright.core.signal import Alarm

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS modelwright_lease (model TEXT PRIMARY KEY, holder TEXT NOT NULL, "
    "until DOUBLE PRECISION NOT NULL)",
    "CREATE TABLE IF NOT EXISTS modelwright_alarms (id TEXT PRIMARY KEY, model TEXT NOT NULL, "
    "time DOUBLE PRECISION NOT NULL, body TEXT NOT NULL, ended DOUBLE PRECISION, acknowledged DOUBLE PRECISION, "
    "acknowledged_by TEXT)",
    "CREATE TABLE IF NOT EXISTS modelwright_silences (model TEXT NOT NULL, column_name TEXT NOT NULL, "
    "until DOUBLE PRECISION NOT NULL)",
    "CREATE TABLE IF NOT EXISTS modelwright_outbox (id TEXT PRIMARY KEY, destination TEXT NOT NULL, "
    "body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_try DOUBLE PRECISION NOT NULL, "
    "delivered DOUBLE PRECISION, last_error TEXT)",
    "CREATE TABLE IF NOT EXISTS modelwright_tallies (key TEXT NOT NULL, start DOUBLE PRECISION NOT NULL, "
    "n INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (key, start))",
    "CREATE TABLE IF NOT EXISTS modelwright_marks (key TEXT PRIMARY KEY, mark BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS modelwright_plans (key TEXT PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS modelwright_passes (model TEXT PRIMARY KEY, body TEXT NOT NULL)",
)
_KEEP_LEASE = (
    "INSERT INTO modelwright_lease VALUES (?, ?, ?) "
    "ON CONFLICT (model) DO UPDATE SET holder = excluded.holder, until = excluded.until"
)
_KEEP_TALLY = (
    "INSERT INTO modelwright_tallies VALUES (?, ?, ?, ?) "
    "ON CONFLICT (key, start) DO UPDATE SET n = excluded.n, body = excluded.body"
)
_KEEP_MARK = "INSERT INTO modelwright_marks VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET mark = excluded.mark"
_KEEP_PLAN = "INSERT INTO modelwright_plans VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body"
_KEEP_SEEN = "INSERT INTO modelwright_passes VALUES (?, ?) ON CONFLICT (model) DO UPDATE SET body = excluded.body"
ID_DIGITS_LEAST = 6
"""Of an alarm's id, to name it."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30.0, 3600.0
CLAIM_SECONDS = 120.0


class WatchState:
    """The state. Several processes may open it, in a database those of several machines; writers wait for each other.

    Args:
        address: A path for SQLite, made if absent, or ``postgresql://user@host/database``.
        clock: Seconds since 1970-01-01 UTC; machines that share a state keep the same time to a few seconds.
    """

    def __init__(self, address: str | Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._tables = open_tables(address, _SCHEMA, _unavailable)

    def lease(self, model: str, holder: str, seconds: float) -> bool:
        """Take or renew the right to act for a model; False while another holder has it."""
        now = self._clock()
        with self._tables.writing() as db:
            row = db.execute("SELECT holder, until FROM modelwright_lease WHERE model = ?", (model,)).fetchone()
            if row is not None and row[0] != holder and row[1] > now:
                return False
            db.execute(_KEEP_LEASE, (model, holder, now + seconds))
            return True

    def release(self, model: str, holder: str) -> None:
        """Give the right back."""
        with self._tables.writing() as db:
            db.execute("DELETE FROM modelwright_lease WHERE model = ? AND holder = ?", (model, holder))

    def record(
        self, model: str, alarms: Sequence[Alarm], destinations: Sequence[str], told: dict[str, Any]
    ) -> list[str]:
        """Write what a pass found, with a message for each new alarm and destination; return the new alarms' ids.

        Args:
            model: Name of the model.
            alarms: All since its baseline; those known already only get their end.
            destinations: Names of where messages go.
            told: What the pass saw, kept as the latest.
        """
        now, new = self._clock(), []
        with self._tables.writing() as db:
            quiet = "SELECT column_name FROM modelwright_silences WHERE model = ? AND until > ?"
            silenced = {column for (column,) in db.execute(quiet, (model, now))}
            for alarm in alarms:
                body = json.dumps(alarm.to_dict())
                added = db.execute(
                    "INSERT INTO modelwright_alarms (id, model, time, body, ended) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
                    (alarm.id, model, alarm.time, body, alarm.ended),
                ).rowcount
                db.execute("UPDATE modelwright_alarms SET ended = ? WHERE id = ?", (alarm.ended, alarm.id))
                if not added:
                    continue
                new.append(alarm.id)
                if alarm.ended is not None:  # over before anyone looked: on record, and no news
                    continue
                if "" in silenced or (alarm.columns and set(alarm.columns) <= silenced):
                    continue
                for destination in destinations:
                    key = fingerprint(alarm.id, destination)
                    db.execute(
                        "INSERT INTO modelwright_outbox (id, destination, body, next_try) VALUES (?, ?, ?, ?) "
                        "ON CONFLICT DO NOTHING",
                        (key, destination, body, now),
                    )
            # What lasts and is not found again was raised against another version: with that version it is over.
            lasting = db.execute("SELECT id FROM modelwright_alarms WHERE model = ? AND ended IS NULL", (model,))
            over = {key for (key,) in lasting} - {a.id for a in alarms}
            db.executemany("UPDATE modelwright_alarms SET ended = ? WHERE id = ?", [(now, i) for i in sorted(over)])
            db.execute(_KEEP_SEEN, (model, json.dumps(told)))
        return new

    def due(self, destinations: Sequence[str]) -> list[tuple[str, str, dict[str, Any]]]:
        """Claim the messages that are to be tried now: (id, destination, alarm)."""
        if not destinations:
            return []
        now = self._clock()
        marks = ", ".join("?" * len(destinations))
        with self._tables.writing() as db:
            rows = db.execute(
                "SELECT id, destination, body FROM modelwright_outbox "  # noqa: S608 - marks
                f"WHERE delivered IS NULL AND next_try <= ? AND destination IN ({marks}) "
                "ORDER BY next_try, id LIMIT 100",
                (now, *destinations),
            ).fetchall()
            db.executemany(
                "UPDATE modelwright_outbox SET next_try = ? WHERE id = ?", [(now + CLAIM_SECONDS, r[0]) for r in rows]
            )
        return [(key, destination, json.loads(body)) for key, destination, body in rows]

    def delivered(self, key: str) -> None:
        """Note that a message arrived."""
        with self._tables.writing() as db:
            db.execute(
                "UPDATE modelwright_outbox SET delivered = ?, last_error = NULL WHERE id = ?", (self._clock(), key)
            )

    def failed(self, key: str, error: str) -> None:
        """Note that a message did not arrive; it is tried again after twice as long, an hour at most, for ever."""
        with self._tables.writing() as db:
            attempts = db.execute("SELECT attempts FROM modelwright_outbox WHERE id = ?", (key,)).fetchone()[0]
            wait = min(FIRST_WAIT_SECONDS * 2**attempts, LONGEST_WAIT_SECONDS)
            db.execute(
                "UPDATE modelwright_outbox SET attempts = attempts + 1, next_try = ?, last_error = ? WHERE id = ?",
                (self._clock() + wait, error[:200], key),
            )

    def undelivered(self) -> int:
        """Return how many messages wait."""
        return int(self._tables.rows("SELECT count(*) FROM modelwright_outbox WHERE delivered IS NULL")[0][0])

    def alarms(self, model: str | None = None) -> list[dict[str, Any]]:
        """Return the alarms of a model or of all, oldest first, with what was said to them."""
        query = "SELECT body, ended, acknowledged, acknowledged_by FROM modelwright_alarms"
        where, values = ("", ()) if model is None else (" WHERE model = ?", (model,))
        rows = self._tables.rows(f"{query}{where} ORDER BY time, id", values)
        return [
            {**json.loads(body), "ended": ended, "acknowledged": at, "acknowledged_by": by}
            for body, ended, at, by in rows
        ]

    def latest(self, model: str) -> dict[str, Any] | None:
        """Return what the latest pass saw, or None."""
        rows = self._tables.rows("SELECT body FROM modelwright_passes WHERE model = ?", (model,))
        return dict(json.loads(rows[0][0])) if rows else None

    def tallies(self, key: str) -> tuple[dict[float, tuple[int, bytes]], int]:
        """Return the windows that were counted, each with how many records it held then, and the ledger's mark.

        Args:
            key: Names all that counting depends on; another key knows nothing.
        """
        rows = self._tables.rows("SELECT start, n, body FROM modelwright_tallies WHERE key = ?", (key,))
        mark = self._tables.rows("SELECT mark FROM modelwright_marks WHERE key = ?", (key,))
        return {start: (n, body) for start, n, body in rows}, mark[0][0] if mark else 0

    def keep_tally(self, key: str, start: float, n: int, body: bytes) -> None:
        """Keep what was counted of one window."""
        with self._tables.writing() as db:
            db.execute(_KEEP_TALLY, (key, start, n, body))

    def mark(self, key: str, mark: int, gone: Sequence[float] = ()) -> None:
        """Note up to which outcome all windows are counted, and forget those the ledger no longer holds."""
        with self._tables.writing() as db:
            db.executemany(
                "DELETE FROM modelwright_tallies WHERE key = ? AND start = ?", [(key, start) for start in gone]
            )
            db.execute(_KEEP_MARK, (key, mark))

    def plan(self, key: str) -> dict[str, Any] | None:
        """Return the threshold that was worked out under a key, or None."""
        rows = self._tables.rows("SELECT body FROM modelwright_plans WHERE key = ?", (key,))
        return dict(json.loads(rows[0][0])) if rows else None

    def keep_plan(self, key: str, plan: dict[str, Any]) -> None:
        """Keep a threshold: working it out takes seconds, and it stays the same."""
        with self._tables.writing() as db:
            db.execute(_KEEP_PLAN, (key, json.dumps(plan)))

    def acknowledge(self, alarm: str, by: str) -> bool:
        """Note that a person knows of an alarm; False when there is none of this id."""
        if len(alarm) < ID_DIGITS_LEAST:
            return False
        with self._tables.writing() as db:
            done = db.execute(
                "UPDATE modelwright_alarms SET acknowledged = ?, acknowledged_by = ? WHERE substr(id, 1, ?) = ?",
                (self._clock(), by, len(alarm), alarm),
            )
            return bool(done.rowcount > 0)

    def silence(self, model: str, column: str, seconds: float) -> None:
        """Send no messages about a column (or, empty, about the model) for some time; alarms are still recorded."""
        with self._tables.writing() as db:
            db.execute(
                "INSERT INTO modelwright_silences (model, column_name, until) VALUES (?, ?, ?)",
                (model, column, self._clock() + seconds),
            )

    def close(self) -> None:
        """Close the connection."""
        self._tables.close()


def _unavailable(place: str, got: str) -> WatchUnavailable:
    fix = "check the disk or the server and who may write there, or give another place with --state"
    return WatchUnavailable("the state of watching can be read and written", where=place, got=got, fix=fix)
