"""The commands that keep a model up to date: retrain, scout, upgrade-check."""

from __future__ import annotations

import sys
from typing import Any

import click

from modelwright.ui.command import Command, as_text, json_option, ledger_option, state_option, width

EXIT_REJECTED, EXIT_WAITING = 3, 4
"""Of a challenger that was rejected, or that waits for people."""


@click.command(cls=Command)
@click.argument("name")
@click.option(
    "--why",
    default="advice",
    show_default=True,
    metavar="WHY",
    help="advice: only if watching advises it; schedule; or a reason in your own words.",
)
@click.option("--data", metavar="TABLE", help="Table the champion was trained on.  [default: where its manifest says]")
@ledger_option
@state_option
@click.option("--budget", metavar="TIME", help="Wall-clock limit of the whole (45s, 10m, 2h).  [default: 5m]")
@click.option("--effort", metavar="N", help="Work units instead of a time limit: reproducible.")
@click.option("--seed", metavar="N", help="Seed of all randomness.  [default: the champion's]")
@click.option("--threads", metavar="N", help="Threads to use.  [default: all cores]")
@click.option("--policy", metavar="FILE", help="The gate's rules.  [default: modelwright-policy.toml, or the built-in]")
@click.option("--every", metavar="TIME", help="Again and again, so long after the last one ended, until stopped.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
def retrain(name: str, every: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Make a challenger from the champion's rows and the labelled ones since, and send it through the gate.

    Exit codes: 0 it was promoted or nothing was to be done, 3 it was rejected, 4 it waits for approval. A job that was
    killed is taken up where it was; the same job is never done twice.
    """
    from modelwright.flows.maintaining_api import retraining_of, seconds_of
    from modelwright.flows.retrain import retrain as verb
    from modelwright.flows.retrain import retrain_every
    from modelwright.ui.progress import Bar

    asked = retraining_of(**options)
    if every is None:
        with Bar(asked.budget, quiet=quiet or as_json) as bar:
            done = verb(name, asked, tell=bar)
        click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))
        sys.exit({"rejected": EXIT_REJECTED, "waits for approval": EXIT_WAITING}.get(done.outcome, 0))
    from modelwright.ui.monitoring import Stop

    stop, seconds = Stop(), seconds_of(every, where="--every")
    complain = lambda error: click.echo(str(error), err=True)  # noqa: E731 - one line, one use
    for done in retrain_every(name, asked, every=seconds, is_stopped=stop.is_asked, complain=complain):
        click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(name="upgrade-check", cls=Command)
@click.argument("models", nargs=-1, metavar="[PACKAGE|NAME]...")
@click.option("--python", metavar="FILE", help="Interpreter of another environment, to look before you upgrade.")
@click.option("--data", metavar="TABLE", help="Table with the sealed rows.  [default: where the manifest says]")
@click.option("--junit", metavar="FILE", help="Write the outcome as JUnit XML.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
def upgrade_check(
    models: tuple[str, ...], junit: str | None, as_json: bool, quiet: bool, python: str | None, data: str | None
) -> None:
    """Replay every registered package under the installed versions, and say which still give the same answers.

    Exit codes: 0 all do, 3 one answers otherwise or cannot be read.
    """
    from modelwright.flows.upgrade_check import upgrade_check as verb
    from modelwright.ui.progress import Bar
    from modelwright.ui.releasing import write_text

    with Bar(None, quiet=quiet or as_json) as bar:
        done = verb(models, python=python, data=data, tell=bar)
    if junit is not None:
        write_text(junit, done.document("junit"))
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))
    sys.exit(0 if done.is_same else EXIT_REJECTED)


@click.command(cls=Command)
@click.argument("model", required=False, metavar="[NAME|PACKAGE]")
@click.option("--catalogue", is_flag=True, help="List the known methods, what they need, and the versions there are.")
@click.option("--lock", metavar="FILE", help="Pins to compare with (--catalogue).  [default: requirements.txt]")
@click.option("--train", metavar="CONTENDER", help="Train a challenger that tries it first; the gate decides.")
@click.option("--data", metavar="TABLE", help="The champion's table.  [default: where its manifest says]")
@click.option("--budget", default="5m", show_default=True, metavar="TIME", help="Wall-clock limit.")
@click.option("--threads", type=int, metavar="N", help="Threads to use.  [default: all cores]")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
def scout(
    model: str | None,
    catalogue: bool,
    lock: str | None,
    train: str | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Race what the champion does not use against it on its own folds: plug-ins, presets, newer versions.

    Nothing is adopted but through the gate.
    """
    from modelwright.flows import maintaining_api as api
    from modelwright.ui.progress import Bar

    if catalogue:
        known = api.catalogue_of_methods(model, lock=lock)
        click.echo(as_text(known.to_dict()) if as_json else known.summary(width()))
        return
    if model is None:
        raise click.UsageError("name a model, or ask for --catalogue")
    with Bar(api.seconds_of(options["budget"], where="--budget"), quiet=quiet or as_json) as bar:
        if train is not None:
            made = api.adopt(model, train, tell=bar, **options)
        else:
            found = api.scout(model, tell=bar, **options)
    if train is None:
        click.echo(as_text(found.to_dict()) if as_json else found.summary(width()))
    elif as_json:
        click.echo(as_text(made))
    else:
        used = "is a member of it" if made["is_member"] else "has no weight in it"
        click.echo(f"{model}@{made['version']} is the challenger; {train} {used}\nnext: {made['next']}")


COMMANDS = (retrain, scout, upgrade_check)
