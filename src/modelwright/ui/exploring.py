"""The commands that look for order in a table without a target: cluster, anomalies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modelwright.ui.command import Command, as_text, json_option, query_option, width

if TYPE_CHECKING:
    from collections.abc import Callable


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that both commands have."""
    for option in (
        json_option,
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness."),
        query_option,
        click.option("--contract", metavar="FILE", help="Contract file to use in place of what is inferred."),
        click.option(
            "--ignore", multiple=True, metavar="COLUMN", help="Column to leave out; may be given several times."
        ),
        click.option("--report", metavar="FOLDER", help="Write a page here."),
        click.option("--out", metavar="FILE", help="Write what was found about each row: .csv, .parquet or .jsonl."),
    ):
        command = option(command)
    return command


@click.command(cls=Command)
@click.argument("source")
@click.option("--clusters", "n", type=int, metavar="N", help="How many groups.  [default: chosen, 2 to 8]")
@_shared
def cluster(source: str, seed: int, as_json: bool, **options: Any) -> None:
    """Find groups of rows that are alike, and say how sure that is.

    Says how many groups there are, whether resamples find them again (adjusted Rand index), how far apart they lie
    (silhouette), whether chance alone would do as well, and what sets each group apart.
    """
    from modelwright.flows.api import cluster as verb

    done = verb(source, seed=seed, **options)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
@click.argument("source")
@click.option("--against", metavar="FILE", help="A table of rows known to be ordinary: makes the p-values conformal.")
@click.option(
    "--false-alarms", type=float, default=0.01, show_default=True, metavar="SHARE", help="Ordinary rows flagged."
)
@_shared
def anomalies(source: str, seed: int, as_json: bool, **options: Any) -> None:
    """Find rows that are like no others, how many false alarms to expect, and why each is odd."""
    from modelwright.flows.api import anomalies as verb

    done = verb(source, seed=seed, **options)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


COMMANDS = (cluster, anomalies)
