"""The libraries that a service loads, with the versions and hashes of the lock: what an image is built from.

python requirements/serving.py [--check]

`modelwright export --to docker` puts the file this writes beside its recipe.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("dev.txt")
OUT = Path(__file__).parents[1] / "src" / "modelwright" / "packaging" / "recipes" / "requirements.txt"
NAMES = (
    *("click", "h11", "httptools", "lightgbm", "msgspec", "numpy", "prometheus-client"),
    *("psycopg", "psycopg-binary", "typing-extensions", "uvicorn", "uvloop"),
)
"""What is imported to answer, to record in SQLite or PostgreSQL, and nothing else; a test blocks everything else."""
_ENTRY = re.compile(r"^([a-z0-9-]+)==[^\n]*(?:\n    --hash[^\n]*)+", re.MULTILINE)


def derived(lock: str) -> str:
    """Return the entries of the lock that a service needs, in the lock's order, without its comments."""
    entries = [(found[1], found[0]) for found in _ENTRY.finditer(lock)]  # a name may have one for each Python
    missing = set(NAMES) - {name for name, _ in entries}
    if missing:
        raise SystemExit(f"not in the lock: {sorted(missing)}")
    return "\n".join(entry for name, entry in entries if name in NAMES) + "\n"


if __name__ == "__main__":
    text = derived(LOCK.read_text())
    if "--check" in sys.argv:
        sys.exit(0 if OUT.exists() and OUT.read_text() == text else f"{OUT} is not what the lock says")
    OUT.write_text(text)
