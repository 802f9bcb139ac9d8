"""Acts on a registered model that are written down: both happen, or what is missing is made up for.

Moving an alias and writing an entry of the audit log are two places, and a process may be killed between them. So the
entry is laid down in a file first, which its process holds locked; the store notes the act in the transaction that
does it. Whoever acts next finds a file that nobody holds, asks the store whether the act was done, and if it was writes
the entry.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelwright.flows._records import audit_of, now
from modelwright.flows._registry import person
from modelwright.registry.audit import KEYS, Note, head_of
from modelwright.registry.locking import held_open, locked
from modelwright.registry.version import ACT, HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from modelwright.registry.registry import Registry
    from modelwright.registry.version import Version

FOLDER, LOCK = "acts", "acts.lock"
REGISTER = "register"


def move(
    action: str,
    version: Version,
    within: Registry,
    done: Callable[[str], None],
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Note:
    """Move the champion and write it down.

    Args:
        action: As in the audit log: ``promote``, ``rollback``.
        version: What becomes the champion.
        within: The registry.
        done: Moves it, given the name of the act.
        reason: Why.
        detail: What else is to be known.
    """
    act = secrets.token_hex(8)
    known = {**(detail or {}), "act": act}
    note = Note(0, now(), person(), action, version.name, version.number, version.fingerprint, reason, known)
    with _laid_down(note, act, within) as path:
        done(act)
        return _write(note, within, path)


def register(
    name: str, fingerprint: str, within: Registry, made: Callable[[str], Version], *, detail: Mapping[str, Any]
) -> Version:
    """Register a package and write it down; ``made`` registers it with the name of the act among its tags."""
    act = secrets.token_hex(8)
    note = Note(0, now(), person(), REGISTER, name, 0, fingerprint, "", {**detail, "act": act})
    with _laid_down(note, act, within) as path:
        version = made(act)
        _write(_numbered(note, version.number), within, path)
        return version


def finish(within: Registry) -> int:
    """Make up for what killed processes left undone, and return how many acts were written down."""
    folder = within.home.folder / FOLDER
    if not folder.is_dir() or not any(folder.iterdir()):
        return 0
    n_written = 0
    with locked(within.home.folder / LOCK):
        for path in sorted(folder.glob("*.json")):
            with _free(path) as is_free:
                n_written += is_free and _finish(path, within)
    return n_written


@contextmanager
def _free(path: Path) -> Iterator[bool]:
    """Say whether the process that laid a file down is gone."""
    try:
        with held_open(path) as is_held:
            yield is_held and path.exists()
    except FileNotFoundError:  # it was done meanwhile
        yield False


def _finish(path: Path, within: Registry) -> bool:
    try:
        note = Note(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):  # killed while it was being laid down: nothing had been done yet
        path.unlink()
        return False
    version = _what_was_done(note, within)
    is_written = any(e.detail.get("act") == note.detail["act"] for e in audit_of(within).check().entries)
    if version is None or is_written:
        path.unlink()
        return False
    _write(_numbered(note, version), within, path)
    return True


def _what_was_done(note: Note, within: Registry) -> int | None:
    """Return the number of the version that an act was about, or None when the act was not done."""
    act = note.detail["act"]
    if note.action != REGISTER:
        return note.version if within.model_tags(note.model).get(ACT) == act else None
    versions = within.versions(note.model) if note.model in within.names() else ()
    found = next((v.number for v in versions if v.tags.get(ACT) == act), None)
    if found is not None and found == versions[-1].number and not versions[-1].aliases:
        within.challenge(note.model, found)
    return found


@contextmanager
def _laid_down(note: Note, act: str, within: Registry) -> Iterator[Path]:
    path = within.home.folder / FOLDER / f"{act}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.touch()
    with held_open(part):
        with part.open("wb") as file:
            file.write(json.dumps({k: getattr(note, k) for k in KEYS}, default=dict).encode())
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)  # the lock is on the file, whatever it is called
        yield path  # whoever is refused leaves it: the next to act sees that nothing was done


def _write(note: Note, within: Registry, path: Path) -> Note:
    made = audit_of(within).append(note)
    within.tag(note.model, {HEAD: head_of(made)})
    path.unlink(missing_ok=True)
    return made


def _numbered(note: Note, number: int) -> Note:
    return Note(**{**{k: getattr(note, k) for k in KEYS}, "version": number})
