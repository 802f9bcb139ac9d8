"""Cluster and anomalies: order in a table without a target, with its evidence, row by row and as a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.contract import Role
from modelwright.core.errors import InvalidSetting
from modelwright.core.fingerprint import plain
from modelwright.data.conforming import conform
from modelwright.data.contract_files import load_contract, merge_contract
from modelwright.data.inference import complete, infer
from modelwright.data.reading import read
from modelwright.data.writing import check_writable, write
from modelwright.exploring.grouping import group
from modelwright.exploring.oddity import oddities
from modelwright.flows.report import write_files
from modelwright.reports.drawing import Pen
from modelwright.reports.exploring import groups_page, groups_text, oddities_page, oddities_text, reasons

if TYPE_CHECKING:
    from modelwright.core.contract import Contract
    from modelwright.core.exploration import Grouping, Oddities
    from modelwright.core.run import Run
    from modelwright.core.table import Table
    from modelwright.reports.prose import Prose

GROUPS_PAGE, ODDITIES_PAGE = "clusters.html", "anomalies.html"
LARGE = ("assigned", "sureness", "map", "oddness", "p_values", "flagged", "usual", "found")
"""What has a value for every row: it goes to ``--out``, not into the JSON document."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What was found, the rows with what was found about each, and where both were written.

    Attributes:
        found: Groups or odd rows.
        rows: One line per row of the table, in its order.
        source: Where the table came from.
        fingerprint: Names the table.
        out: Where the rows were written, or empty.
        page: Where the page lies, or empty.
    """

    found: Grouping | Oddities
    rows: pl.DataFrame
    source: str
    fingerprint: str
    out: str = ""
    page: str = ""

    def summary(self, width: int) -> str:
        """Return what was found as plain text for a terminal of this width."""
        is_odd = "oddness" in self.rows.columns
        told: Any = oddities_text if is_odd else groups_text
        text: str = told(self.found, width)
        places = [f"{name}: {place}" for name, place in (("rows", self.out), ("page", self.page)) if place]
        return "\n".join([text, *places])

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: everything but the values of every row."""
        found = {k: v for k, v in plain(self.found).items() if k not in LARGE}
        return {**found, "source": self.source, "data": self.fingerprint, "out": self.out, "page": self.page}


def cluster(
    source: object,
    run: Run,
    *,
    n: int | None = None,
    ignore: tuple[str, ...] = (),
    contract: str | None = None,
    query: str | None = None,
    out: str | Path | None = None,
    report: str | Path | None = None,
) -> Explored:
    """Look for groups of rows that are alike.

    Args:
        source: Anything that can be read as a table.
        run: Seed.
        n: How many groups, from 2; None to choose.
        ignore: Columns to leave out.
        contract: Contract file to take in place of the inferred columns.
        query: SQL query, when the source is a database.
        out: Where to write ``row``, ``cluster`` and ``sureness``: ``.csv``, ``.parquet`` or ``.jsonl``.
        report: Folder for a page.

    Raises:
        ModelwrightError: The table cannot be read or grouped, or the output cannot be written.
    """
    if n is not None and n < 2:
        raise InvalidSetting("groups are two or more", where="--clusters", got=n, fix="give 2 or more, or nothing")
    table = _opened(source, run, query=query, out=out)
    known = _contract(table, ignore, contract)
    found = group(conform(table.frame, known).frame, known, run, n=n)
    rows = pl.DataFrame(
        {"row": range(table.n_rows), "cluster": found.assigned, "sureness": found.sureness.round(4)},
        schema_overrides={"row": pl.Int64},
    )
    page = groups_page(found, table.source, _command("cluster", table.source)) if report is not None else None
    return _written(Explored(found, rows, table.source, table.fingerprint), page, GROUPS_PAGE, out, report)


def anomalies(  # noqa: PLR0913 - all but two are keywords with defaults
    source: object,
    run: Run,
    *,
    against: object = None,
    false_alarms: float = 0.01,
    ignore: tuple[str, ...] = (),
    contract: str | None = None,
    query: str | None = None,
    out: str | Path | None = None,
    report: str | Path | None = None,
) -> Explored:
    """Look for rows that are like no others.

    Args:
        source: Anything that can be read as a table.
        run: Seed.
        against: A table of rows known to be ordinary; the contract is learnt from it.
        false_alarms: The share of ordinary rows that may be flagged, above 0 and below 1.
        ignore: Columns to leave out.
        contract: Contract file to take in place of the inferred columns.
        query: SQL query, when the source is a database.
        out: Where to write ``row``, ``oddness``, ``p_value``, ``flagged`` and ``because``.
        report: Folder for a page.

    Raises:
        ModelwrightError: A table cannot be read or judged, or the output cannot be written.
    """
    if not 0 < false_alarms < 1:
        rule = "a share of false alarms is between 0 and 1"
        raise InvalidSetting(rule, where="--false-alarms", got=false_alarms, fix="try 0.01")
    table = _opened(source, run, query=query, out=out)
    reference = None if against is None else read(against)
    known = _contract(table if reference is None else reference, ignore, contract)
    usual = None if reference is None else conform(reference.frame, known, only_inputs=True).frame
    frame = conform(table.frame, known, only_inputs=True).frame
    found = oddities(frame, known, run, reference=usual, false_alarms=false_alarms)
    because = {r.row: reasons(r) for r in found.rows}
    rows = pl.DataFrame(
        {
            "row": range(table.n_rows),
            "oddness": found.oddness.round(4),
            "p_value": found.p_values,
            "flagged": found.flagged,
            "because": [because.get(i, "") for i in range(table.n_rows)],
        },
        schema_overrides={"row": pl.Int64},
    )
    page = oddities_page(found, table.source, _command("anomalies", table.source)) if report is not None else None
    return _written(Explored(found, rows, table.source, table.fingerprint), page, ODDITIES_PAGE, out, report)


def _opened(source: object, run: Run, *, query: str | None, out: str | Path | None) -> Table:
    """Return the table, once it is sure that what is found can be written."""
    if out is not None:
        check_writable(out)
    run.say("read", "the table")
    return read(source, query=query)


def _contract(table: Table, ignore: tuple[str, ...], contract: str | None) -> Contract:
    known = infer(table, roles=dict.fromkeys(ignore, Role.IGNORED))
    if contract is not None:
        known = complete(table, merge_contract(known, load_contract(contract)))
    return known


def _command(verb: str, source: str) -> str:
    from shlex import quote

    return f"modelwright {verb} {quote(source)}"


def _written(
    done: Explored,
    page: tuple[Prose, dict[str, Any]] | None,
    name: str,
    out: str | Path | None,
    report: str | Path | None,
) -> Explored:
    """Write rows and page where they were asked for."""
    from modelwright.reports.as_html import html_of

    if out is not None:
        write(done.rows, out)
        done = replace(done, out=str(out))
    if page is not None and report is not None:
        prose, specs = page
        with Pen() as pen:
            drawn = pen.draw(specs)
        stamp = {"format": 1, "document": prose.kind, "sources": {}}
        write_files(Path(report), {name: html_of(prose, stamp, drawn).encode()})
        done = replace(done, page=str(Path(report) / name))
    return done
