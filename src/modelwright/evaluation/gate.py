"""The gate's rules on evidence: each takes what is known about a candidate and returns one check."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.finding import Severity
from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.core.verdict import Check, Outcome
from modelwright.evaluation.figures import figures
from modelwright.evaluation.intervals import measure
from modelwright.evaluation.pairs import paired

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.evidence import Evidence
    from modelwright.core.finding import Finding
    from modelwright.core.policy import Policy
    from modelwright.core.score import Score
    from modelwright.core.task import Task

CLOSE = 1e-9
"""How far a recomputed number may lie from the one written down, relative to it: floating point, nothing more."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Rows with their truth and what one model said about them.

    Attributes:
        target: Encoded, shape (n,).
        scores: Values (n,) or probabilities (n, n_classes).
        choices: Positions of the labels answered, or the values.
        weight: Row weights, or None.
    """

    target: Array
    scores: Floats
    choices: Array
    weight: Floats | None = None


def screen(evidence: Evidence, findings: Sequence[Finding], contract_faults: Sequence[str], policy: Policy) -> Check:
    """Check that a model beats the baseline, that no severe finding is unanswered, and that its contract is valid."""
    gain = evidence.baselines.get("difference_to_constant", {})
    accepted = policy["screen", "accept"]
    severe = [f for f in findings if f.severity is Severity.SEVERE]
    open_ones = [f for f in severe if f.code not in accepted]
    known = {
        "gain_over_constant": gain,
        "metric": evidence.baselines.get("metric", ""),
        "severe": [{"code": f.code, "title": f.title, "accepted": f.code in accepted} for f in severe],
        "contract": list(contract_faults),
    }
    faults = list(contract_faults)
    faults += [f"{f.code} is unanswered: {f.title.rstrip('.')}" for f in open_ones]
    low, value = (_number(gain.get(k)) for k in ("low", "value"))
    if value <= 0:
        faults.append("it is no better than always giving the same answer")
    if faults:
        return _check("screen", Outcome.FAIL, f"{_sentence(faults)}.", known, policy)
    if not low > 0:
        reason = "The sealed rows cannot tell it from always giving the same answer."
        return _check("screen", Outcome.UNDECIDED, reason, known, policy)
    reason = "It beats always giving the same answer, no severe finding is open, and its contract is valid."
    return _check("screen", Outcome.PASS, reason, known, policy)


def validate(validated: Mapping[str, Score], task: Task, policy: Policy) -> Check:
    """Check that cross-validated measures meet the policy's thresholds.

    Args:
        validated: Measures of out-of-fold predictions; empty when the package does not hold them.
        task: Says which measures there are.
        policy: The thresholds.
    """
    if not validated:
        reason = "The package holds no cross-validated measures; train it anew with this version."
        return _check("validate", Outcome.UNDECIDED, reason, {}, policy)
    thresholds, is_strict = policy["validate", "thresholds"], policy["validate", "judged_by"] == "worse_end"
    faults, known = [], {}
    for name, limit in thresholds.items():
        score = validated.get(name)
        if score is None or math.isnan(score.value):
            faults.append(f"{name} does not exist for this {task.kind.value} model")
            continue
        greater = MEASURES[name].greater_is_better
        held = score.value if not is_strict else score.low if greater else score.high
        known[name] = {**score.to_dict(), "threshold": limit, "held": held}
        if not (held >= limit if greater else held <= limit):
            faults.append(f"{name} is {held:.4g}, {'at least' if greater else 'at most'} {limit:g} is asked")
    asked = validated[task.metric]
    known.setdefault(task.metric, asked.to_dict())
    if faults:
        return _check("validate", Outcome.FAIL, f"{_sentence(faults)}.", known, policy)
    told = f"Cross-validated {task.metric} is {_with_ends(asked)} on {asked.n_rows:,} rows"
    reason = f"{told}; {'every threshold is met' if thresholds else 'the policy sets no threshold'}."
    return _check("validate", Outcome.PASS, reason, known, policy)


def test(validated: Mapping[str, Score], sealed: Mapping[str, Score], task: Task, policy: Policy) -> Check:
    """Check that the sealed rows agree with validation: that they are not surely worse.

    The two were measured on different rows, so the squares of their intervals' halves add up.
    """
    before, after = validated.get(task.metric), sealed.get(task.metric)
    if before is None or after is None or math.isnan(before.value) or math.isnan(after.value):
        reason = "Validation or the sealed rows lack the measure the model was chosen by."
        return _check("test", Outcome.UNDECIDED, reason, {}, policy)
    sign = 1.0 if MEASURES[task.metric].greater_is_better else -1.0
    worse = sign * (before.value - after.value)
    half = math.hypot((before.high - before.low) / 2, (after.high - after.low) / 2)
    allowed = policy["test", "tolerance"] * abs(before.value)
    known = {
        "metric": task.metric,
        "validation": before.to_dict(),
        "sealed": after.to_dict(),
        "worse_by": {"value": worse, "low": worse - half, "high": worse + half},
        "allowed": allowed,
    }
    both = f"{task.metric} is {_with_ends(after)} on {after.n_rows:,} sealed rows, {before.value:.4g} in validation"
    if worse - half > allowed:
        return _check("test", Outcome.FAIL, f"The sealed rows are surely worse than validation: {both}.", known, policy)
    return _check("test", Outcome.PASS, f"The sealed rows agree with validation: {both}.", known, policy)


def document(
    task: Task, evidence: Evidence, sealed: Answers | None, document_faults: Sequence[str], policy: Policy
) -> Check:
    """Check that the documents are complete and that every number of the evidence that can be computed again is.

    Args:
        task: Of the model.
        evidence: With the numbers that were written down.
        sealed: What they were computed from.
        document_faults: What is wrong with the card itself: missing, incomplete, or not what the evidence says.
        policy: Whether it binds.
    """
    if sealed is None:
        reason = "The package holds no sealed rows, so no number can be computed again."
        return _check("document", Outcome.UNDECIDED, reason, {}, policy)
    again = measure(task, sealed.target, sealed.scores, sealed.choices, weight=sealed.weight)
    stale = [name for name, score in again.items() if not _same_score(evidence.kpis.get(name), score)]
    drawn = figures(task, sealed.target, sealed.scores, sealed.choices, weight=sealed.weight)
    stale += [f"figure {k}" for k in drawn if not same(plain(evidence.figures.get(k)), plain(drawn[k]))]
    n_numbers = 3 * len(again) + sum(count(plain(v)) for v in drawn.values())
    known = {"recomputed": n_numbers, "rows": len(sealed.target), "stale": stale, "faults": list(document_faults)}
    faults = [*document_faults, *(f"{name} is not what the sealed rows give" for name in stale)]
    if faults:
        return _check("document", Outcome.FAIL, f"{_sentence(faults)}.", known, policy)
    reason = f"The card is complete, and {n_numbers:,} numbers were computed again from the sealed rows."
    return _check("document", Outcome.PASS, reason, known, policy)


def compare(task: Task, candidate: Answers, champion: Answers, policy: Policy, *, rows: str, looks: int = 1) -> Check:
    """Check that a candidate is better than the champion on the same rows, by a paired 95 % interval.

    A candidate that is no better passes at most 2.5 % of the time; a simulation in the tests counts it.

    Args:
        task: Both models' question; its metric decides.
        candidate: What it says about the rows.
        champion: What the champion says about them.
        policy: Demand, margin and fewest rows.
        rows: Which rows these are, in words.
        looks: How often candidates were held against a champion on these rows, this time included.
    """
    n, metric = len(candidate.target), MEASURES[task.metric]
    if n < policy["compare", "rows_min"]:
        reason = (
            f"Only {n:,} rows are unseen by both; {policy['compare', 'rows_min']:,} are asked. Give some with --data."
        )
        return _check("compare", Outcome.UNDECIDED, reason, {"rows": n}, policy)
    chosen = (candidate.choices, champion.choices) if task.is_classification else (None, None)
    both = (candidate.scores, champion.scores)
    found = paired(task, candidate.target, *both, metric=metric.name, choices=chosen, weight=candidate.weight)
    sign = 1.0 if metric.greater_is_better else -1.0
    low, high = sorted((sign * found.low, sign * found.high))
    value = sign * found.value
    known = {
        "metric": metric.name,
        "gain": {"value": value, "low": low, "high": high, "n_rows": n, "method": found.method},
        "rows": rows,
        "looks": looks,
        "answer": (answer := _answer(low, high, policy["compare", "margin"])),
    }
    told = f"by {metric.name} the gain is {value:.4g} (95 % interval {low:.4g} to {high:.4g}) on {n:,} {rows}"
    if looks > 1:
        told += f"; candidates were compared on these rows {looks} times"
    enough = answer == "better" or (answer == "not worse" and policy["compare", "demand"] == "not_worse")
    if enough:
        return _check("compare", Outcome.PASS, f"{answer.capitalize()} than the champion: {told}.", known, policy)
    if answer == "worse" or math.isnan(value):
        return _check("compare", Outcome.FAIL, f"Not better than the champion: {told}.", known, policy)
    if answer == "not worse":
        return _check("compare", Outcome.FAIL, f"Not worse than the champion, but not better: {told}.", known, policy)
    return _check("compare", Outcome.UNDECIDED, f"Undecided against the champion: {told}.", known, policy)


def _answer(low: float, high: float, margin: float) -> str:
    if low > 0:
        return "better"
    if high < 0 and not low >= -margin:
        return "worse"
    # Without a margin nothing but an interval above zero tells that a model is not worse.
    return "not worse" if margin > 0 and low >= -margin else "undecided"


def shadow(pairs: Answers | None, champion_choices: Array | None, spread: float, policy: Policy) -> Check:
    """Check what a shadow said beside the champion on live traffic.

    Args:
        pairs: The shadow's scores and choices; None when there was no shadow. Its targets are not read.
        champion_choices: What the champion answered, row by row.
        spread: How far apart two numbers are to count as different answers; 0 for labels.
        policy: Fewest rows and most changes.
    """
    if pairs is None or champion_choices is None:
        is_needed = policy.requires("shadow")
        reason = "It has not run as a shadow."
        outcome = Outcome.UNDECIDED if is_needed else Outcome.NOT_APPLICABLE
        return _check("shadow", outcome, reason, {}, policy)
    n = len(champion_choices)
    apart = np.asarray(pairs.choices, dtype=np.float64) - np.asarray(champion_choices, dtype=np.float64)
    changed = float((np.abs(apart) > spread).mean()) if n else math.nan
    known = {"rows": n, "changes": changed, "changes_max": policy["shadow", "changes_max"]}
    told = f"On {n:,} live rows {changed:.2%} of its answers differ from the champion's"
    if n < policy["shadow", "rows_min"]:
        reason = f"It has answered {n:,} live rows; {policy['shadow', 'rows_min']:,} are asked."
        return _check("shadow", Outcome.UNDECIDED, reason, known, policy)
    outcome = Outcome.PASS if changed <= policy["shadow", "changes_max"] else Outcome.FAIL
    return _check("shadow", outcome, f"{told}.", known, policy)


def approve(approvals: Sequence[Mapping[str, Any]], author: str, policy: Policy) -> Check:
    """Check that the people whom the policy names have approved, each with a reason, the author not alone.

    Args:
        approvals: ``who`` and ``reason`` of each, all of this very fingerprint.
        author: Who registered the version.
        policy: People, how many, and whether the author may.
    """
    people, needed = policy["approve", "people"], policy["approve", "needed"]
    if not people:
        return _check("approve", Outcome.NOT_APPLICABLE, "The policy names nobody who has to approve.", {}, policy)
    by_author = author in {a["who"] for a in approvals}
    counted = {
        a["who"]: a["reason"]
        for a in approvals
        if a["who"] in people and str(a["reason"]).strip() and (a["who"] != author or policy["approve", "author_may"])
    }
    known = {"approved": counted, "needed": needed, "people": list(people), "author": author}
    if len(counted) >= needed:
        told = "; ".join(f"{who}: {reason}" for who, reason in counted.items())
        return _check("approve", Outcome.PASS, f"Approved by {told}.", known, policy)
    missing = f"{needed - len(counted)} of {', '.join(p for p in people if p not in counted)}"
    alone = " The author's own approval does not count." if by_author and author not in counted else ""
    reason = f"It waits for the approval of {missing}.{alone}"
    return _check("approve", Outcome.FAIL if alone else Outcome.UNDECIDED, reason, known, policy)


def same(one: Any, other: Any) -> bool:
    """Return whether two pieces of plain data say the same, numbers up to floating point."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-12)
    return bool(one == other)


def count(data: Any) -> int:
    """Return how many numbers there are in plain data."""
    if isinstance(data, dict):
        return sum(count(v) for v in data.values())
    if isinstance(data, list):
        return sum(count(v) for v in data)
    return int(isinstance(data, int | float) and not isinstance(data, bool))


def _same_score(written: Score | None, again: Score) -> bool:
    if written is None:
        return False
    ends = ("value", "low", "high", "n_rows")
    return all(same(plain(getattr(written, k)), plain(getattr(again, k))) for k in ends)


def _check(name: str, outcome: Outcome, reason: str, evidence: Mapping[str, Any], policy: Policy) -> Check:
    return Check(name, outcome, reason, plain(evidence), policy.requires(name))


def _sentence(faults: Sequence[str]) -> str:
    told = "; ".join(faults[:8]) + (f"; and {len(faults) - 8} more" if len(faults) > 8 else "")
    return told[0].upper() + told[1:]


def _with_ends(score: Score) -> str:
    return f"{score.value:.4g} ({score.low:.4g} to {score.high:.4g})"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
