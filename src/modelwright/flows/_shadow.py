"""The shadow's answers beside the champion's, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.registry.shadows import LEDGER, shadowed

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.packaging.package import Package
    from modelwright.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Shadowed:
    """Answers to the same live rows, as positions of labels or as values, shape (n,) each."""

    shadow: Floats
    champion: Floats


def shadow_of(
    name: str, package: Package, champion: Package | None, within: Registry, ledger: str | None
) -> Shadowed | None:
    """Return what the candidate said as a shadow of the champion; None when it never was one."""
    if champion is None:
        return None
    address = ledger or str(within.home.folder / LEDGER)
    pairs = shadowed(address, name, shadow=package.fingerprint, champion=champion.fingerprint)
    if not pairs:
        return None
    task = package.model.task
    places: dict[Any, float] = {task.answer(label): float(i) for i, label in enumerate(task.labels)}

    def numbers(answers: list[Any]) -> Floats:
        known = [places.get(a, -1.0) if task.is_classification else float(a) for a in answers]
        return np.array(known, dtype=np.float64)

    return Shadowed(numbers([s for s, _ in pairs]), numbers([c for _, c in pairs]))
