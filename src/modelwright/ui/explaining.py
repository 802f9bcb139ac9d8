"""The commands that say why: explain, diagnose."""

from __future__ import annotations

from typing import Any

import click

from modelwright.ui.command import Command, as_text, json_option, query_option, width


@click.command(cls=Command)
@click.argument("package")
@click.argument("rows", required=False)
@click.option("--data", metavar="TABLE", help="Known rows to compare with, such as the table it was trained on.")
@click.option(
    "--row",
    metavar="N",
    type=int,
    multiple=True,
    help="Tell this row's whole story; may be repeated.  [default: the first three]",
)
@click.option(
    "--immutable", metavar="COLUMN", multiple=True, help="A column counterfactuals leave as it is; may be repeated."
)
@click.option(
    "--want", metavar="ANSWER", help="The label, or number, that counterfactuals lead to.  [default: the other label]"
)
@click.option(
    "--group-by",
    metavar="COLUMN",
    multiple=True,
    help="Measure fairness between this column's groups; may be repeated.",
)
@click.option(
    "--label", metavar="LABEL", help="The label whose probability is looked at, when there are more than two."
)
@click.option(
    "--space",
    metavar="NAME",
    help="What reasons add up to: probability or log-odds, for two labels.  [default: probability]",
)
@click.option("--out", metavar="FILE", help="Write every row's reasons here: .parquet, .csv or .jsonl.")
@click.option("--page", "page_out", metavar="FILE", help="Write an HTML page here.")
@click.option("--seed", type=int, default=0, metavar="N", help="Of samples and shuffles.  [default: 0]")
@query_option
@json_option
def explain(package: str, rows: str | None, as_json: bool, **options: Any) -> None:
    """Say why a model answers as it does, what would change its answer, and where not to trust it.

    ROWS are the rows to explain; labelled ones are judged by too. Without them the rows of --data are explained.
    """
    from modelwright.flows.api import explain as verb

    done = verb(package, rows, **options)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
@click.argument("package")
@click.argument("source")
@click.option("--seed", type=int, default=0, metavar="N", help="Of samples and resamples.  [default: 0]")
@click.option("--threads", type=int, metavar="N", help="Threads to use.  [default: all]")
@click.option("--page", "page_out", metavar="FILE", help="Write an HTML page here.")
@query_option
@json_option
def diagnose(package: str, source: str, as_json: bool, **options: Any) -> None:
    """Say what limits a model and what would help: rows, columns, flexibility, or cleaner labels.

    SOURCE is the table it was trained on, or one like it. Its leading member is fitted about thirty times.
    """
    from modelwright.flows.api import diagnose as verb

    done = verb(package, source, **options)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


COMMANDS = (explain, diagnose)
