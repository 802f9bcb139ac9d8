"""The command of the handbook: list, answer, practise, build."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelwright.core.errors import InvalidSetting
from modelwright.core.settings import Settings
from modelwright.ui.command import Command, as_text, given, json_option, options_of, width

if TYPE_CHECKING:
    from modelwright.core.run import Run
    from modelwright.flows.practice import Marked, Question

ABOUT_DATA = ("target", "task", "positive", "time", "group", "weight", "ignore", "query", "seed")
ROLE = "role"


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option(
    "--data", metavar="TABLE", help="Run the experiment on this table.  [default: a small one that is built in]"
)
@options_of(ABOUT_DATA)
@click.option("--topic", metavar="TEXT", help="Only entries of the topic with this in its name.")
@click.option("--search", metavar="WORDS", help="Only entries that hold all of these words.")
@click.option("--out", metavar="FILE", help="Write the page, with charts, as HTML.")
@click.option("--practice", is_flag=True, help="Be asked, answer, compare; what was missed is asked again.")
@click.option("--memory", metavar="FILE", help="Where practice remembers.  [default: in your home folder]")
@click.option("--build", metavar="DIR", help="Write all entries as a site that works from a file.")
@json_option
def handbook(name: str | None, as_json: bool, **options: Any) -> None:
    """Answer questions of the trade with an experiment on your own table.

    Without NAME the entries are listed; `role` is the page on the role itself.

    \b
    modelwright handbook bias-variance --data churn.csv --target Churn
    modelwright handbook --practice --topic algorithms
    """  # noqa: D301 - click reads a real backspace as "keep these lines"
    from modelwright.flows.api import run_of

    settings = _settings(options)
    run = run_of(settings)
    if options["build"]:
        _build(options["build"], options["data"], settings, as_json=as_json)
    elif options["practice"]:
        _practise(options, settings, run, as_json=as_json)
    elif name is None:
        _list(options, as_json=as_json)
    elif name == ROLE:
        _role(options["out"], as_json=as_json)
    else:
        _answer(name, options, settings, run, as_json=as_json)


def _settings(options: dict[str, Any]) -> Settings:
    """Return what is known about the table; a target without a table, or the reverse, is a slip."""
    about = given({k: options[k] for k in ABOUT_DATA})
    has_data = options["data"] is not None
    if has_data and "target" not in about:
        raise InvalidSetting(
            "an experiment on a table names the column to predict",
            where="--data",
            got=str(options["data"]),
            fix="add --target COLUMN",
        )
    if not has_data and "target" in about:
        raise InvalidSetting(
            "a target is a column of a table that is named",
            where="--target",
            got=str(about["target"]),
            fix="add --data TABLE",
        )
    return Settings.of({"target": "", **about}, needs_target=has_data)


def _list(options: dict[str, Any], *, as_json: bool) -> None:
    from modelwright.flows.handbook import entries

    found = entries(topic=options["topic"], search=options["search"])
    if as_json:
        click.echo(as_text({"entries": found}))
        return
    topic = ""
    for entry in found:
        if entry["topic"] != topic and not options["search"]:
            click.echo(f"{'' if not topic else chr(10)}{entry['topic']}")
        topic = entry["topic"]
        click.echo(f"  {entry['name']:<26}{entry['question']}")
    if not found:
        click.echo("no entry holds all of these words")
    elif not options["search"]:
        click.echo("\nmodelwright handbook NAME answers; modelwright handbook role is about the role itself")


def _answer(name: str, options: dict[str, Any], settings: Settings, run: Run, *, as_json: bool) -> None:
    from modelwright.flows.handbook import study, write_page

    studied = study(name, options["data"], settings, run)
    written = {}
    if options["out"]:
        written = {"page": str(write_page(options["out"], studied.page()))}
    if as_json:
        click.echo(as_text({**studied.to_dict(), **written}))
    elif written:
        click.echo(f"page: {written['page']}")
    else:
        click.echo(studied.summary(width()))


def _role(out: str | None, *, as_json: bool) -> None:
    from modelwright.core.fingerprint import plain
    from modelwright.flows.handbook import page_of_role, role, role_text, write_page

    sections = role(_verbs())
    written = {"page": str(write_page(out, page_of_role(sections)))} if out else {}
    if as_json:
        click.echo(as_text({"name": ROLE, "sections": plain(sections), **written}))
    else:
        click.echo(f"page: {written['page']}" if written else role_text(sections, width()))


def _build(folder: str, data: str | None, settings: Settings, *, as_json: bool) -> None:
    from modelwright.flows.api import run_of
    from modelwright.flows.handbook import build
    from modelwright.ui.progress import Bar

    with Bar(None, quiet=as_json) as bar:
        built = build(folder, data, settings, run_of(settings, tell=bar), verbs=_verbs())
    click.echo(as_text(built.to_dict()) if as_json else f"{built.pages} pages: {built.index}")


def _verbs() -> set[str]:
    """Return the commands there are."""
    group = click.get_current_context().find_root().command
    return set(getattr(group, "commands", {}))


def _practise(options: dict[str, Any], settings: Settings, run: Run, *, as_json: bool) -> None:
    """Ask until the reader has had enough; piped, once for every answer that comes."""
    from modelwright.flows import practice

    place = Path(options["memory"]) if options["memory"] else practice.default_memory()
    just = None
    while True:
        question = practice.ask(place, topic=options["topic"], search=options["search"], just=just)
        if not as_json:
            click.echo(f"{question.topic}\n\n{question.question}\n")
            click.echo("Your answer, ended by an empty line:")
        answer = _read_answer()
        marked = practice.mark(question.name, answer)
        if as_json:
            share = marked.n_made / len(marked.points)
            due = practice.remember(place, question.name, share)
            click.echo(as_text({**marked.to_dict(), "answer": answer, "share": share, "due": due.isoformat()}))
            return
        _one_round(question, marked, place, options, settings, run)
        just = question.name
        if not _wants_more():
            return


def _one_round(
    question: Question, marked: Marked, place: Path, options: dict[str, Any], settings: Settings, run: Run
) -> None:
    from modelwright.flows import practice
    from modelwright.flows.handbook import study

    click.echo("\nA good answer says")
    for text, made in marked.points:
        click.echo(f"  [{'x' if made else ' '}] {text}")
    n = len(marked.points)
    click.echo(
        f"\nBy its words your answer makes {marked.n_made} of {n}. How many do you say? [{marked.n_made}] ", nl=False
    )
    share = _read_count(marked.n_made, n) / n
    click.echo("\n" if not sys.stdin.isatty() else "")
    click.echo(study(question.name, options["data"], settings, run).findings(width()))
    due = practice.remember(place, question.name, share)
    when = "again in this sitting" if due.toordinal() <= practice.today() else f"again on {due.isoformat()}"
    click.echo(f"\nThis question comes {when}.")


def _read_answer() -> str:
    lines = []
    for line in iter(sys.stdin.readline, ""):
        if not line.strip():
            break
        lines.append(line.strip())
    return " ".join(lines)


def _read_count(otherwise: int, most: int) -> int:
    said = sys.stdin.readline().strip()
    return min(int(said), most) if said.isdigit() else otherwise


def _wants_more() -> bool:
    """Whether to ask another: a person is asked; piped, as long as there is input that says so."""
    if sys.stdin.isatty():
        click.echo("Another? [Y/n] ", nl=False)
        said = sys.stdin.readline()
        return bool(said) and not said.strip().lower().startswith("n")
    return sys.stdin.readline().strip().lower().startswith("y")


COMMANDS = (handbook,)
