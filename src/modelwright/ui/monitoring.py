"""The commands that keep a model good: replay, watch and what belongs to them."""

from __future__ import annotations

import signal
import sys
from typing import Any

import click

from modelwright.ui.command import Command, as_text, json_option, ledger_option, query_option, state_option, width

EXIT_ALARM = 3
"""An alarm lasts and nobody acknowledged it."""


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


@click.command(cls=Command)
@click.argument("package")
@ledger_option
@click.option("--name", metavar="NAME", help="What the model is asked under.  [default: from the package's file name]")
@click.option("--reference", metavar="TABLE", help="Table it was trained on.  [default: where its manifest says]")
@click.option("--window", default="1d", show_default=True, metavar="TIME", help="Length of a window.")
@click.option("--alarms", type=float, default=1.0, show_default=True, help="Accepted false alarms a month.")
@click.option("--every", metavar="TIME", help="Look again after so long, until stopped.  [default: look once]")
@state_option
@click.option("--webhook", multiple=True, metavar="URL", help="Send alarms as JSON.")
@click.option("--slack", multiple=True, metavar="URL", help="Send alarms in Slack's form.")
@click.option("--teams", multiple=True, metavar="URL", help="Send alarms in Teams' form.")
@click.option("--email", multiple=True, metavar="URL", help="smtp://user:password@host:587/?from=a@b&to=c@d")
@click.option("--log", is_flag=True, help="Write alarms to standard error, a line each.")
@click.option("--metrics", metavar="FILE", help="Write metrics here in Prometheus' text format.")
@click.option("--retrain", is_flag=True, help="Act on the advice to retrain: challenger, gate, policy.")
@click.option("--budget", metavar="TIME", help="Wall-clock limit of a retraining.  [default: 5m]")
@click.option(
    "--value-of-error",
    type=float,
    metavar="MONEY",
    help="What one unit of mean loss costs for one answer: ranks alarms.",
)
@json_option
def watch(package: str, as_json: bool, every: str | None, retrain: bool, budget: str | None, **options: Any) -> None:
    """Compare what a served model is asked, answers and gets wrong with what was measured before.

    The exit code is 0 while nothing lasts that was raised, 3 while an alarm lasts that nobody acknowledged.
    """
    from modelwright.core.settings import parse_duration
    from modelwright.flows.monitoring_api import watching_of
    from modelwright.flows.watch import watch as verb
    from modelwright.flows.watch import watch_every

    known = {k: options[k] for k in ("ledger", "state")}

    def act(seen: Any) -> None:
        if retrain:
            _retrain(package, seen, {**known, "budget": budget, "data": options["reference"]}, quiet=as_json)

    watching = watching_of(**options)
    if every is None:
        done = verb(package, watching)
        click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))
        act(done)
        sys.exit(EXIT_ALARM if done.is_alarmed else 0)
    stop = Stop()
    seconds = parse_duration(every, where="--every")
    complain = lambda error: click.echo(str(error), err=True)  # noqa: E731 - one line, one use
    for done in watch_every(package, watching, every=seconds, is_stopped=stop.is_asked, complain=complain, act=act):
        click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
@ledger_option
@state_option
@click.option("--model", metavar="NAME", help="Of this model only.")
@click.option("--acknowledge", metavar="ID", help="Say that you know of an alarm; six digits of its id are enough.")
@click.option("--by", metavar="WHO", help="Who says so.  [default: the user of this machine]")
@click.option("--silence", metavar="TIME", help="Send no messages for so long; needs --model.")
@click.option("--column", default="", metavar="COLUMN", help="Silence this column only.")
@json_option
def alarms(as_json: bool, **options: Any) -> None:
    """List the alarms of watched models; acknowledge one; silence a model or a column for some time."""
    from modelwright.flows.alarms import alarms as verb

    done = verb(**options)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(name="watch-files", cls=Command)
@click.argument("folder")
@json_option
def watch_files(folder: str, as_json: bool) -> None:
    """Write alert rules for Prometheus and a dashboard for Grafana."""
    from modelwright.flows.watch import write_files

    rules, board = write_files(folder)
    click.echo(as_text({"rules": rules, "dashboard": board}) if as_json else f"rules: {rules}\ndashboard: {board}")


def _retrain(name: str, seen: Any, options: dict[str, Any], *, quiet: bool) -> None:
    """Act on the advice of a look; what goes wrong is told, and the next look tries again."""
    if not seen.told["acted"] or seen.told.get("advice", {}).get("action") != "retrain":
        return
    from modelwright.core.errors import ModelwrightError
    from modelwright.flows.maintaining_api import retrain as verb

    try:
        done = verb(name, **options)
    except ModelwrightError as error:
        click.echo(str(error), err=True)
    else:
        click.echo(done.summary(width()), err=quiet)


class Stop:
    """Ends a daemon after the look it is at, on SIGTERM and Ctrl-C."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def is_asked(self) -> bool:
        """Whether it is to end."""
        return self._asked

    def _ask(self, *_: object) -> None:
        self._asked = True


COMMANDS = (replay, watch, alarms, watch_files)
