"""Behaviour: does a model answer sensibly when its inputs are shaken, swapped, missing or in the wrong unit?

Ribeiro, Wu, Guestrin and Singh: Beyond accuracy, behavioral testing of NLP models with CheckList (ACL 2020), whose
invariance and directional tests are carried over to tables here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation import _ends

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.core.arrays import Array, Bools, Floats
    from modelwright.core.policy import Policy

REGRESSION_STEP = 0.1
"""Two numbers count as different answers when they are this part of the answers' standard deviation apart."""
DIRECTION_STEP = 0.25
"""A number is raised by this part of its standard deviation to see which way the answer goes."""
UNIT_FACTOR = 1_000.0
"""Grams for kilograms, cents for thousands: the commonest mistake of units."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the rows it is tried on.

    Attributes:
        ask: From columns to scores: values (n,) or probabilities (n, n_classes).
        choose: From scores to answers: positions of labels, or values.
        notices: Whether the contract flags or refuses columns.
        columns: The rows, a value per row by column: floats (NaN where missing) or text (None where missing).
        numbers: Names of the columns that hold numbers.
        is_classification: Whether answers are labels.
        seed: Of the noise and of the swaps.
    """

    ask: Callable[[Mapping[str, Array]], Floats]
    choose: Callable[[Floats], Array]
    notices: Callable[[Mapping[str, Array]], bool]
    columns: Mapping[str, Array]
    numbers: tuple[str, ...]
    is_classification: bool
    seed: int = 0


def behave(subject: Subject, policy: Policy) -> tuple[list[str], list[str], dict[str, Any]]:
    """Try a model in every way the policy asks for.

    Returns:
        What is surely outside its limit, what is outside but not surely, and the numbers, as plain data.
    """
    base = subject.ask(subject.columns)
    tried = [_noise(subject, base, policy), _missing(subject, base), _units(subject, base, policy)]
    tried += [_invariance(subject, base, policy, c) for c in policy["behave", "invariant"]]
    tried += [_direction(subject, base, policy, c, way) for c, way in policy["behave", "direction"].items()]
    failed = [text for found in tried for text in found.failed]
    doubtful = [text for found in tried for text in found.doubtful]
    numbers: dict[str, Any] = {"rows": len(base)}
    for found in tried:
        numbers.setdefault(found.name, []).extend(found.numbers)
    return failed, doubtful, numbers


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    numbers: list[dict[str, Any]]
    failed: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def _noise(subject: Subject, base: Floats, policy: Policy) -> _Found:
    rng, part = np.random.default_rng(subject.seed), policy["behave", "noise"]
    shaken = dict(subject.columns)
    for name in subject.numbers:
        values = np.asarray(subject.columns[name], dtype=np.float64)
        spread = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
        shaken[name] = values + rng.normal(0.0, part * spread, len(values))
    changed = _changed(subject, base, subject.ask(shaken))
    limit = policy["behave", "noise_changes_max"]
    return _judged("noise", {"noise": part}, changed, limit, f"noise of {part:.1%} of the spread changes")


def _missing(subject: Subject, base: Floats) -> _Found:
    numbers, failed = [], []
    for name in subject.columns:
        without = {k: v for k, v in subject.columns.items() if k != name}
        scores = subject.ask(without)
        if not np.isfinite(scores).all():
            failed.append(f"without column {name!r} its answers are no numbers")
        else:
            numbers.append({"column": name, "changes": float(_changed(subject, base, scores).mean())})
    return _Found("missing_columns", numbers, tuple(failed))


def _units(subject: Subject, base: Floats, policy: Policy) -> _Found:
    numbers: list[dict[str, Any]] = []
    failed: list[str] = []
    doubtful: list[str] = []
    for name in subject.numbers:
        wrong = {**subject.columns, name: np.asarray(subject.columns[name], dtype=np.float64) * UNIT_FACTOR}
        noticed = subject.notices(wrong)
        changed = np.zeros(len(base), dtype=bool) if noticed else _changed(subject, base, subject.ask(wrong))
        numbers.append({"column": name, "noticed": noticed, "changes": float(changed.mean())})
        limit, told = policy["behave", "noise_changes_max"], f"a thousandfold {name!r} goes unnoticed and changes"
        found = _judged("unit_errors", {}, changed, limit, told)
        failed += found.failed
        doubtful += found.doubtful
    return _Found("unit_errors", numbers, tuple(failed), tuple(doubtful))


def _invariance(subject: Subject, base: Floats, policy: Policy, column: str) -> _Found:
    if column not in subject.columns:
        return _Found("invariance", [{"column": column, "changes": 0.0, "note": "the model does not read it"}])
    # Every row is given the value of another: all values that occur, as often as they do.
    rng = np.random.default_rng(subject.seed)
    swapped = {**subject.columns, column: np.asarray(subject.columns[column])[rng.permutation(len(base))]}
    changed = _changed(subject, base, subject.ask(swapped))
    limit = policy["behave", "invariant_changes_max"]
    return _judged("invariance", {"column": column}, changed, limit, f"another {column!r} changes")


def _direction(subject: Subject, base: Floats, policy: Policy, column: str, way: str) -> _Found:
    if column not in subject.numbers:
        told = f"no number column {column!r} among the model's inputs"
        return _Found("direction", [{"column": column, "note": told}], doubtful=(told,))
    values = np.asarray(subject.columns[column], dtype=np.float64)
    step = DIRECTION_STEP * float(np.nanstd(values))
    raised = subject.ask({**subject.columns, column: values + step})
    # Of two labels the positive one's probability; of more, which way is up is not defined, and the first is taken.
    before, after = (s[:, -1] if s.ndim == 2 else s for s in (base, raised))
    gone = after - before if way == "up" else before - after
    scale = 1.0 if subject.is_classification else float(np.std(before)) or 1.0
    breaks: Bools = gone < -1e-3 * scale
    limit = policy["behave", "direction_breaks_max"]
    return _judged("direction", {"column": column, "way": way}, breaks, limit, f"a higher {column!r} goes wrong in")


def _changed(subject: Subject, base: Floats, scores: Floats) -> Bools:
    """Return which answers are others."""
    before, after = np.asarray(subject.choose(base)), np.asarray(subject.choose(scores))
    if subject.is_classification:
        return np.asarray(before != after)
    numbers = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    return np.abs(numbers[1] - numbers[0]) > REGRESSION_STEP * max(float(np.std(numbers[0])), 1e-300)


def _judged(name: str, known: dict[str, Any], hits: Bools, limit: float, told: str) -> _Found:
    share = float(hits.mean())
    low, high = _ends.wilson(share, len(hits))
    numbers = [{**known, "changes": share, "low": low, "high": high, "limit": limit}]
    text = f"{told} {share:.1%} of answers ({low:.1%} to {high:.1%}), at most {limit:.1%} may"
    if low > limit:
        return _Found(name, numbers, failed=(text,))
    return _Found(name, numbers, doubtful=(text,) if share > limit else ())
