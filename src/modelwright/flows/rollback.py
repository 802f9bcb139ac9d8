"""Roll back: the champion before this one is champion again, once it has proved that it still answers the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import NotAllowed, UnknownModel
from modelwright.flows._acts import finish, move
from modelwright.flows._registry import registry
from modelwright.flows.promote import opened
from modelwright.registry.names import CHAMPION, Ref, check_name

if TYPE_CHECKING:
    from modelwright.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A way back that was taken.

    Attributes:
        name: Of the model.
        number: The champion now.
        before: The champion until now.
        fingerprint: Of the champion's package.
        golden_rows: Rows on which it proved that it gives the answers it gave when it was packaged.
    """

    name: str
    number: int
    before: int
    fingerprint: str
    golden_rows: int

    def to_dict(self) -> dict[str, Any]:
        """Return what ``rollback --json`` prints."""
        known = {"name": self.name, "version": self.number, "before": self.before}
        return {**known, "fingerprint": self.fingerprint, "golden_rows": self.golden_rows}


def rollback(name: str, *, reason: str = "", within: Registry | None = None) -> RolledBack:
    """Make the champion before this one the champion again.

    Its package is verified and its golden rows are replayed first; if they are not, nothing is moved.

    Args:
        name: Of the model.
        reason: Why; kept in the audit log.
        within: The registry; this project's when None.

    Raises:
        UnknownModel: There is no champion.
        NotAllowed: There was no other champion before.
        InvalidPackage: The earlier package was altered.
        IncompatiblePackage: It does not give its golden answers here.
    """
    within = within or registry()
    finish(within)
    champion = within.find(Ref(check_name(name)))
    earlier = [n for n in within.history(name)[:-1] if n != champion.number]
    if not earlier:
        raise NotAllowed(
            "there was another champion before this one",
            where=f"{name}@{CHAMPION}",
            got=f"only version {champion.number}",
            fix=f"promote another version: modelwright promote {name} NUMBER",
        )
    try:
        version = within.find(Ref(name, None, earlier[-1]))
    except UnknownModel as error:
        fix = f"promote another version: modelwright promote {name} NUMBER"
        raise NotAllowed(
            "the champion before this one is still registered", where=name, got=f"no version {earlier[-1]}", fix=fix
        ) from error
    _, package = opened(version, within, replay=True)
    rows = len(package.golden.records)
    back = lambda act: within.go_back(name, version.number, expected=champion.number, act=act)  # noqa: E731 - one use
    detail = {"before": champion.number, "golden_rows": rows}
    move("rollback", version, within, back, reason=reason, detail=detail)
    return RolledBack(name, version.number, champion.number, version.fingerprint, rows)
