"""The commands that keep a model good: replay, watch and what belongs to them."""

from __future__ import annotations

from typing import Any

import click

from modelwright.ui.command import Command, as_text, json_option, query_option, width


@click.command(cls=Command)
@click.argument("source")
@click.option("--time", required=True, metavar="COLUMN", help="Date-time column, or year, month, day columns: Y,M,D.")
@click.option("--target", required=True, metavar="COLUMN", help="Column to predict.")
@click.option("--every", metavar="TIME", help="Length of a window (1d, 12h).  [default: chosen from the rows]")
@click.option("--delay", metavar="TIME", help="How long outcomes take to become known.  [default: one window]")
@click.option("--first", type=float, default=0.4, show_default=True, help="Share of rows the first model learns from.")
@click.option("--alarms", type=float, default=1.0, show_default=True, help="Accepted false alarms a month.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="Column to leave out; may be given several times.")
@click.option("--metric", metavar="NAME", help="Measure that counts.  [default: inferred]")
@click.option("--effort", type=int, default=1, show_default=True, help="Work units of the first search.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
@click.option("--out", metavar="FILE", help="Write the report page here (.html).")
@click.option("--quiet", is_flag=True, help="No progress.")
@query_option
@json_option
def replay(source: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Play a table in order of time as production: alarms, estimates, retrains, and what they would have gained."""
    from modelwright.flows.monitoring_api import replay as verb
    from modelwright.ui.progress import Bar

    with Bar(None, quiet=quiet or as_json) as bar:
        done = verb(source, tell=bar, **options)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


COMMANDS = (replay,)
