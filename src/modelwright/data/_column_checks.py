"""Columns: constant, naming rows, missing, unreadable, guessed, too fine, too many, infinite or huge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.contract import Kind, Role
from modelwright.core.finding import Finding, Severity
from modelwright.data._case import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.contract import Column
    from modelwright.data._case import Case

MISSING_SHARE = 0.95
CONFIDENCE = 0.8
LEVELS, LEVELS_SHARE = 1_000, 0.2
HUGE = 1e15
"""Near here whole numbers lose their last digit, and products of three leave the range of 32-bit floats."""

INFINITE = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
EDIT = "edit the column in a contract file and pass it with --contract"


def check(case: Case, _: frozenset[str]) -> list[Finding]:
    """Return findings on columns, one for each sort, naming all columns concerned."""
    used = [c for c in case.columns if c.role is not Role.IGNORED]
    features = [c for c in used if c.role is Role.FEATURE]
    found = _kinds(features) + _missing(case) + _unreadable(case, used) + _guessed(features)
    return [*found, *_fine(case), *_wide(case), *_huge(case)]


def _kinds(features: Sequence[Column]) -> list[Finding]:
    found = []
    constants = [c.name for c in features if c.kind is Kind.CONSTANT]
    if constants:
        title = f"{listed(constants)} hold{'s' if len(constants) == 1 else ''} one value or none"
        found.append(_info("F040", title, constants, {}, "left out: one value cannot tell rows apart"))
    identifiers = [c.name for c in features if c.kind is Kind.IDENTIFIER]
    if identifiers:
        title = f"{listed(identifiers)} name{'s' if len(identifiers) == 1 else ''} rows"
        found.append(_info("F041", title, identifiers, {}, "left out: a name seen once teaches nothing"))
    return found


def _missing(case: Case) -> list[Finding]:
    counts = case.frame.null_count().row(0, named=True)
    shares = {n: counts[n] / case.n_rows for n in case.feature_names if counts[n] >= MISSING_SHARE * case.n_rows}
    if not shares:
        return []
    names = list(shares)
    title = f"{listed(names)} {'is' if len(names) == 1 else 'are'} missing in {MISSING_SHARE:.0%} of rows or more"
    evidence = {"missing_share": {n: round(share, 6) for n, share in list(shares.items())[:20]}}
    return [_info("F042", title, names, evidence, "kept: being present may tell something", "--ignore {}")]


def _unreadable(case: Case, columns: Sequence[Column]) -> list[Finding]:
    """Return findings on cells that hold something, and yet became missing."""
    raw, frame = case.table.frame, case.frame
    before, after = raw.null_count().row(0, named=True), frame.null_count().row(0, named=True)
    unread, infinite = {}, {}
    for column in columns:
        name = column.name
        if not column.is_numeric or after[name] == before.get(name, after[name]):
            continue
        lost = raw[name].filter(frame[name].is_null() & raw[name].is_not_null())
        words = lost.cast(pl.String).str.strip_chars().str.to_lowercase()
        tokens = [t.strip().lower() for t in column.null_tokens]
        if n_infinite := int(words.is_in(INFINITE).sum()):
            infinite[name] = n_infinite
        if n_unread := int((~words.is_in([*INFINITE, *tokens, "", "nan"])).sum()):
            unread[name] = n_unread
    found = []
    if unread:
        title = f"{listed(list(unread))}: {sum(unread.values()):,} cells do not read as the column's kind"
        way = "correct them, or edit the column's kind or null_tokens in a contract file and pass it with --contract"
        found.append(_info("F043", title, list(unread), {"n_cells": unread}, "read as missing", way, Severity.WARNING))
    if infinite:
        title = f"{listed(list(infinite))}: {sum(infinite.values()):,} infinite values"
        way = "replace them in the source by the number they stand for"
        found.append(_info("F047", title, list(infinite), {"n_cells": infinite}, "read as missing", way))
    return found


def _guessed(features: Sequence[Column]) -> list[Finding]:
    doubtful = [c for c in features if c.confidence < CONFIDENCE]
    if not doubtful:
        return []
    names = [c.name for c in doubtful]
    evidence = {"guesses": {c.name: f"{c.kind.value} ({c.confidence:.2f}): {c.reason}" for c in doubtful[:20]}}
    title = f"{listed(names)}: what the values mean is a guess"
    return [_info("F044", title, names, evidence, "read as the likeliest kind")]


def _fine(case: Case) -> list[Finding]:
    fine = {
        c.name: c.n_distinct
        for c in case.features
        if c.kind is Kind.CATEGORY and (c.n_distinct > LEVELS or c.n_distinct > max(50, LEVELS_SHARE * case.n_rows))
    }
    if not fine:
        return []
    title = f"{listed(list(fine))} {'has' if len(fine) == 1 else 'have'} very many levels"
    return [_info("F045", title, list(fine), {"n_levels": fine}, "kept; rare levels share what is learnt")]


def _wide(case: Case) -> list[Finding]:
    n_columns, n_rows = len(case.features), len(case.split.train)
    if n_columns <= n_rows:
        return []
    title = f"{n_columns:,} columns and {n_rows:,} rows to learn from: much will look telling by chance"
    evidence = {"n_columns": n_columns, "n_rows": n_rows}
    action, way = "kept; trust the sealed rows, not the folds", "leave columns out with --ignore, or give more rows"
    return [_info("F046", title, [], evidence, action, way, Severity.WARNING)]


def _huge(case: Case) -> list[Finding]:
    names = [c.name for c in case.features if c.kind is Kind.NUMBER]
    if not names:
        return []
    most = case.frame.select(pl.col(names).abs().max()).row(0)
    huge = {n: float(v) for n, v in zip(names, most, strict=True) if v is not None and v >= HUGE}
    if not huge:
        return []
    title = f"{listed(list(huge))} hold{'s' if len(huge) == 1 else ''} values of {HUGE:.0e} or more"
    return [_info("F048", title, list(huge), {"largest": huge}, "kept", "if it is a name, not an amount: --ignore {}")]


def _info(
    code: str,
    title: str,
    columns: list[str],
    evidence: dict[str, Any],
    action: str,
    overrule: str = EDIT,
    severity: Severity = Severity.INFO,
) -> Finding:
    # Names may hold braces, so the template is filled by replacement.
    return Finding(
        code, severity, title, tuple(columns), evidence, action, overrule.replace("{}", " ".join(columns[:5]))
    )
