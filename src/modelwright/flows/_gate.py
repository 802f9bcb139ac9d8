"""The gate: the nine checks of one candidate, in their order, wired to what they need."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.contract import Contract, Kind
from modelwright.core.errors import ContractBroken, ModelwrightError
from modelwright.core.fingerprint import plain
from modelwright.core.score import Score
from modelwright.core.settings import Settings
from modelwright.core.verdict import Check, Outcome, Verdict
from modelwright.data.conforming import conform
from modelwright.evaluation import behaviour, gate, parts
from modelwright.flows._documents import CARD, documents, view_of
from modelwright.flows._rows import answers, in_common, sealed_answers
from modelwright.flows.builtin import catalogue
from modelwright.flows.versions import own_version
from modelwright.packaging.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.policy import Policy
    from modelwright.core.table import Table
    from modelwright.flows._rows import Labelled
    from modelwright.flows._shadow import Shadowed
    from modelwright.packaging.package import Package
    from modelwright.registry.version import Version

ROWS_TRIED = 1_000
"""Rows of the table on which behaviour is tried."""
SECTIONS = (
    *("Model details", "Intended use", "Out of scope", "Training data", "Evaluation", "Limitations"),
    *("How to use", "Provenance"),
)
"""What a complete card tells."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the gate looks at.

    Attributes:
        version: The candidate.
        path: Its package's folder.
        package: The candidate's package.
        champion: The champion's package, or None.
        policy: The rules.
        table: A labelled table that was given, or None.
        rows: Its rows whose target is known.
        shadowed: What the shadow recorded, or None.
        approving: Hash, person and reason of the audit log's approvals; None where others' logs may hold them.
        looks: Fingerprints of earlier candidates by the name of the rows they were compared on.
    """

    version: Version
    path: Path
    package: Package
    champion: Package | None
    policy: Policy
    table: Table | None = None
    rows: Labelled | None = None
    shadowed: Shadowed | None = None
    approving: frozenset[tuple[Any, Any, Any]] | None = None
    looks: Mapping[str, frozenset[str]] | None = None


def judge(case: Case) -> Verdict:
    """Return the verdict on a candidate."""
    package, policy = case.package, case.policy
    task, evidence = package.model.task, package.evidence
    validated = validation_of(package)
    checks = (
        gate.screen(evidence, package.findings, contract_faults(package), policy),
        gate.validate(validated, task, policy),
        gate.test(validated, evidence.kpis, task, policy),
        reproduce(case),
        behave(case),
        _shadow(case),
        gate.document(task, evidence, sealed_answers(package), card_faults(package), policy),
        _compare(case),
        gate.approve(_approvals(case), case.version.author, policy),
    )
    champion = "" if case.champion is None else case.champion.fingerprint
    return Verdict(package.fingerprint, policy.fingerprint, checks, champion)


def validation_of(package: Package) -> dict[str, Score]:
    """Return the cross-validated measures that a package's record holds; empty when it holds none."""
    try:
        return {k: Score(k, **_finite(v)) for k, v in package.record.get("validation", {}).items()}
    except (TypeError, AttributeError, ModelwrightError):
        return {}


def _finite(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: float("nan") if v is None and k in ("value", "low", "high") else v for k, v in data.items()}


def contract_faults(package: Package) -> list[str]:
    """Return what is wrong with a package's contract."""
    contract, task, faults = package.model.contract, package.model.task, []
    if contract.fingerprint != package.manifest.parents.get("contract"):
        faults.append("its contract is not the one it was trained under")
    if task.target not in contract:
        faults.append(f"its contract does not know the target {task.target!r}")
    if not contract.inputs:
        faults.append("its contract asks for no column")
    if Contract.from_dict(json.loads(json.dumps(contract.to_dict()))) != contract:
        faults.append("its contract cannot be written down and read again")
    return faults


def card_faults(package: Package) -> list[str]:
    """Return what is wrong with a package's card: absent, incomplete, or not what its evidence says."""
    content = package.documents.get(CARD)
    if content is None:
        return ["the card is missing"]
    text = content.decode(errors="replace")
    faults = [f"the card has no section {s!r}" for s in SECTIONS if f"\n## {s}\n" not in text]
    if package.evidence.fingerprint != package.manifest.parents.get("evidence"):
        faults.append("the evidence is not the one the package was made with")
    name = _name_in(text)
    if name is None:
        return [*faults, "the card does not name its model"]
    if package.manifest.version == own_version():
        again = documents(view_of(package, name))
        faults += [f"{k} is stale" for k, drawn in again.items() if package.documents.get(k) != drawn]
    return faults


