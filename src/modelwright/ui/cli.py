"""The command line: parses what a person asks, calls one verb, shows the value."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelwright.core.errors import InvalidSetting, ModelwrightError
from modelwright.core.settings import SETTINGS, Setting, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

EXIT_ERROR = 2
"""For every error that is explained: of the data, the options, the package or the place to write to."""
EXIT_BUG = 1
"""For an error nobody foresaw."""


def process_started() -> float:
    """Return when this process began, on the clock of ``time.monotonic``: a budget covers the imports too."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - max(age, 0.0)
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic()


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


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(package_name="modelwright")
def main() -> None:
    """From a raw table to an evaluated, documented, safely packaged model.

    \b
    modelwright train churn.csv --target Churn --budget 60s --out churn.model
    modelwright predict churn.model new_customers.csv --out scored.parquet
    modelwright evaluate churn.model labelled_later.csv
    """  # noqa: D301 - click reads a real backspace as "keep these lines"


def _option(setting: Setting) -> Callable[[Any], Any]:
    """Return a command-line option for a setting."""
    name = f"--{setting.name.replace('_', '-')}"
    words = f"{setting.help}  [default: {setting.default}]"
    if setting.kind == "flag":
        return click.option(name, setting.name, is_flag=True, default=None, help=words)
    kind = click.Choice(setting.choices) if setting.choices else str
    many = setting.kind == "list"
    return click.option(name, setting.name, type=kind, multiple=many, metavar=setting.metavar or None, help=words)


def _options_of(names: tuple[str, ...]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for setting in reversed([s for s in SETTINGS if s.name in names]):
            command = _option(setting)(command)
        return command

    return add


ALL_SETTINGS = tuple(s.name for s in SETTINGS)
PROFILE_SETTINGS = ("target", "task", "positive", "time", "group", "weight", "ignore", "test", "query", "seed")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
query_option = click.option("--query", metavar="SQL", help="SQL query, when the source is a database.")


@main.command(cls=Command)
@click.argument("source", required=False)
@_options_of(ALL_SETTINGS)
@click.option("--config", metavar="FILE", help="Settings file; ./modelwright.toml is used when no source is given.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
def train(source: str | None, config: str | None, quiet: bool, as_json: bool, **options: Any) -> None:
    """Train, judge, document and package a model.

    SOURCE is a CSV, TSV, Parquet, Arrow, JSON Lines or Excel file, a folder or glob of files, an s3:// address,
    or a database address with --query.
    """
    started = process_started()
    values = _given(options)
    source, values = _with_config(source, config, values)
    settings = Settings.of(values)
    _limit_threads(settings.threads)

    from modelwright.flows.api import run_of
    from modelwright.flows.train import train as recipe
    from modelwright.ui.progress import Bar

    stop = _Stop(quiet=as_json or quiet)
    with stop, Bar(settings.budget, quiet=quiet or as_json) as bar:
        run = run_of(settings, started=started, tell=bar, is_stopped=stop.is_asked)
        trained = recipe(source, settings, run)
    click.echo(_json(trained.to_dict()) if as_json else trained.summary(_width()))


@main.command(cls=Command)
@click.argument("package")
@click.argument("source")
@click.option("--out", metavar="FILE", help="Where to write: .parquet, .csv or .jsonl. Without it, CSV is printed.")
@query_option
@json_option
def predict(package: str, source: str, out: str | None, query: str | None, as_json: bool) -> None:
    """Score a table: columns `prediction` and, for classes, `probability_<label>`, rows in input order."""
    from modelwright.flows.predict import predict as verb

    scored = verb(package, source, out=out, query=query)
    if as_json:
        click.echo(_json(scored.to_dict()))
    elif out is None:
        click.echo(scored.frame.write_csv(), nl=False)
    else:
        click.echo(f"{scored.frame.height:,} rows scored: {out}")
    if not as_json:
        for b in scored.breaks:
            click.echo(f"note: column {b.column!r}: {b.rule} in {b.n_rows:,} rows, {b.action}", err=True)


@main.command(cls=Command)
@click.argument("package")
@click.argument("source")
@query_option
@json_option
def evaluate(package: str, source: str, query: str | None, as_json: bool) -> None:
    """Measure a package on labelled rows that came later."""
    from modelwright.flows.evaluate import evaluate as verb

    done = verb(package, source, query=query)
    click.echo(_json(done.to_dict()) if as_json else done.summary(_width()))


@main.command(cls=Command)
@click.argument("source")
@_options_of(PROFILE_SETTINGS)
@click.option("--contract", metavar="FILE", help="Contract file to use in place of what is inferred.")
@click.option("--contract-out", metavar="FILE", help="Write the contract here, to be edited and given back.")
@json_option
def profile(source: str, contract: str | None, contract_out: str | None, as_json: bool, **options: Any) -> None:
    """Describe a table: what its columns mean and what is wrong with it. Nothing is trained."""
    from modelwright.flows.api import run_of
    from modelwright.flows.profile import profile as verb

    values = _given(options)
    is_asked = "target" in values
    settings = Settings.of({"target": "", **values, "contract": contract}, needs_target=is_asked)
    done = verb(
        source,
        settings if is_asked else None,
        run_of(settings),
        query=values.get("query"),
        contract=contract,
        contract_out=contract_out,
    )
    click.echo(_json(done.to_dict()) if as_json else done.summary(_width()))


@main.command(cls=Command)
@click.argument("package")
@click.option("--out", metavar="FOLDER", help="Where to write the page and the card.  [default: PACKAGE-report]")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@json_option
def report(package: str, out: str | None, show: bool, as_json: bool) -> None:
    """Draw the report page and the model card of a package."""
    from modelwright.flows.report import report as verb

    done = verb(package, out=out)
    click.echo(_json(done.to_dict()) if as_json else f"page: {done.page}\ncard: {done.card}")
    if show:
        click.launch(Path(done.page).resolve().as_uri())


@main.command(cls=Command)
@json_option
def schema(as_json: bool) -> None:
    """Print the JSON Schema of modelwright.toml."""
    from modelwright.flows.config import schema as verb

    click.echo(json.dumps(verb(), indent=None if as_json else 2))


class _Stop:
    """The first Ctrl-C asks for the best so far, the second ends at once."""

    def __init__(self, *, quiet: bool) -> None:
        self._asked = False
        self._quiet = quiet
        self._before: Any = None

    def is_asked(self) -> bool:
        return self._asked

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGINT, self._ask)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if not self._quiet:
            click.echo("\nending with the best model so far; press Ctrl-C again to end at once", err=True)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, ())}


def _with_config(source: str | None, config: str | None, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the source and the settings of file and command line together; the command line wins."""
    from modelwright.flows.config import FILE_NAME, SOURCE, read_config

    if config is None and source is None and Path(FILE_NAME).exists():
        config = FILE_NAME
    if config is not None:
        written = read_config(config)
        if "effort" in values:
            written.pop("budget", None)
        if "budget" in values:
            written.pop("effort", None)
        source = source or written.pop(SOURCE, None)
        values = {**{k: v for k, v in written.items() if k != SOURCE}, **values}
    if source is None:
        raise InvalidSetting(
            "a run needs a table to learn from",
            where="SOURCE",
            got="nothing",
            fix=f"name a file, or write source = … in {FILE_NAME}",
        )
    return source, values


def _limit_threads(threads: int | None) -> None:
    """Keep polars to the threads that were allowed; it reads this when it is first imported."""
    if threads is not None:
        os.environ.setdefault("POLARS_MAX_THREADS", str(threads))


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _width() -> int:
    return min(max(shutil.get_terminal_size((80, 24)).columns, 20), 100)
