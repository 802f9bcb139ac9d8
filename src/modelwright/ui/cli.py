"""The command line: parses what a person asks, calls one verb, shows the value."""

from __future__ import annotations

import click

from modelwright.ui import (
    explaining,
    exploring,
    handbook,
    maintaining,
    monitoring,
    releasing,
    reporting,
    serving,
    training,
)

SECTIONS = {
    "Make a model and use it": training.COMMANDS,
    "Understand it and tell others": (*explaining.COMMANDS, *reporting.COMMANDS, *handbook.COMMANDS),
    "Put it into production": (*releasing.COMMANDS, *serving.COMMANDS),
    "Keep it good": (*monitoring.COMMANDS, *maintaining.COMMANDS),
    "Explore a table without a target": exploring.COMMANDS,
}
"""All commands, by what they are for."""
WHOLE = 500
"""Letters of a command's first sentence: never cut, it goes on in the next line."""


class Sections(click.Group):
    """A group whose help lists its commands by what they are for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list of commands a section."""
        width = max(len(name) for name in self.commands)
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(str(c.name).ljust(width), c.get_short_help_str(WHOLE)) for c in commands])


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(package_name="modelwright")
def main() -> None:
    """From a raw table to an evaluated, documented, safely packaged model, and on into production.

    \b
    modelwright train churn.csv --target Churn --budget 60s --out churn.model
    modelwright predict churn.model new_customers.csv --out scored.parquet
    modelwright evaluate churn.model labelled_later.csv
    """  # noqa: D301 - click reads a real backspace as "keep these lines"


for section in SECTIONS.values():
    for command in section:
        main.add_command(command)
