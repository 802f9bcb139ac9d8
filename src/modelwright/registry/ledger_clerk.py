"""The clerk's working day: carries lines into the ledger, waits out its absences, keeps to the retention."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import LedgerUnavailable
from modelwright.registry.ledger import open_ledger
from modelwright.registry.ledger_spool import Clerk

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.registry.ledger_privacy import Privacy

PAUSE_SECONDS = 0.05
_RETRY_SECONDS = 1.0
_RETAIN_EVERY_SECONDS = 3600.0
_DAY = 86_400.0


def keep(
    address: str | Path,
    folder: str | Path,
    privacy: Privacy,
    *,
    is_over: Callable[[], bool],
    say: Callable[[str], None],
    retain_days: int = 0,
) -> None:
    """Carry until told that it is over, and then what is left.

    Args:
        address: Of the ledger.
        folder: Of the spools. One clerk works in it at a time; a second one waits.
        privacy: Of the ledger.
        is_over: Asked between rounds.
        say: Told once when the ledger goes away, and when it is back.
        retain_days: Older predictions are removed; 0 keeps them.
    """
    Path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    with (Path(folder) / "clerk.lock").open("w") as lock:
        if not _locked(lock.fileno(), is_over):
            return
        clerk: Clerk | None = None
        is_away, retained = False, float("-inf")  # the clock may begin at the start of the machine
        while True:
            ending = is_over()
            try:
                if clerk is None:
                    clerk = Clerk(Path(folder), open_ledger(address, privacy))
                clerk.carry()
                if retain_days and time.monotonic() - retained > _RETAIN_EVERY_SECONDS:
                    clerk.ledger.retain(time.time() - retain_days * _DAY)
                    retained = time.monotonic()
                if is_away:
                    say("the ledger is back")
                is_away = False
            except LedgerUnavailable as error:
                if not is_away:
                    say(f"the ledger does not take predictions; they wait in the spool: {error.got}")
                is_away = True
            if ending:
                break
            time.sleep(_RETRY_SECONDS if is_away else PAUSE_SECONDS)
        if clerk is not None:
            clerk.ledger.close()


def _locked(file: int, is_over: Callable[[], bool]) -> bool:
    """Wait for the folder's lock; return whether this process has it."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system, and so one service per folder
        return True
    while not is_over():
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(PAUSE_SECONDS)
    return False
