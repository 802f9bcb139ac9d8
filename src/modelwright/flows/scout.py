"""Scout: what learners, versions and presets that a champion does not use would have won on the user's own data."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidSetting, ModelwrightError, NothingToLearn, UnknownName, closest
from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.core.settings import Settings
from modelwright.core.split import How
from modelwright.data.reading import read as read_table
from modelwright.data.splitting import fold
from modelwright.evaluation.many import is_surely_better
from modelwright.features.arithmetic import Arithmetic
from modelwright.features.recipe import Step
from modelwright.flows._methods import dependencies, methods
from modelwright.flows._preparing import prepare, read_sealed
from modelwright.flows._registry import project_folder, registry
from modelwright.flows._replaying import changed
from modelwright.flows.api import run_of
from modelwright.flows.builtin import LEARNERS, catalogue
from modelwright.flows.load import load
from modelwright.flows.register import register
from modelwright.flows.resolve import resolve
from modelwright.flows.retrain import members_of
from modelwright.flows.train import train
from modelwright.flows.versions import library_versions, own_version
from modelwright.registry.version import PREFIX
from modelwright.search.portfolio import Candidate
from modelwright.search.problem import Material, Problem
from modelwright.search.scouting import PROMISE_SHARE, Looked, broken_promises, contenders
from modelwright.search.scouting import scout as race

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.ports import Progress
    from modelwright.core.run import Run
    from modelwright.core.split import Folds
    from modelwright.flows._preparing import Prepared
    from modelwright.packaging.package import Package

WEIGHTS = "MODELWRIGHT_TABICL_WEIGHTS"
"""Names the file of TabICL weights for ``scout``; without it the foundation model is not raced."""
LOCK = "requirements.txt"
HOLDOUT_LEAST, HOLDOUT_MOST = 0.15, 0.25


@dataclass(frozen=True, slots=True)
class Scouting:
    """What is asked of a look around.

    Attributes:
        data: The champion's table; None for where its manifest says it was.
        budget: Wall-clock limit, seconds.
        threads: All cores when None.
        seed: The champion's when None.
    """

    data: str | None = None
    budget: float | None = 300.0
    threads: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a look around.

    Attributes:
        told: ``model``, ``metric``, ``champion`` (value, price, members, value on record), ``versions`` (changed since
            it was made), ``contenders`` (best beside the champion first), ``next`` (a command, or empty), plain data.
    """

    told: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``scout --json`` prints."""
        return self.told

    def summary(self, width: int) -> str:
        """Return it as plain text for a terminal of this width."""
        from modelwright.reports.scouting import as_text

        return as_text(self.told, width)


@dataclass(frozen=True, slots=True)
class Listed:
    """The known methods and the versions that models rest on."""

    told: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``scout --catalogue --json`` prints."""
        return self.told

    def summary(self, width: int) -> str:
        """Return it as plain text for a terminal of this width."""
        from modelwright.reports.scouting import catalogue_text

        return catalogue_text(self.told, width)


def scout(model: str, asked: Scouting, *, tell: Callable[[Progress], None] | None = None) -> Found:
    """Race what the champion does not use against it, on its own folds; nothing is adopted.

    Every learner that can be imported takes part with its presets, plug-ins after their promises were checked. The
    sealed rows are not looked at: they are for the gate.

    Args:
        model: A registered name, or a package.
        asked: Data, budget.
        tell: Takes progress events.

    Raises:
        NothingToLearn: The champion's table is not at hand.
        UnknownModel: There is no such model.
    """
    package = load(model).package
    run = _run(package, asked, tell)
    known = _prepared(package, asked.data, run)
    everything = Problem(known.frame, known.target, known.weight, known.contract, known.task, run.seed)
    training = everything.take(known.split.train)
    material = _material(training, package)
    folds = _folds(training, package, run)
    members = _members(package)
    own = [str(c["name"]) for c in package.record.get("candidates", ()) if not c.get("weight", 0) > 0]
    found = contenders(_importable(run), [c for c, _ in members], _settings(), own)
    sound, broken = _sound(found, material, run)
    done = race(material, folds, members, sound, run)
    looked = [_entry(one) for one in (*done.looked, *broken)]
    looked.sort(key=lambda e: _rank(e, done.metric))
    here = {"modelwright": own_version(), **library_versions()}
    before = package.record.get("validation", {}).get(done.metric, {})
    told = {
        "model": model,
        "fingerprint": package.fingerprint,
        "metric": done.metric,
        "rows": done.rows,
        "folds": len(folds.folds),
        "champion": {
            "members": [c.name for c, _ in members],
            "value": done.value,
            "on_record": before.get("value"),
            "price": plain(done.price),
        },
        "versions": changed(package, here),
        "contenders": looked,
    }
    return Found({**plain(told), "next": _next(model, looked)})


