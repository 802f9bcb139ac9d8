"""The Python API: the verbs with plain arguments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from modelwright.core.machine import cores
from modelwright.core.run import Run
from modelwright.core.settings import Settings
from modelwright.flows.approve import approve
from modelwright.flows.builtin import catalogue
from modelwright.flows.compare import compare
from modelwright.flows.evaluate import evaluate
from modelwright.flows.load import load
from modelwright.flows.models import models
from modelwright.flows.predict import predict
from modelwright.flows.promote import promote
from modelwright.flows.register import register
from modelwright.flows.report import report
from modelwright.flows.rollback import rollback
from modelwright.flows.traffic import traffic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelwright.core.ports import Progress
    from modelwright.flows.contrast import Compared
    from modelwright.flows.diagnose import Diagnosed
    from modelwright.flows.explain import Explained
    from modelwright.flows.exploring import Explored
    from modelwright.flows.handbook import Studied
    from modelwright.flows.profile import Profiled
    from modelwright.flows.prune import Pruned
    from modelwright.flows.report_check import Checked
    from modelwright.flows.train import Trained

__all__ = [
    "anomalies",
    "approve",
    "check_report",
    "cluster",
    "compare",
    "contrast",
    "diagnose",
    "evaluate",
    "explain",
    "load",
    "models",
    "predict",
    "profile",
    "promote",
    "prune",
    "register",
    "report",
    "rollback",
    "run_of",
    "study",
    "traffic",
    "train",
]


def train(source: object, target: str | None = None, **settings: Any) -> Trained:
    """Train, judge, document and package a model.

    Args:
        source: A path, glob, folder, database or S3 address, or a polars, pandas or pyarrow frame.
        target: The column to predict; a plan names it.
        **settings: The settings of ``modelwright train`` by their names: ``budget="60s"`` or ``effort=5``,
            ``task``, ``metric``, ``positive``, ``time``, ``group``, ``weight``, ``ignore``, ``test``,
            ``costs``, ``contract``, ``query``, ``memory``, ``latency``, ``size``, ``plan``, ``threads``, ``seed``,
            ``final_fit``, ``out``, ``name``, ``fresh``.

    Raises:
        ModelwrightError: The table cannot answer the question, or a setting is outside what it may be.

    Example::

        trained = modelwright.train("churn.csv", target="Churn", budget="60s", out="churn.model")
        trained.package.evidence.kpis["roc_auc"]
    """
    from modelwright.flows.train import train as recipe

    values = {**({} if target is None else {"target": target}), **settings}
    if values.get("plan"):
        from modelwright.flows.plan import planned

        values = planned(values)
    checked = Settings.of(values)
    return recipe(source, checked, run_of(checked))


def prune(package: str | Path, *, out: str | Path, **limits: Any) -> Pruned:
    """Make a quicker or smaller package of a finished one, and say what that costs.

    Args:
        package: A package folder or file, or a registered name.
        out: Where the pruned package goes.
        **limits: ``latency`` (``"0.1ms"``, or seconds), ``size`` (``"5MB"``, or bytes), ``threads``.

    Raises:
        OutOfReach: No model on the package's front is within the limits.
    """
    from modelwright.flows.prune import prune as recipe

    return recipe(package, out=out, **limits)


def profile(source: object, target: str | None = None, *, contract_out: str | None = None, **settings: Any) -> Profiled:
    """Describe a table; with a target, findings about it too.

    Args:
        source: Anything that can be read as a table.
        target: The column that would be predicted, or None.
        contract_out: Where to write the contract, to be edited and given back.
        **settings: As for ``train``.

    Raises:
        ModelwrightError: The table cannot be read, or a setting is outside what it may be.
    """
    from modelwright.flows.profile import profile as recipe

    query, contract = settings.get("query"), settings.get("contract")
    checked = Settings.of({"target": target or "", **settings}, needs_target=target is not None)
    asked = None if target is None else checked
    return recipe(source, asked, run_of(checked), query=query, contract=contract, contract_out=contract_out)


def study(name: str, source: object | None = None, target: str | None = None, **settings: Any) -> Studied:
    """Answer a question of the trade by an experiment on a table.

    Args:
        name: An entry of the handbook, such as ``"bias-variance"``.
        source: Anything that can be read as a table; None for a small one that is built in.
        target: The column to predict; needed with a source.
        **settings: As for ``train``.

    Raises:
        ModelwrightError: There is no such entry, or the table cannot answer the question.
    """
    from modelwright.flows.handbook import study as recipe

    checked = Settings.of({"target": target or "", **settings}, needs_target=source is not None)
    return recipe(name, source, checked, run_of(checked))


def explain(package: str | Path, rows: object = None, **options: Any) -> Explained:
    """Say why a model answers as it does; see ``modelwright.flows.explain`` for all options.

    Args:
        package: A model package.
        rows: The rows to explain, a path or a frame; without them those of ``data`` are.
        **options: ``data``, ``row``, ``immutable``, ``group_by``, ``want``, ``label``, ``space``, ``out``,
            ``page_out``, ``query``, ``seed``.

    Example::

        explained = modelwright.explain("churn.model", new_customers, data="churn.csv")
        explained.reasons
    """
    from modelwright.flows.explain import Asked
    from modelwright.flows.explain import explain as recipe

    return recipe(package, rows, Asked(**options))


def diagnose(
    package: str | Path,
    source: object,
    *,
    query: str | None = None,
    page_out: str | Path | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Diagnosed:
    """Say what limits a model and what would help.

    Args:
        package: A model package.
        source: The table it was trained on, or one like it: a path or a frame.
        query: SQL query, when the source is a database.
        page_out: Where to write a page.
        seed: Of samples and resamples.
        threads: How many may be used; all when None.
    """
    from modelwright.flows.diagnose import diagnose as recipe

    settings = Settings.of({"target": "", "seed": seed, "threads": threads}, needs_target=False)
    return recipe(package, source, run_of(settings), query=query, page_out=page_out)


def contrast(before: str | Path, after: str | Path, *, out: str | Path | None = None) -> Compared:
    """Hold two packages side by side, on the rows that are sealed for both.

    Args:
        before: The package that stands.
        after: The package that would take its place.
        out: Folder for a page; None to write nothing.

    Raises:
        NotComparable: They predict another column, or other classes.
    """
    from modelwright.flows.contrast import contrast as recipe

    return recipe(before, after, out=out)


def check_report(package: str | Path, *, document: str | Path | None = None, data: object = None) -> Checked:
    """Compute the numbers of a package again, and compare a document with them.

    Args:
        package: A model package.
        document: A file that ``report`` wrote, or None.
        data: The table it was trained on, to train it anew and compare what rests on the training run; or None.

    Raises:
        NumbersDisagree: A number is not what comes out.
    """
    from modelwright.flows.report_check import check

    return check(package, document=document, data=data)


def cluster(source: object, *, seed: int = 0, **options: Any) -> Explored:
    """Find groups of rows that are alike, and say how sure that is.

    Args:
        source: Anything that can be read as a table.
        seed: Of all randomness.
        **options: ``n`` (how many groups; chosen when absent), ``ignore`` (columns), ``contract``, ``query``,
            ``out`` (file for the rows), ``report`` (folder for a page).

    Raises:
        ModelwrightError: The table cannot be read or grouped, or an output cannot be written.
    """
    from modelwright.flows.exploring import cluster as recipe

    return recipe(source, run_of(Settings.of({"target": "", "seed": seed}, needs_target=False)), **options)


def anomalies(source: object, *, seed: int = 0, **options: Any) -> Explored:
    """Find rows that are like no others, how many false alarms to expect, and why each is odd.

    Args:
        source: Anything that can be read as a table.
        seed: Of all randomness.
        **options: ``against`` (a table of ordinary rows), ``false_alarms`` (a share), ``ignore`` (columns),
            ``contract``, ``query``, ``out`` (file for the rows), ``report`` (folder for a page).

    Raises:
        ModelwrightError: A table cannot be read or judged, or an output cannot be written.
    """
    from modelwright.flows.exploring import anomalies as recipe

    return recipe(source, run_of(Settings.of({"target": "", "seed": seed}, needs_target=False)), **options)


def run_of(
    settings: Settings,
    *,
    started: float | None = None,
    tell: Callable[[Progress], None] | None = None,
    is_stopped: Callable[[], bool] | None = None,
) -> Run:
    """Return the circumstances of one command.

    Args:
        settings: Budget, effort, seed, threads, memory and latency are taken from here.
        started: When the command began, on the clock of ``time.monotonic``; now when None.
        tell: Takes progress events.
        is_stopped: True once the person asked to end with the best so far.
    """
    return Run(
        catalogue=catalogue(),
        clock=time.monotonic,
        started=time.monotonic() if started is None else started,
        budget_seconds=settings.budget,
        effort=settings.effort,
        seed=settings.seed,
        threads=settings.threads or cores(),
        memory_bytes=settings.memory,
        row_seconds=settings.latency,
        tell=tell or (lambda _: None),
        is_stopped=is_stopped or (lambda: False),
    )
