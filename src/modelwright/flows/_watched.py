"""Where watching keeps what it knows: its state, and what it last saw, for a service that is asked for its metrics."""

from __future__ import annotations

from pathlib import Path

from modelwright.registry.ledger import is_database


def folder_of(ledger: str) -> Path:
    """Return where watching keeps its files: beside a ledger that is a file, else in the project."""
    return Path(".modelwright") if is_database(ledger) else Path(ledger).parent


def state_of(state: str | None, ledger: str) -> str:
    """Return where the state of watching is: in the ledger's database, or in a file beside a ledger that is a file."""
    return state or (ledger if is_database(ledger) else str(folder_of(ledger) / "watch.db"))


def metrics_file(folder: Path, model: str) -> Path:
    """Return the file that the latest look at a model wrote its metrics to."""
    return folder / f"watched-{model}.prom"


def told_by_watching(folder: Path, model: str) -> bytes:
    """Return the metrics of the latest look, or nothing where nobody looked yet."""
    try:
        return metrics_file(folder, model).read_bytes()
    except OSError:
        return b""