def adopt(
    name: str, contender: str, asked: Scouting, *, tell: Callable[[Progress], None] | None = None
) -> dict[str, Any]:
    """Train a challenger that tries a contender and the champion's members first, and register it; the gate decides.

    Args:
        name: Of the registered model.
        contender: As ``scout`` names it.
        asked: Data, budget.
        tell: Takes progress events.

    Returns:
        ``version``, ``members``, ``is_member`` (whether the contender has weight in it) and ``next``.

    Raises:
        UnknownName: There is no such contender.
    """
    place = resolve(name)
    if not place.name:
        raise InvalidSetting(
            "a challenger is of a registered model", where="--train", got=name, fix="register it first"
        )
    package = load(name).package
    run = _run(package, asked, tell)
    members = members_of(package)
    every = contenders(_importable(run), members, _settings(), [])
    found = {c.name: c for one in every for c in _with_presets(one, run)}
    if contender not in found:
        fix = closest(contender, found)
        raise UnknownName("a contender is one that scout finds", where="--train", got=contender, fix=fix)
    folder = registry().home.folder / "scouted"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    out = folder / f"{place.name}-{package.fingerprint[:8]}.model"
    options = _options(package)
    options |= {"out": str(out), "budget": None if asked.budget is None else f"{asked.budget}s", "fresh": True}
    options["threads"] = asked.threads
    settings = Settings.of({k: v for k, v in options.items() if v is not None})
    source = asked.data or str(package.manifest.data["source"])
    done = train(source, settings, run_of(settings, tell=tell), first=(found[contender], *members))
    parents = {"why": "scout", "contender": contender, "champion_fingerprint": package.fingerprint}
    version = register(out, place.name, tags={f"{PREFIX}parents": json.dumps(parents)}, detail=parents).version
    used = [str(c["name"]) for c in done.package.record["candidates"] if c.get("weight", 0) > 0]
    follow = f"modelwright promote {place.name} {version.number} --data {source}"
    return {"version": version.number, "members": used, "is_member": contender in used, "next": follow}


def listed(model: str | None = None, *, lock: str | None = None) -> Listed:
    """Return the methods that are known, with what they need, and the versions that models rest on.

    Args:
        model: A registered name or a package, whose recorded versions are shown too; or None.
        lock: A requirements file with pins; ``requirements.txt`` of the project, if there is one, when None.

    Raises:
        InvalidSetting: The lock file cannot be read.
    """
    recorded: dict[str, str] = {}
    if model is not None:
        recorded = dict(load(model).package.manifest.versions)
    path = Path(lock) if lock else project_folder() / LOCK
    if lock and not path.is_file():
        raise InvalidSetting("a lock file is a file with pins", where="--lock", got=lock, fix="give requirements.txt")
    found = dependencies(recorded, path if path.is_file() else None)
    plug_ins = [n for n in catalogue().names("learner") if n not in LEARNERS]
    return Listed({"methods": methods(plug_ins), "dependencies": found, "model": model})


def _run(package: Package, asked: Scouting, tell: Callable[[Progress], None] | None) -> Run:
    seed = package.manifest.seed if asked.seed is None else asked.seed
    limits = {"threads": asked.threads, "budget": None if asked.budget is None else f"{asked.budget}s", "seed": seed}
    settings = Settings.of({"target": package.model.task.target, **{k: v for k, v in limits.items() if v is not None}})
    return run_of(settings, tell=tell)


def _options(package: Package) -> dict[str, Any]:
    """Return the settings that a package was made with, but its limits and places."""
    options = dict(package.manifest.options)
    for key in ("budget", "effort", "out", "name", "threads", "memory", "fresh"):
        options.pop(key, None)
    return options


def _prepared(package: Package, data: str | None, run: Run) -> Prepared:
    """Return the champion's rows as its training saw them: the same contract, split and order."""
    settings = Settings.of(_options(package))
    source = data or str(package.manifest.data["source"])
    try:
        return prepare(read_table(source, query=settings.query), read_sealed(settings), settings, run)
    except ModelwrightError as error:
        raise NothingToLearn(
            "the rows a model learnt from are at hand when others are tried on them",
            where=source,
            got=f"{error.rule}: {error.got}",
            fix="name its table with --data",
        ) from error


