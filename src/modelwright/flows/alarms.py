"""Alarms: what was raised, and what a person says to it."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Any

from modelwright.core.errors import InvalidSetting, WatchUnavailable
from modelwright.core.settings import parse_duration
from modelwright.flows._watched import state_of
from modelwright.monitoring.state import WatchState
from modelwright.registry.ledger import may_be_there
from modelwright.reports.replay import day, effect
from modelwright.reports.terminal import wrapped


@dataclass(frozen=True, slots=True)
class Alarms:
    """The alarms of watched models, oldest first."""

    alarms: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``alarms --json`` prints."""
        return {"alarms": self.alarms}

    def summary(self, width: int) -> str:
        """Return one line an alarm."""
        return "\n".join(_line(a, width) for a in self.alarms) or "no alarms"


def _line(alarm: dict[str, Any], width: int) -> str:
    state = "ended" if alarm["ended"] else f"known to {alarm['acknowledged_by']}" if alarm["acknowledged"] else "lasts"
    return wrapped(
        f"{alarm['id'][:8]}  {day(alarm['time'])}  {state}  {alarm['model']}: {alarm['title']}{effect(alarm)}", width
    )


def alarms(
    *,
    ledger: str = ".modelwright/ledger.db",
    state: str | None = None,
    model: str | None = None,
    acknowledge: str | None = None,
    by: str | None = None,
    silence: str | None = None,
    column: str = "",
) -> Alarms:
    """List alarms, after having acknowledged or silenced what is asked.

    Args:
        ledger: Of the service that is watched: a file or ``postgresql://…``.
        state: Where the state of watching is; beside or in the ledger when None.
        model: Of this model only.
        acknowledge: Id of an alarm, or its first six digits or more.
        by: Who acknowledges; the user of this machine when None.
        silence: For how long no messages are sent about the model, such as ``7d``.
        column: Only about this column.

    Raises:
        WatchUnavailable: There is no such state.
        InvalidSetting: There is no such alarm, or no model is named to be silenced.
    """
    place = state_of(state, ledger)
    if not may_be_there(place):
        fix = "watch first: modelwright watch NAME"
        raise WatchUnavailable("alarms are those of a model that is watched", where=place, got="no such file", fix=fix)
    opened = WatchState(place)
    try:
        if acknowledge is not None and not opened.acknowledge(acknowledge, by or getpass.getuser()):
            fix = "give at least six digits of an id that `modelwright alarms` lists"
            raise InvalidSetting(
                "an alarm that is acknowledged exists", where="--acknowledge", got=acknowledge, fix=fix
            )
        if silence is not None:
            if model is None:
                raise InvalidSetting("silence is for a model", where="--silence", fix="name it with --model")
            opened.silence(model, column, parse_duration(silence, where="--silence"))
        return Alarms(opened.alarms(model))
    finally:
        opened.close()