def _name_in(card: str) -> str | None:
    """Return the model's name in a card's front matter."""
    line = next((x for x in card.splitlines() if x.startswith("  - name: ")), "")
    try:
        name = json.loads(line.removeprefix("  - name: "))
    except ValueError:
        return None
    return name if isinstance(name, str) else None


def reproduce(case: Case) -> Check:
    """Check that a package replays its golden answers, says what it was made from, and can be made again."""
    manifest, policy = case.package.manifest, case.policy
    known: dict[str, Any] = {
        "data": manifest.data.get("fingerprint", ""),
        "version": manifest.version,
        "versions": dict(manifest.versions),
        "golden_rows": len(case.package.golden.records),
    }
    faults = [f"its manifest does not tell its {k}" for k in ("data", "version", "versions") if not known[k]]
    try:
        read(case.path, catalogue())
    except ModelwrightError as error:
        faults.append(f"its golden rows are not replayed: {error.rule}, {error.got}")
    if faults:
        return Check("reproduce", Outcome.FAIL, f"{'; '.join(faults)}.", known, policy.requires("reproduce"))
    refit = _refit(case) if policy["reproduce", "refit"] != "never" else ("", Outcome.PASS)
    told = f"It replays its {known['golden_rows']} golden rows, and its data, code and versions are on record"
    reason = f"{told}{refit[0] and '; '}{refit[0]}."
    return Check("reproduce", refit[1], reason, {**known, "refit": refit[0]}, policy.requires("reproduce"))


def _refit(case: Case) -> tuple[str, Outcome]:
    """Make the model anew from its table when that is at hand, and compare fingerprints."""
    options, missing = dict(case.package.manifest.options), ""
    is_given = case.table is not None and case.table.fingerprint == case.package.manifest.data.get("fingerprint")
    if "effort" not in options:
        missing = "it was trained against the clock, so it cannot be fitted anew to the same bits"
    elif "contract" in options or not _is_fraction(options.get("test")):
        missing = "it was trained with more files than its table, so it was not fitted anew"
    elif not is_given:
        missing = "it was not fitted anew, since its training table was not given with --data"
    if missing:
        is_asked = case.policy["reproduce", "refit"] == "always"
        return missing, Outcome.UNDECIDED if is_asked else Outcome.PASS
    from modelwright.flows.api import run_of
    from modelwright.flows.train import train

    assert case.table is not None
    with tempfile.TemporaryDirectory(prefix="modelwright-") as folder:
        options.pop("budget", None)
        settings = Settings.of({**options, "out": str(Path(folder) / "again.model")})
        again = train(case.table.frame, settings, run_of(settings)).package.fingerprint
    if again != case.package.fingerprint:
        return f"fitted anew it has another fingerprint, {again}", Outcome.FAIL
    return "fitted anew it has the same fingerprint", Outcome.PASS


def _is_fraction(test: object) -> bool:
    try:
        return test is None or 0 < float(str(test)) < 1
    except ValueError:
        return False


def behave(case: Case) -> Check:
    """Check how a model behaves when rows are shaken, and how it treats slices and groups."""
    package, policy = case.package, case.policy
    frame = conform(_some_rows(case), package.model.contract, only_inputs=True).frame
    failed, doubtful, known = behaviour.behave(subject_of(package, frame), policy)
    groups = policy["behave", "groups"]
    if case.rows is not None:
        said, places = answers(package, case.rows)
        raw = case.rows.frame[places]
        if len(said.target):
            columns = columns_of(conform(raw, package.model.contract, only_inputs=True).frame)
            worst, known["slices"] = parts.slices(package.model.task, said, columns, policy)
            named = {g: raw[g].cast(pl.String).fill_null("missing").to_list() for g in groups if g in raw.columns}
            apart, unsure, known["groups"] = parts.groups(package.model.task, said, named, policy)
            failed, doubtful = [*failed, *worst, *apart], [*doubtful, *unsure]
            doubtful += [f"the table has no column {g!r}" for g in groups if g not in raw.columns]
    elif groups:
        doubtful.append(f"groups of {', '.join(groups)} need labelled rows: give some with --data")
    outcome = Outcome.FAIL if failed else Outcome.UNDECIDED if doubtful else Outcome.PASS
    n = f"{known['rows']:,} {'rows of the table' if case.rows is not None else 'golden rows'}"
    tried = "noise, missing columns, unit errors" + "".join(
        f", {word}" for word, key in (("invariance", "invariance"), ("direction", "direction")) if key in known
    )
    told = "; ".join([*failed, *doubtful][:8]) or f"{tried} stay inside their limits on {n}"
    return Check("behave", outcome, f"{told[0].upper()}{told[1:]}.", plain(known), policy.requires("behave"))


