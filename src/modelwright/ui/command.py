"""What all commands share: errors that are explained, options from the table of settings, JSON, the width."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelwright.core.errors import ModelwrightError
from modelwright.core.settings import SETTINGS, Setting

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_ERROR = 2
"""For every error that is explained: of the data, the options, the package or the place to write to."""
EXIT_BUG = 1
"""For an error nobody foresaw."""


class Command(click.Command):
    """A command whose errors have four parts and exit code 2, and never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and explain what goes wrong."""
        as_json = bool(ctx.params.get("as_json"))
        try:
            return super().invoke(ctx)
        except ModelwrightError as error:
            _fail(error, as_json=as_json)
        except MemoryError:
            rule = "a run fits into the memory there is"
            _fail(ModelwrightError(rule, fix="give fewer rows or columns, or --memory"), as_json=as_json)
        except (KeyboardInterrupt, BrokenPipeError):
            sys.exit(130)
        except click.ClickException:
            raise
        except Exception as error:
            if os.environ.get("MODELWRIGHT_DEBUG"):
                raise
            _fail(_unforeseen(error), as_json=as_json, code=EXIT_BUG)


def _unforeseen(error: Exception) -> ModelwrightError:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
    return ModelwrightError(
        "modelwright handles or explains whatever it is given",
        where=place,
        got=f"{type(error).__name__}: {str(error)[:300]}",
        fix="this is a defect: please report it with the output of the same command under MODELWRIGHT_DEBUG=1",
    )


def _fail(error: ModelwrightError, *, as_json: bool, code: int = EXIT_ERROR) -> None:
    if as_json:
        click.echo(json.dumps({"error": error.to_dict()}, ensure_ascii=False))
    else:
        click.echo(str(error), err=True)
    sys.exit(code)


def _option(setting: Setting) -> Callable[[Any], Any]:
    """Return a command-line option for a setting."""
    name = f"--{setting.name.replace('_', '-')}"
    words = f"{setting.help}  [default: {setting.default}]"
    if setting.kind == "flag":
        return click.option(name, setting.name, is_flag=True, default=None, help=words)
    kind = click.Choice(setting.choices) if setting.choices else str
    many = setting.kind == "list"
    return click.option(name, setting.name, type=kind, multiple=many, metavar=setting.metavar or None, help=words)


def options_of(names: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return a decorator that adds the options of these settings."""

    def add(command: Any) -> Any:
        for setting in reversed([s for s in SETTINGS if s.name in names]):
            command = _option(setting)(command)
        return command

    return add


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
ledger_option = click.option(
    "--ledger",
    default=".modelwright/ledger.db",
    show_default=True,
    metavar="FILE|URL",
    help="Ledger of the service: a file, or postgresql://…",
)
state_option = click.option(
    "--state", metavar="FILE|URL", help="State of watching.  [default: watch.db beside the ledger, or its database]"
)
query_option = click.option("--query", metavar="SQL", help="SQL query, when the source is a database.")


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def as_text(data: Any) -> str:
    """Return the one JSON document of a command."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def width() -> int:
    """Return the columns of the terminal, within reason."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, 20), 100)
