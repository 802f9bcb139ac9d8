"""Models: what is registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.flows._registry import registry
from modelwright.registry.names import CHALLENGER, CHAMPION, check_name
from modelwright.reports import numbers
from modelwright.reports.terminal import table

if TYPE_CHECKING:
    from modelwright.registry.registry import Registry
    from modelwright.registry.version import Version


@dataclass(frozen=True, slots=True)
class Models:
    """Registered versions, by name and number."""

    versions: tuple[Version, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``models --json`` prints."""
        return {"versions": [v.to_dict() for v in self.versions]}

    def summary(self, width: int) -> str:
        """Return one line a model: champion, challenger, how many versions."""
        if not self.versions:
            return "no model is registered; register one: modelwright register PACKAGE --name NAME"
        rows = [("model", "champion", "challenger", "versions", "measure of the champion", "newest")]
        for name in dict.fromkeys(v.name for v in self.versions):
            own = [v for v in self.versions if v.name == name]
            held = {alias: v for v in own for alias in v.aliases}
            first, second = held.get(CHAMPION), held.get(CHALLENGER)
            told = measure_of(first) if first else ""
            marks = (str(v.number) if v else "–" for v in (first, second))
            rows.append((name, *marks, str(len(own)), told, own[-1].created[:10]))  # type: ignore[arg-type]
        return "\n".join(table(rows, width=width))

    def details(self, width: int) -> str:
        """Return one line a version, newest first."""
        rows = [("version", "is", "measure", "registered", "by", "approved by")]
        for v in reversed(self.versions):
            approved = ", ".join(str(a.get("who", "")) for a in v.approvals)
            mark = next((a for a in v.aliases if a == CHAMPION), ", ".join(v.aliases))
            rows.append((str(v.number), mark, measure_of(v), v.created[:10], v.author, approved))
        return "\n".join(table(rows, width=width))


def measure_of(version: Version) -> str:
    """Return the measure a version was chosen by, with its interval."""
    m = version.metric
    name, value, low, high = (m.get(k) for k in ("name", "value", "low", "high"))
    if not all(isinstance(v, int | float) for v in (value, low, high)):
        return str(name or "")
    title = MEASURES[name].title if name in MEASURES else str(name)
    shown = numbers.measured(float(value), float(low), float(high))  # type: ignore[arg-type]
    return f"{title} {shown[0]} ({shown[1]} to {shown[2]})"


def models(name: str | None = None, *, within: Registry | None = None) -> Models:
    """Return the registered versions of one model, or of all.

    Args:
        name: Of the model, or None.
        within: The registry; this project's when None.

    Raises:
        UnknownModel: No model has this name.
        RegistryUnavailable: The registry cannot be read.
    """
    return Models((within or registry()).versions(None if name is None else check_name(name)))
