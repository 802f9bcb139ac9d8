"""Register: a package becomes a version under a name."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import plain
from modelwright.flows import _acts as acts
from modelwright.flows._registry import person, registry
from modelwright.flows.builtin import catalogue
from modelwright.packaging.reading import read
from modelwright.packaging.writing import write
from modelwright.registry import version as keys
from modelwright.registry.names import check_name
from modelwright.registry.registry import Entry, Registry, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.packaging.package import Package
    from modelwright.registry.version import Version


@dataclass(frozen=True, slots=True)
class Registered:
    """A package that was registered.

    Attributes:
        version: What it became.
    """

    version: Version

    @property
    def title(self) -> str:
        """Its name and number: ``churn@4``."""
        return f"{self.version.name}@{self.version.number}"

    def to_dict(self) -> dict[str, Any]:
        """Return what ``register --json`` prints."""
        return self.version.to_dict()


def register(
    package: str | Path,
    name: str,
    *,
    within: Registry | None = None,
    tags: Mapping[str, str] | None = None,
    detail: Mapping[str, Any] | None = None,
    guard: Callable[[], None] = lambda: None,
) -> Registered:
    """Keep a package as the next version of a model; it becomes the challenger.

    Args:
        package: A package folder or file. It is verified and its golden rows are replayed first.
        name: Of the model: letters, digits, ``-`` and ``_``, a letter first, at most 64.
        within: The registry; this project's when None.
        tags: What else is kept with the version.
        detail: What else the audit log is to hold, plain data.
        guard: Asked in the moment the version is made; what it raises stops it.

    Raises:
        InvalidName: The name is none.
        InvalidPackage: It is damaged, altered, hostile, or no package.
        RegistryUnavailable: The store cannot be written.
    """
    check_name(name)
    opened = read(package, catalogue())
    within = within or registry()
    acts.finish(within)
    kept_in = within
    known = {"data": str(opened.manifest.data.get("fingerprint", "")), **(detail or {})}

    def made(folder: Path) -> Version:
        entry = entry_of(opened, folder)

        def once(act: str) -> Version:
            tagged = replace(entry, tags={**entry.tags, **(tags or {}), keys.ACT: act})
            return kept_in.register(name, tagged, guard=guard)

        return acts.register(name, opened.fingerprint, kept_in, once, detail=known)

    path = Path(package)
    if path.is_dir():
        return Registered(made(path))
    with tempfile.TemporaryDirectory(prefix="modelwright-") as folder:
        whole = Path(folder) / "package"
        write(whole, opened)
        return Registered(made(whole))


def entry_of(package: Package, folder: Path) -> Entry:
    """Return what the registry keeps of a package: how it was made, what was measured, from which data."""
    manifest, task = package.manifest, package.model.task
    params = {**manifest.options, "seed": manifest.seed, "final_fit_rows": manifest.split.get("final_fit", "")}
    tags = {
        keys.AUTHOR: person(),
        keys.TASK: f"{task.kind.value} of {task.target}",
        keys.METRIC: as_text(_metric(package)),
        keys.DATA: str(manifest.data.get("fingerprint", "")),
        f"{keys.PREFIX}contract_fingerprint": manifest.parents.get("contract", ""),
        f"{keys.PREFIX}split_fingerprint": str(manifest.split.get("fingerprint", "")),
        f"{keys.PREFIX}version": manifest.version,
    }
    named = {str(k): as_text(plain(v)) for k, v in params.items()}
    return Entry(folder, package.fingerprint, named, _measures(package), tags)


def _metric(package: Package) -> Mapping[str, Any]:
    name = package.model.task.metric
    score = package.evidence.kpis.get(name)
    if score is None:
        return {"name": name}
    return plain({"name": name, "value": score.value, "low": score.low, "high": score.high, "rows": score.n_rows})  # type: ignore[no-any-return]


def _measures(package: Package) -> dict[str, float]:
    """Return every measure with its ends, as far as they are numbers."""
    every = {}
    for name, score in package.evidence.kpis.items():
        ends = {name: score.value, f"{name}_low": score.low, f"{name}_high": score.high}
        every.update({k: float(v) for k, v in ends.items() if math.isfinite(v)})
    return every
