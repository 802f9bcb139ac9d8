"""Upgrade check: every package, replayed under the versions that are installed, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidSetting, ModelwrightError
from modelwright.core.machine import cores
from modelwright.flows._registry import registry
from modelwright.flows.resolve import resolve
from modelwright.registry.names import may_be_ref

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.ports import Progress
    from modelwright.registry.registry import Registry
    from modelwright.registry.version import Version

TIMEOUT_SECONDS = 300.0
SAME, DIFFERENT, UNREADABLE = "same", "different", "unreadable"
CODE = "from modelwright.flows._replaying import main; main()"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of replaying packages.

    Attributes:
        packages: One entry each: ``name``, ``verdict`` (``same``, ``different``, ``unreadable``), ``max_difference``,
            ``allowed``, ``changed`` (versions then and now), ``golden``, ``measures``, ``sealed``, ``reason``.
        python: The interpreter they were replayed by.
    """

    packages: tuple[dict[str, Any], ...]
    python: str

    @property
    def is_same(self) -> bool:
        """Whether all give the answers they gave."""
        return all(p["verdict"] == SAME for p in self.packages)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``upgrade-check --json`` prints."""
        counts = {v: sum(p["verdict"] == v for p in self.packages) for v in (SAME, DIFFERENT, UNREADABLE)}
        return {"is_same": self.is_same, "counts": counts, "packages": list(self.packages)}

    def summary(self, width: int) -> str:
        """Return it as plain text for a terminal of this width."""
        from modelwright.reports.upgrades import as_text

        return as_text(self.to_dict(), width)

    def document(self, form: str) -> str:
        """Return it as ``junit``: one test case a package."""
        from modelwright.reports import upgrades

        return {"junit": upgrades.as_junit}[form](self.to_dict())


def upgrade_check(
    models: Sequence[str] = (),
    *,
    data: str | None = None,
    python: str | None = None,
    tell: Callable[[Progress], None] | None = None,
    within: Registry | None = None,
) -> Checked:
    """Replay packages and say which still give the same answers.

    Golden rows are answered by the row path and the batch path; every measure is computed again from the sealed rows'
    scores; sealed rows are answered again where the delivered model is the judged one and its table is at hand.

    Args:
        models: Packages by path, or names (``churn`` stands for all its versions, ``churn@4`` for one); all that is
            registered when empty.
        data: The table of a package's sealed rows; None for where its manifest says it was.
        python: Another interpreter, such as that of an environment with newer versions; this one when None.
        tell: Takes progress events.
        within: The registry; this project's when None.

    Raises:
        UnknownModel: A name is not registered.
        InvalidSetting: There is no such interpreter.
    """
    runner = python or sys.executable
    if python is not None and not os.access(python, os.X_OK):
        raise InvalidSetting(
            "an interpreter is a file that can be run", where="--python", got=python, fix="give …/bin/python"
        )
    places = _places(models, within or registry())
    run = _teller(tell)

    def one(place: tuple[str, Path | ModelwrightError, str]) -> dict[str, Any]:
        run(place[0])
        return _checked(*place, data=data, python=runner)

    with ThreadPoolExecutor(min(cores(), 8)) as pool:
        return Checked(tuple(pool.map(one, places)), runner)


def _teller(tell: Callable[[Progress], None] | None) -> Callable[[str], None]:
    from modelwright.core.ports import Progress as Event

    return lambda name: None if tell is None else tell(Event("replay", name))


def _places(models: Sequence[str], within: Registry) -> list[tuple[str, Path | ModelwrightError, str]]:
    """Return title, place and fingerprint on record of every package that is asked about."""
    if not models:
        return [_place(v, within) for v in within.versions()]
    found: list[tuple[str, Path | ModelwrightError, str]] = []
    for model in models:
        if may_be_ref(model) and "@" not in model and model in within.names():
            found += [_place(v, within) for v in within.versions(model)]
        else:
            place = resolve(model, within=within)
            found.append((place.title, place.path, place.fingerprint))
    return found


def _place(version: Version, within: Registry) -> tuple[str, Path | ModelwrightError, str]:
    """Return where a version lies, or what keeps it from being fetched: one lost package stops no others."""
    title = f"{version.name}@{version.number}"
    try:
        return title, within.fetch(version), version.fingerprint
    except ModelwrightError as error:
        return title, error, version.fingerprint


def _checked(
    name: str, place: Path | ModelwrightError, fingerprint: str, *, data: str | None, python: str
) -> dict[str, Any]:
    if isinstance(place, ModelwrightError):
        return _unreadable(name, f"{place.rule}: {place.got}")
    try:
        done = subprocess.run(  # noqa: S603 - a Python that the user named, with the request on its standard input
            [python, "-c", CODE],
            input=json.dumps({"path": str(place), "data": data}),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _unreadable(name, f"it did not answer within {TIMEOUT_SECONDS:g} s")
    try:
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        said = done.stderr.strip().splitlines()
        return _unreadable(name, f"its process ended with {done.returncode}: {said[-1][:200] if said else ''}")
    if told["error"] is not None:
        return _unreadable(name, f"{told['error']['code']} {told['error']['rule']}: {told['error']['found']}".strip())
    if fingerprint and told["fingerprint"] != fingerprint:
        return _unreadable(name, "it is not the package that was registered")
    return _judged(name, told)


def _unreadable(name: str, reason: str) -> dict[str, Any]:
    blank: dict[str, Any] = {"max_difference": None, "allowed": None, "changed": [], "golden": None}
    return {"name": name, "verdict": UNREADABLE, "reason": reason, **blank, "measures": None, "sealed": None}


def _judged(name: str, told: dict[str, Any]) -> dict[str, Any]:
    answers = [told[k] for k in ("golden", "sealed") if told[k] is not None]
    rows = sum(a["rows"] for a in answers)
    most = max(a["max_difference"] for a in answers)
    parts = []
    if not all(a["is_same"] for a in answers):
        parts.append(f"answers are up to {most:.3g} apart")
    measures = told["measures"]
    if measures is not None and not measures["is_same"]:
        parts.append(
            f"{measures['worst']} recomputes to another number, {100 * measures['max_difference']:.2g} % apart"
        )
    reason = "; ".join(parts) or (
        f"{rows:,} rows answer {'to the last bit' if most == 0 else 'within the tolerance'} as they did"
        + (f", {measures['count']} measures recompute" if measures is not None else "")
    )
    return {
        "name": name,
        "verdict": DIFFERENT if parts else SAME,
        "reason": reason,
        "max_difference": most,
        "allowed": told["golden"]["allowed"],
        "changed": told["changed"],
        "golden": told["golden"],
        "measures": measures,
        "sealed": told["sealed"],
    }