def _some_rows(case: Case) -> pl.DataFrame:
    if case.rows is None:
        return pl.DataFrame(list(case.package.golden.records), infer_schema_length=None)
    frame = case.rows.frame
    return frame if frame.height <= ROWS_TRIED else frame.sample(ROWS_TRIED, seed=0)


def subject_of(package: Package, frame: pl.DataFrame) -> behaviour.Subject:
    """Return a model as its behaviour is tried: columns in, scores out, by the path that batches take."""
    model = package.model

    def conformed(columns: Mapping[str, Array]) -> Any:
        series = [pl.Series(k, v.tolist(), dtype=frame.schema[k], nan_to_null=True) for k, v in columns.items()]
        return pl.DataFrame(series) if series else frame.select([])

    def ask(columns: Mapping[str, Array]) -> Floats:
        given = conformed(columns)
        absent = [c for c in frame.columns if c not in columns]
        given = given.with_columns(pl.lit(None, dtype=frame.schema[c]).alias(c) for c in absent)
        return model.scores(given.select(frame.columns))

    def notices(columns: Mapping[str, Array]) -> bool:
        before = {b.column for b in conform(frame, model.contract, only_inputs=True).breaks}
        try:
            found = conform(conformed(columns), model.contract, only_inputs=True).breaks
        except ContractBroken:
            return True
        return any(b.column not in before or b.rule == "out of range" for b in found)

    kinds = {c.name: c.kind for c in model.contract.inputs}
    numbers = tuple(c for c in frame.columns if kinds.get(c) is Kind.NUMBER)
    is_class = model.task.is_classification
    return behaviour.Subject(ask, model.choices, notices, columns_of(frame), numbers, is_class)


def columns_of(frame: pl.DataFrame) -> dict[str, Array]:
    """Return the columns of a conformed frame: floats with NaN for missing, or text with None."""
    numeric = frame.schema
    return {
        name: frame[name].fill_null(float("nan")).to_numpy()
        if numeric[name] == pl.Float64
        else np.array(frame[name].to_list(), dtype=object)
        for name in frame.columns
    }


def _shadow(case: Case) -> Check:
    found, package = case.shadowed, case.package
    if found is None or case.champion is None:
        return gate.shadow(None, None, 0.0, case.policy)
    spread = 0.0
    if not package.model.task.is_classification:
        spread = behaviour.REGRESSION_STEP * float(np.std(found.champion))
    pairs = gate.Answers(found.shadow, found.shadow, found.shadow)
    return gate.shadow(pairs, found.champion, spread, case.policy)


def _compare(case: Case) -> Check:
    """Hold a candidate against the champion, if there is one and it answers the same question."""
    binding, champion = case.policy.requires("compare"), case.champion
    if champion is None:
        return Check("compare", Outcome.NOT_APPLICABLE, "There is no champion to be held against.", {}, binding)
    if champion.fingerprint == case.package.fingerprint:
        return Check("compare", Outcome.NOT_APPLICABLE, "It is the champion's very package.", {}, binding)
    fault = other_question(case.package, champion)
    if fault:
        return Check("compare", Outcome.FAIL, f"It answers another question than the champion: {fault}.", {}, binding)
    one, other, words, name = in_common(case.package, champion, case.rows)
    before = (case.looks or {}).get(name, frozenset()) - {case.package.fingerprint}
    check = gate.compare(case.package.model.task, one, other, case.policy, rows=words, looks=len(before) + 1)
    return Check(check.name, check.outcome, check.reason, {**check.evidence, "rows_name": name}, check.is_binding)


def other_question(one: Package, other: Package) -> str:
    """Return how the questions of two models differ; empty when they do not."""
    a, b = one.model.task, other.model.task
    pairs = (("target", a.target, b.target), ("task", a.kind.value, b.kind.value), ("labels", a.labels, b.labels))
    return "; ".join(f"its {what} is {x}, not {y}" for what, x, y in pairs if x != y)


def _approvals(case: Case) -> Sequence[Mapping[str, Any]]:
    """Return the approvals of this very package; of a project's own store, those that its audit log knows."""
    version, entries = case.version, case.approving
    found = [
        a for a in version.approvals if a.get("fingerprint") == version.fingerprint and {"who", "reason"} <= a.keys()
    ]
    return found if entries is None else [a for a in found if (a.get("entry"), a["who"], a["reason"]) in entries]
