"""The commands that bring a model into office: from register to the audit of who decided what."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from modelwright.core.errors import UnwritableOutput
from modelwright.ui.command import Command, as_text, json_option, query_option, width

EXIT_FAIL, EXIT_UNDECIDED = 3, 4
"""Of a gate that says no, or that cannot tell."""
policy_option = click.option(
    "--policy", metavar="FILE", help="The gate's rules.  [default: modelwright-policy.toml, or the built-in ones]"
)
reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the audit log.")


@click.command(cls=Command)
@click.argument("package")
@click.option("--name", required=True, metavar="NAME", help="What the model is called.")
@json_option
def register(package: str, name: str, as_json: bool) -> None:
    """Keep a package as the next version of a model; it becomes the challenger."""
    from modelwright.flows.register import register as verb

    done = verb(package, name)
    click.echo(as_text(done.to_dict()) if as_json else f"{done.title}, fingerprint {done.version.fingerprint}")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the registered models; `models show NAME` lists the versions of one."""
    if context.invoked_subcommand is None:
        context.invoke(listed, as_json=as_json)


@click.command("list", cls=Command)
@json_option
def listed(as_json: bool) -> None:
    """List the registered models: champion, challenger, versions."""
    from modelwright.flows.models import models as verb

    done = verb()
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """List the versions of a model, newest first."""
    from modelwright.flows.models import models as verb

    done = verb(name)
    click.echo(as_text(done.to_dict()) if as_json else done.details(width()))


models.add_command(listed)
models.add_command(show)


@click.command(cls=Command)
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1))
@policy_option
@reason_option
@click.option("--data", metavar="SOURCE", help="Labelled table to judge by: new rows, or the training table.")
@click.option("--ledger", metavar="ADDRESS", help="Where the service records predictions, for the check of a shadow.")
@click.option("--dry-run", is_flag=True, help="Judge, and move nothing.")
@click.option("--junit", metavar="FILE", help="Write the verdict as JUnit XML.")
@click.option("--sarif", metavar="FILE", help="Write the verdict as SARIF.")
@click.option("--github", is_flag=True, help="Print annotations for a GitHub workflow.")
@json_option
def promote(name: str, version: int, as_json: bool, github: bool, **options: Any) -> None:
    """Send a version through the gate, and make it the champion if the policy is satisfied.

    Exit codes: 0 it passed, 3 a check failed, 4 a check is undecided, 2 something could not be used.
    """
    from modelwright.flows.promote import promote as verb

    files = {form: options.pop(form) for form in ("junit", "sarif")}
    done = verb(name, version, **options)
    for form, path in files.items():
        if path is not None:
            write_text(path, done.document(form))
    if as_json:
        click.echo(as_text(done.to_dict()))
    elif github:
        click.echo(done.document("github"), nl=False)
    else:
        click.echo(done.summary(width()))
    if not done.verdict.passes:
        sys.exit(EXIT_FAIL if done.verdict.outcome.value == "fail" else EXIT_UNDECIDED)


@click.command(cls=Command)
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1))
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the audit log.")
@policy_option
@json_option
def approve(name: str, version: int, reason: str, policy: str | None, as_json: bool) -> None:
    """Record your approval of a version. You are MODELWRIGHT_USER, or the user of the system."""
    from modelwright.flows.approve import approve as verb

    done = verb(name, version, reason=reason, policy=policy)
    click.echo(as_text(done.to_dict()) if as_json else f"{done.who} approves {done.name}@{done.number}")


@click.command(cls=Command)
@click.argument("name")
@reason_option
@json_option
def rollback(name: str, reason: str, as_json: bool) -> None:
    """Make the champion before this one champion again, once it has replayed its golden rows."""
    from modelwright.flows.rollback import rollback as verb

    done = verb(name, reason=reason)
    told = f"{done.name}@{done.number} is the champion again; it replayed {done.golden_rows} golden rows"
    click.echo(as_text(done.to_dict()) if as_json else told)


def _number(_context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return a version's number, 0 for ``off``, None for nothing said."""
    if value is None or value == "off":
        return None if value is None else 0
    if not value.isdecimal() or int(value) < 1:
        raise click.BadParameter("a version's number, or off", param=parameter)
    return int(value)


@click.command(cls=Command)
@click.argument("name")
@click.option("--canary", metavar="NUMBER|off", callback=_number, help="The version that answers a part.")
@click.option("--percent", type=float, help="Which part of the requests.  [default: 5]")
@click.option("--shadow", metavar="NUMBER|off", callback=_number, help="The version that is asked and not heard.")
@reason_option
@json_option
def traffic(name: str, as_json: bool, **options: Any) -> None:
    """Say which versions answer beside the champion, or show it; running services take it up within two seconds.

    `modelwright traffic NAME --canary off --shadow off` stops both.
    """
    from modelwright.flows.traffic import traffic as verb

    done = verb(name, **options)
    click.echo(as_text(done.to_dict()) if as_json else done.summary())


@click.command(cls=Command)
@click.argument("first")
@click.argument("second")
@click.argument("source")
@query_option
@json_option
def compare(first: str, second: str, source: str, query: str | None, as_json: bool) -> None:
    """Compare two models on the same labelled rows, each on rows it has not seen."""
    from modelwright.flows.compare import compare as verb

    done = verb(first, second, source, query=query)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema instead.")
@json_option
def policy(as_schema: bool, as_json: bool) -> None:
    """Print a policy file with every rule of the gate, its default and what it means."""
    from modelwright.flows.policy import default_text, schema

    if as_schema:
        click.echo(json.dumps(schema(), indent=None if as_json else 2))
    elif as_json:
        from modelwright.core.policy import Policy

        click.echo(as_text(Policy().to_dict()))
    else:
        click.echo(default_text(), nl=False)


@click.group(no_args_is_help=True)
def audit() -> None:
    """The log of everything that was done to registered models."""


@click.command(cls=Command)
@click.argument("path", required=False)
@click.option("--head", metavar="HEAD", help="A head printed before: the log has to go at least that far.")
@json_option
def verify(path: str | None, head: str | None, as_json: bool) -> None:
    """Check, off line, that no entry of the log was altered, removed, added or moved."""
    from modelwright.flows.audit import verify as verb

    done = verb(path, head=head)
    torn = "; a last line was begun and never ended, and counts for nothing" if done.is_torn else ""
    told = f"{len(done.entries):,} entries, none altered{torn}\nhead {done.head}"
    click.echo(as_text(done.to_dict()) if as_json else told)


@click.command("show", cls=Command)
@json_option
def audited(as_json: bool) -> None:
    """Show the last entries of the log, after checking it."""
    from modelwright.flows.audit import verify as verb

    done = verb()
    entries = [e.to_dict() for e in done.entries]
    click.echo(as_text({**done.to_dict(), "log": entries}) if as_json else done.summary(width()))


audit.add_command(verify)
audit.add_command(audited)


def write_text(path: str, text: str) -> None:
    """Write a document where it was asked for."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnwritableOutput(
            "the place of an output can be written", where=path, got=error.strerror or str(error), fix="give another"
        ) from error


COMMANDS = (register, models, promote, approve, traffic, rollback, compare, policy, audit)
