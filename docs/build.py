"""Prints the reference pages from the code and builds the documentation site.

python docs/build.py          build site/ from docs/
python docs/build.py --check  fail when a printed page is not what the code says, or a link leads nowhere
python docs/build.py --bless  print the pages anew
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from modelwright.core import errors
from modelwright.core.metrics import MEASURES
from modelwright.core.settings import SETTINGS
from modelwright.flows.config import schema
from modelwright.ui.cli import main as cli

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def cli_page() -> str:
    """Return the help of every command."""
    lines = ["# Command line", "", "Printed from the code by `make bless`.", ""]
    for name, command in [("", cli), *_commands(cli)]:
        words = f"modelwright {name}".strip()
        context = click.Context(command, info_name=words, max_content_width=90, terminal_width=90)
        lines += [f"## {words}", "", "```text", command.get_help(context).strip(), "```", ""]
    return "\n".join(lines)


def _commands(group: click.Group, above: str = "") -> list[tuple[str, click.Command]]:
    """Return every command below a group by its words."""
    found: list[tuple[str, click.Command]] = []
    for name, command in sorted(group.commands.items()):
        found.append((f"{above}{name}", command))
        if isinstance(command, click.Group):
            found += _commands(command, f"{above}{name} ")
    return found


def settings_page() -> str:
    """Return the table of settings and the schema of the file."""
    lines = ["# Settings", "", "The same names on the command line, in Python and in `modelwright.toml`.", ""]
    lines += ["| name | kind | default | meaning |", "|---|---|---|---|"]
    for s in SETTINGS:
        kind = " \\| ".join(s.choices) if s.choices else s.kind
        lines.append(f"| `{s.name}` | {kind} | {s.default} | {s.help} |")
    lines += ["", "A file names the table as `source` and the rest as above:", "", "```toml"]
    lines += ['source = "churn.csv"', 'target = "Churn"', 'budget = "60s"', 'out = "churn.model"', "```", ""]
    lines += [
        "Its JSON Schema, as `modelwright schema` prints it:",
        "",
        "```json",
        json.dumps(schema(), indent=2),
        "```",
        "",
    ]
    return "\n".join(lines)


def errors_page() -> str:
    """Return a heading for every error code."""
    lines = [
        "# Errors",
        "",
        "Every error has a rule, where it was broken, what was found, and how to fix it; the command",
    ]
    lines += ["ends with exit code 2. A defect of modelwright itself ends with exit code 1.", ""]
    known = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.ModelwrightError)]
    for error in sorted(known, key=lambda c: c.code):
        summary = (inspect.getdoc(error) or "").split("\n")[0]
        lines += [f"## {error.code}", "", f"`{error.__name__}`: {summary}", ""]
    return "\n".join(lines)


def measures_page() -> str:
    """Return the table of measures."""
    lines = ["# Measures", "", "Every measure is reported with a 95 % interval and the name of its method.", ""]
    lines += ["| name | measure | tasks | better | unit |", "|---|---|---|---|---|"]
    for m in MEASURES.values():
        better = "higher" if m.greater_is_better else "lower"
        tasks = ", ".join(k.value for k in m.kinds)
        lines.append(f"| `{m.name}` | {m.title} | {tasks} | {better} | {m.unit or '–'} |")
    return "\n".join([*lines, ""])


PRINTED = {
    DOCS / "reference" / "cli.md": cli_page,
    DOCS / "reference" / "settings.md": settings_page,
    DOCS / "reference" / "measures.md": measures_page,
    DOCS / "errors.md": errors_page,
}


def build(folder: Path) -> None:
    """Build the site; a broken link or a page nobody can reach is an error."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT)


def main(words: list[str]) -> int:
    """Do what the words say; return the exit code."""
    stale = [path for path, page in PRINTED.items() if not path.exists() or path.read_text() != page()]
    if "--bless" in words:
        for path in stale:
            path.write_text(PRINTED[path]())
            print(f"printed {path.relative_to(ROOT)}")
        return 0
    for path in stale:
        print(
            f"{path.relative_to(ROOT)} is not what the code says; run `make bless` and read the diff", file=sys.stderr
        )
    if stale:
        return 1
    if "--check" in words:
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder))
    else:
        build(ROOT / "site")
        print("site/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
