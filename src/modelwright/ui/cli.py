"""The command line: parses what a person asks, calls one verb, shows the value."""

from __future__ import annotations

import click

from modelwright.ui import explaining, exploring, handbook, monitoring, releasing, reporting, serving, training


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(package_name="modelwright")
def main() -> None:
    """From a raw table to an evaluated, documented, safely packaged model.

    \b
    modelwright train churn.csv --target Churn --budget 60s --out churn.model
    modelwright predict churn.model new_customers.csv --out scored.parquet
    modelwright evaluate churn.model labelled_later.csv
    """  # noqa: D301 - click reads a real backspace as "keep these lines"


for command in (
    *training.COMMANDS,
    *explaining.COMMANDS,
    *handbook.COMMANDS,
    *exploring.COMMANDS,
    *reporting.COMMANDS,
    *releasing.COMMANDS,
    *serving.COMMANDS,
    *monitoring.COMMANDS,
):
    main.add_command(command)
