"""Traffic: which versions answer beside the champion, changed while services run."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidSetting, NotAllowed
from modelwright.flows._registry import registry
from modelwright.registry.names import Ref, check_name
from modelwright.registry.version import TRAFFIC

if TYPE_CHECKING:
    from modelwright.registry.registry import Registry

OFF = 0
"""In place of a version: nobody."""
PERCENT = 5.0
"""Of the requests go to a canary when nobody says how many."""


@dataclass(frozen=True, slots=True)
class Rerouted:
    """Who answers beside the champion.

    Attributes:
        name: Of the model.
        canary: Number of the version that answers a part of the requests, or None.
        percent: Which part, above 0 to 100; 0 without a canary.
        shadow: Number of the version that is asked everything and answers nobody, or None.
    """

    name: str
    canary: int | None = None
    percent: float = 0.0
    shadow: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``traffic --json`` prints."""
        return {"name": self.name, "canary": self.canary, "percent": self.percent, "shadow": self.shadow}

    def summary(self) -> str:
        """Return it in words."""
        rest = f"{100 - self.percent:g} %" if self.canary else "every request"
        lines = [f"{self.name}@champion answers {rest}"]
        if self.canary:
            lines.append(f"{self.name}@{self.canary} answers {self.percent:g} % (canary)")
        if self.shadow:
            lines.append(f"{self.name}@{self.shadow} is asked everything and answers nobody (shadow)")
        return "\n".join(lines)


def rerouted(name: str, within: Registry | None = None) -> Rerouted:
    """Return who answers beside a model's champion now; what cannot be read stands for nobody."""
    try:
        said = json.loads((within or registry()).model_tags(name).get(TRAFFIC, "") or "{}")
        canary, percent, shadow = said.get("canary"), float(said.get("percent", 0.0)), said.get("shadow")
    except (ValueError, TypeError, AttributeError):
        return Rerouted(name)
    is_canary = type(canary) is int and canary > 0 and 0 < percent <= 100
    return Rerouted(
        name,
        canary if is_canary else None,
        percent if is_canary else 0.0,
        shadow if type(shadow) is int and shadow > 0 else None,
    )


def traffic(
    name: str,
    *,
    canary: int | None = None,
    percent: float | None = None,
    shadow: int | None = None,
    reason: str = "",
    within: Registry | None = None,
) -> Rerouted:
    """Say who answers beside a model's champion; services that run take it up within two seconds.

    Args:
        name: Of the model.
        canary: The version that answers a part of the requests; 0 to stop it, None to leave it.
        percent: Which part of them, above 0 to 100.
        shadow: The version that is asked everything and answers nobody; 0 to stop it, None to leave it.
        reason: Why; kept in the audit log.
        within: The registry; this project's when None.

    Returns:
        What holds now.

    Raises:
        UnknownModel: There is no such model, champion or version.
        NotAllowed: The champion is named, or a part of nobody's requests.
        InvalidSetting: The part is none.
    """
    within = within or registry()
    champion = within.find(Ref(check_name(name)))
    now = rerouted(name, within)
    if canary is None and percent is None and shadow is None:
        return now
    if percent is not None and not 0 < percent <= 100:
        raise InvalidSetting("a canary answers above 0 to 100 percent", where="--percent", got=percent, fix="try 5")
    for number in (canary, shadow):
        if number and within.find(Ref(name, None, number)).number == champion.number:
            got, fix = f"version {number}, the champion", f"see `modelwright models show {name}`"
            raise NotAllowed("a canary and a shadow stand beside the champion", where=name, got=got, fix=fix)
    then = _changed(now, canary, percent, shadow)
    told = {"canary": then.canary, "percent": then.percent, "shadow": then.shadow}
    within.tag(name, {TRAFFIC: json.dumps(told)})
    from modelwright.flows._records import note

    note("traffic", champion, within, reason=reason, detail=told)
    return then


def _changed(now: Rerouted, canary: int | None, percent: float | None, shadow: int | None) -> Rerouted:
    then = now if shadow is None else replace(now, shadow=shadow or None)
    if canary == OFF:
        return replace(then, canary=None, percent=0.0)
    number = canary or then.canary
    if percent is not None and number is None:
        fix = "give --canary NUMBER too"
        raise NotAllowed("a part of the requests is some version's", where=now.name, got="no canary", fix=fix)
    return then if number is None else replace(then, canary=number, percent=percent or then.percent or PERCENT)