def _material(training: Problem, package: Package) -> Material:
    """Return the champion's features of its training rows, the sums and ratios that its search found included."""
    material = Material.prepare(training)
    crafts = getattr(package.model.plan, "crafts", ())
    steps = [
        Step(left, operation, "of the champion", right)
        for craft in crafts
        if isinstance(craft, Arithmetic)
        for operation, left, right in craft.terms
    ]
    return material.with_arithmetic(steps) if steps else material


def _folds(training: Problem, package: Package, run: Run) -> Folds:
    """Return the folds that the champion's search compared candidates on."""
    known = package.record["folds"]
    count, n = int(known["count"]), training.n_rows
    holdout = None
    if count == 1:
        holdout = min(max(HOLDOUT_LEAST, 5_000 / n), HOLDOUT_MOST, 20_000 / n)
    return fold(
        training.frame,
        training.task,
        training.target,
        np.arange(n),
        n_folds=max(count, 2),
        holdout=holdout,
        seed=run.seed,
        how=How(known["how"]),
        contract=training.contract,
    )


def _members(package: Package) -> list[tuple[Candidate, float]]:
    """Return the champion's members as they were fitted, with their weights."""
    found = [c for c in package.record.get("candidates", ()) if c.get("weight", 0) > 0]
    if not found:
        raise NothingToLearn(
            "a package's record tells its members", where="record", got="none", fix="train the model anew"
        )
    return [(Candidate(str(c["name"]), str(c["learner"]), dict(c["params"])), float(c["weight"])) for c in found]


def _importable(run: Run) -> list[str]:
    """Return the learners whose libraries are here."""
    found = []
    for name in run.catalogue.names("learner"):
        try:
            run.catalogue.find("learner", name)
        except Exception:  # noqa: S112 - a plug-in that cannot even be imported is no contender
            continue
        if name != "constant":
            found.append(name)
    return found


def _settings() -> dict[str, dict[str, Any]]:
    """Return what only the user can say of a learner."""
    weights = os.environ.get(WEIGHTS, "")
    return {"foundation": {"weights": weights}} if weights and Path(weights).is_file() else {}


def _sound(found: tuple[Candidate, ...], material: Material, run: Run) -> tuple[list[Candidate], list[Looked]]:
    """Return the contenders that may race: built-in ones, and plug-ins that keep the promises of a learner."""
    presets = [c for one in found for c in _with_presets(one, run)]
    budget = run.budget_seconds or 60.0
    sound, broken = [], []
    for candidate in presets:
        faults: list[str] = []
        if candidate.learner not in LEARNERS:
            run.say("scout", f"the promises of {candidate.name}")
            faults = broken_promises(candidate, material, run, seconds=PROMISE_SHARE * budget)
        if faults:
            broken.append(Looked(candidate, "breaks promises", "; ".join(faults[:5])))
        else:
            sound.append(candidate)
    return sound, broken


def _with_presets(candidate: Candidate, run: Run) -> list[Candidate]:
    """Return a plug-in's candidate, and one more for each of its own presets."""
    if candidate.learner in LEARNERS:
        return [candidate]
    presets = getattr(run.catalogue.find("learner", candidate.learner), "presets", {})
    more = [replace(candidate, name=f"{candidate.name} {n}", params=dict(p)) for n, p in dict(presets).items()]
    return [candidate, *more]


def _entry(one: Looked) -> dict[str, Any]:
    is_better = one.beside is not None and is_surely_better(one.beside)
    return {
        "name": one.candidate.name,
        "learner": one.candidate.learner,
        "why": one.candidate.why,
        "ended": one.ended,
        "reason": one.reason,
        "alone": None if one.alone is None else one.alone.to_dict(),
        "beside": None if one.beside is None else one.beside.to_dict(),
        "share": one.share,
        "price": None if one.price is None else plain(one.price),
        "is_surely_better": is_better or (one.alone is not None and is_surely_better(one.alone)),
    }


def _rank(entry: dict[str, Any], metric: str) -> tuple[int, float]:
    if entry["beside"] is None:
        return 1, 0.0
    value = entry["beside"]["value"]
    return 0, -value if MEASURES[metric].greater_is_better else value


def _next(model: str, looked: list[dict[str, Any]]) -> str:
    best = next((e for e in looked if e["is_surely_better"]), None)
    return "" if best is None else f"modelwright scout {model} --train {best['name']!r}"
