"""The command that tells what is known about a model: report, report check, two models side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelwright.core.errors import InvalidSetting
from modelwright.ui.command import Command, as_text, json_option, width

if TYPE_CHECKING:
    from modelwright.core.costs import Prices

KINDS = ("page", "card", "brief", "document", "slides")
CHECK = "check"


@click.command(cls=Command)
@click.argument("packages", nargs=-1, required=True, metavar="PACKAGE [PACKAGE] | check PACKAGE")
@click.option("--as", "kind", type=click.Choice(KINDS), help="Which document.  [default: page and card]")
@click.option("--out", metavar="FOLDER", help="Where to write.  [default: PACKAGE-report]")
@click.option("--cost-false-alarm", type=float, metavar="COST", help="What a false alarm costs, in your unit.")
@click.option("--cost-miss", type=float, metavar="COST", help="What a miss costs, in your unit.")
@click.option("--unit", metavar="NAME", default="", help="The unit of the costs, such as EUR or hours.")
@click.option("--document", metavar="FILE", help="With check: a document to be compared with the package.")
@click.option("--data", metavar="TABLE", help="With check: the training table; the model is trained anew.")
@click.option("--open", "show", is_flag=True, help="Open what was written.")
@json_option
def report(  # noqa: PLR0913, PLR0917 - one argument an option
    packages: tuple[str, ...],
    kind: str | None,
    out: str | None,
    cost_false_alarm: float | None,
    cost_miss: float | None,
    unit: str,
    document: str | None,
    data: str | None,
    show: bool,
    as_json: bool,
) -> None:
    """Draw what is known about a model, for whoever asks.

    \b
    page      everything, one HTML file              card      Markdown, with a JSON twin
    brief     one page in plain language             document  PDF and DOCX for validators
    slides    a PPTX deck for non-engineers

    `report check PACKAGE` computes every number again from the sealed rows and fails when one disagrees; with
    --document it compares a file too, with --data it trains the model anew. `report A B` says what changed between
    two models and whether it matters.

    For a number that is predicted, a false alarm is one unit too high and a miss one unit too low; with more than
    two classes a wrong answer costs both together.
    """  # noqa: D301 - click reads a real backspace as "keep these lines"
    if packages[0] == CHECK and len(packages) == 2:
        _check(packages[1], document, data, as_json=as_json)
        return
    if document is not None or data is not None or len(packages) > 2 or (len(packages) == 2 and kind is not None):
        raise InvalidSetting(
            "one package is drawn, two are compared, and `check PACKAGE` takes --document and --data",
            where="report",
            got=" ".join(packages),
            fix="see modelwright report --help",
        )
    if len(packages) == 2:
        _contrast(packages, out, show=show, as_json=as_json)
        return
    from modelwright.flows.report import report as verb

    prices = _prices(cost_false_alarm, cost_miss, unit)
    done = verb(packages[0], kind=kind, out=out, prices=prices)
    click.echo(as_text(done.to_dict()) if as_json else "\n".join(f"{k}: {v}" for k, v in done.files.items()))
    if show:
        click.launch(Path(next(iter(done.files.values()))).resolve().as_uri())


def _check(package: str, document: str | None, data: str | None, *, as_json: bool) -> None:
    from modelwright.flows.report_check import check

    done = check(package, document=document, data=data)
    click.echo(as_text(done.to_dict()) if as_json else done.summary())


def _contrast(packages: tuple[str, ...], out: str | None, *, show: bool, as_json: bool) -> None:
    from modelwright.flows.contrast import contrast

    done = contrast(packages[0], packages[1], out=out)
    click.echo(as_text(done.to_dict()) if as_json else done.summary(width()))
    if done.page and not as_json:
        click.echo(f"page: {done.page}")
    if show and done.page:
        click.launch(Path(done.page).resolve().as_uri())


def _prices(false_alarm: float | None, miss: float | None, unit: str) -> Prices | None:
    """Return what errors cost when at least one cost was given; the other is then zero."""
    from modelwright.core.costs import Prices

    if false_alarm is None and miss is None:
        return None
    return Prices(false_alarm or 0.0, miss or 0.0, unit)


COMMANDS = (report,)
