"""From a source to rows that are understood: read, contract, task, split, findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.contract import Role
from modelwright.core.errors import InvalidSetting, InvalidTarget, InvalidTask
from modelwright.core.fingerprint import fingerprint
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.contract_files import load_contract, merge_contract
from modelwright.data.cost_files import load_costs
from modelwright.data.findings import inspect
from modelwright.data.inference import complete, infer
from modelwright.data.reading import read
from modelwright.data.splitting import split, split_given
from modelwright.data.tasks import apply_roles, encode, infer_task

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Target
    from modelwright.core.contract import Contract
    from modelwright.core.finding import Finding
    from modelwright.core.run import Run
    from modelwright.core.settings import Settings
    from modelwright.core.split import Split
    from modelwright.core.task import Task


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows that are understood.

    Attributes:
        table: As read; rows without a target are left out.
        contract: What the columns mean and are used for.
        task: What is asked.
        frame: The conformed rows.
        target: Encoded.
        weight: Row weights, or None.
        split: Training and sealed rows.
        findings: What is remarkable about the data.
    """

    table: Table
    contract: Contract
    task: Task
    frame: pl.DataFrame
    target: Target
    weight: Floats | None
    split: Split
    findings: tuple[Finding, ...]


def prepare(table: Table, sealed: Table | None, settings: Settings, run: Run) -> Prepared:
    """Understand a table: contract, task, split and findings.

    Args:
        table: The rows to learn from.
        sealed: Rows to judge by, when the user gave them.
        settings: What was asked.
        run: Seed.
    """
    table, n_given = _together(table, sealed)
    run.say("inspect", "columns")
    roles = _roles(settings)
    contract = infer(table, roles=roles)
    if settings.contract is not None:
        contract = complete(table, merge_contract(contract, load_contract(settings.contract)))
    task = infer_task(
        table,
        contract,
        target=settings.target,
        kind=settings.task,
        metric=settings.metric,
        positive=settings.positive,
        time=settings.time,
        group=settings.group,
        weight=settings.weight,
    )
    if settings.costs is not None:
        task = replace(task, costs=load_costs(settings.costs, task))
    contract = apply_roles(contract, task, settings.ignore)
    if not contract.features:
        raise InvalidTask(
            "a model needs at least one column to learn from",
            where=table.source,
            got="only the target, constants, identifiers and ignored columns",
            fix="add columns, or change what a column is taken for with --contract",
        )
    target, known = encode(table, task, contract)
    n_without = int((~known).sum())
    if n_without:
        table = Table(table.frame.filter(known), table.source, table.fingerprint)
        target = target[known]
    frame = conform(table.frame, contract).frame
    given = None if n_given is None else known[:n_given].sum()
    parts = _split(frame, task, target, contract, settings, given, run.seed)
    run.say("inspect", "findings")
    findings = inspect(table, frame, contract, task, target, parts, n_without_target=n_without)
    return Prepared(table, contract, task, frame, target, weights(frame, task), parts, findings)


def read_sealed(settings: Settings) -> Table | None:
    """Return the table ``--test`` names, or None when it is a fraction or absent."""
    if settings.test is None or fraction(settings.test) is not None:
        return None
    return read(settings.test)


def fraction(test: str | None) -> float | None:
    """Return the fraction of rows to seal, or None when ``--test`` names a table.

    Raises:
        InvalidSetting: It is a number, but no fraction.
    """
    try:
        value = float(test) if test is not None else None
    except ValueError:
        return None
    if value is None or (test is not None and Path(test).exists()):
        return None
    if not 0 < value < 1:
        raise InvalidSetting(
            "a fraction of rows is between 0 and 1", where="--test", got=test, fix="try 0.2, or name a table"
        )
    return value


def weights(frame: pl.DataFrame, task: Task) -> Floats | None:
    """Return the row weights of conformed rows, None where the task has none; missing weights count as zero."""
    if task.weight is None:
        return None
    return np.asarray(frame[task.weight].fill_null(0.0).to_numpy(), dtype=np.float64)


def _roles(settings: Settings) -> dict[str, Role]:
    named = {
        settings.target: Role.TARGET,
        settings.time: Role.TIME,
        settings.group: Role.GROUP,
        settings.weight: Role.WEIGHT,
    }
    roles = {name: role for name, role in named.items() if name is not None}
    return {**dict.fromkeys(settings.ignore, Role.IGNORED), **roles}


def _together(table: Table, sealed: Table | None) -> tuple[Table, int | None]:
    """Return one table with the sealed rows last, and how many come before them."""
    if sealed is None:
        return table, None
    missing = [c for c in table.columns if c not in sealed.columns]
    if missing:
        raise InvalidSetting(
            "the sealed rows have the columns of the training rows",
            where="--test",
            got=f"without {missing[:5]}",
            fix="add the columns, or give a fraction instead of a table",
        )
    # Relaxed: an integer column that holds a missing value on the other side may be typed otherwise there.
    joined = pl.concat([table.frame, sealed.frame.select(table.columns)], how="vertical_relaxed")
    return Table(joined, table.source, fingerprint(table.fingerprint, sealed.fingerprint)), table.n_rows


def _split(
    frame: pl.DataFrame,
    task: Task,
    target: Target,
    contract: Contract,
    settings: Settings,
    n_given: int | None,
    seed: int,
) -> Split:
    if n_given is None:
        return split(frame, task, target, fraction=fraction(settings.test), seed=seed, contract=contract)
    parts = split_given(frame, task, contract, n_given)
    if task.is_classification and len(np.unique(target[parts.train])) < 2:
        raise InvalidTarget(
            "the training rows hold at least two labels", where=task.target, fix="give more training rows"
        )
    return parts
