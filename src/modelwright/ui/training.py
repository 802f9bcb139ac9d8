"""The commands that make and use one model: train, predict, evaluate, profile, schema."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelwright.core.errors import InvalidSetting
from modelwright.core.settings import SETTINGS, Settings
from modelwright.ui.command import Command, as_text, given, json_option, options_of, query_option, width

if TYPE_CHECKING:
    from types import FrameType

ALL_SETTINGS = tuple(s.name for s in SETTINGS)
PROFILE_SETTINGS = ("target", "task", "positive", "time", "group", "weight", "ignore", "test", "query", "seed")


def process_started() -> float:
    """Return when this process began, on the clock of ``time.monotonic``: a budget covers the imports too."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - max(age, 0.0)
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic()


@click.command(cls=Command)
@click.argument("source", required=False)
@options_of(ALL_SETTINGS)
@click.option("--config", metavar="FILE", help="Settings file; ./modelwright.toml is used when no source is given.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
def train(source: str | None, config: str | None, quiet: bool, as_json: bool, **options: Any) -> None:
    """Train, judge, document and package a model.

    SOURCE is a CSV, TSV, Parquet, Arrow, JSON Lines or Excel file, a folder or glob of files, an s3:// address,
    or a database address with --query.
    """
    started = process_started()
    values = given(options)
    source, values = _with_config(source, config, values)
    if "plan" in values:
        from modelwright.flows.plan import planned

        values = planned(values)
    settings = Settings.of(values)
    _limit_threads(settings.threads)

    from modelwright.flows.api import run_of
    from modelwright.flows.train import train as recipe
    from modelwright.ui.progress import Bar

    stop = _Stop(quiet=as_json or quiet)
    with stop, Bar(None if settings.plan else settings.budget, quiet=quiet or as_json) as bar:
        run = run_of(settings, started=started, tell=bar, is_stopped=stop.is_asked)
        trained = recipe(source, settings, run)
    click.echo(as_text(trained.to_dict()) if as_json else trained.summary(width()))


@click.command(cls=Command)
@click.argument("package")
@click.argument("source")
@click.option(
    "--out",
    metavar="FILE|FOLDER/",
    help="Where to write: .parquet, .csv or .jsonl; or a folder, for Parquet of any size. Without it, CSV is printed.",
)
@click.option(
    "--coverage",
    type=float,
    metavar="SHARE",
    help="Add columns that hold the truth of this share of rows: `low` and `high`, or `labels`.",
)
@query_option
@json_option
def predict(
    package: str, source: str, out: str | None, coverage: float | None, query: str | None, as_json: bool
) -> None:
    """Score a table: columns `prediction` and, for classes, `probability_<label>`, rows in input order.

    Into a FOLDER/ Parquet files are scored one by one in constant memory, here or behind s3://. Each part appears only
    once it is whole; given the same command again after an interruption, it goes on where it was.
    """
    from modelwright.flows.batch import is_folder
    from modelwright.flows.predict import predict as verb

    if is_folder(out) and query is None:
        _score_files(package, source, str(out), coverage, as_json=as_json)
        return
    scored = verb(package, source, out=out, query=query, coverage=coverage)
    if as_json:
        click.echo(as_text(scored.to_dict()))
    elif out is None:
        click.echo(scored.frame.write_csv(), nl=False)
    else:
        click.echo(f"{scored.frame.height:,} rows scored: {out}")
    if not as_json:
        for b in scored.breaks:
            click.echo(f"note: column {b.column!r}: {b.rule} in {b.n_rows:,} rows, {b.action}", err=True)


def _score_files(package: str, source: str, out: str, coverage: float | None, *, as_json: bool) -> None:
    """Score Parquet files into a folder, and tell what was done."""
    from modelwright.flows.batch import batch

    done = batch(package, source, out=out, coverage=coverage)
    if as_json:
        click.echo(as_text(done.to_dict()))
        return
    before = f", {done.skipped:,} of them before" if done.skipped else ""
    click.echo(f"{done.rows:,} rows of {done.files:,} files scored{before}: {done.out}")
    for what, n in done.breaks.items():
        click.echo(f"note: {what} in {n:,} rows", err=True)


@click.command(cls=Command)
@click.argument("package")
@click.option("--latency", metavar="TIME", help="Most time one answer may take (0.1ms).")
@click.option("--size", metavar="SIZE", help="Most room the model may take (5MB).")
@click.option("--out", metavar="PATH", help="Where the pruned package goes. Without it, the choice is printed.")
@json_option
def prune(package: str, latency: str | None, size: str | None, out: str | None, as_json: bool) -> None:
    """Make a quicker or smaller package of a finished one, and say what that costs.

    Without --out the models that the package can be pruned to are listed: score, time of a row, size.
    """
    from modelwright.flows.prune import front, front_table
    from modelwright.flows.prune import prune as verb

    if out is None:
        entries = front(package)
        click.echo(as_text({"front": entries}) if as_json else front_table(entries))
        return
    done = verb(package, out=out, latency=latency, size=size)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
@click.argument("package")
@click.argument("source")
@query_option
@json_option
def evaluate(package: str, source: str, query: str | None, as_json: bool) -> None:
    """Measure a package on labelled rows that came later."""
    from modelwright.flows.evaluate import evaluate as verb

    done = verb(package, source, query=query)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
@click.argument("source")
@options_of(PROFILE_SETTINGS)
@click.option("--contract", metavar="FILE", help="Contract file to use in place of what is inferred.")
@click.option("--contract-out", metavar="FILE", help="Write the contract here, to be edited and given back.")
@json_option
def profile(source: str, contract: str | None, contract_out: str | None, as_json: bool, **options: Any) -> None:
    """Describe a table: what its columns mean and what is wrong with it. Nothing is trained."""
    from modelwright.flows.api import run_of
    from modelwright.flows.profile import profile as verb

    values = given(options)
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
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))


@click.command(cls=Command)
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


COMMANDS = (train, predict, evaluate, prune, profile, schema)
