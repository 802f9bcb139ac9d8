"""Handbook: a question of the trade, answered with an experiment on the reader's table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import UnwritableOutput
from modelwright.core.fingerprint import plain
from modelwright.core.settings import Settings
from modelwright.core.table import Table
from modelwright.data.reading import read
from modelwright.flows._preparing import prepare
from modelwright.handbook import contents, running, tables
from modelwright.handbook import role as the_role
from modelwright.handbook.sample import sample_of
from modelwright.reports import article as pages
from modelwright.reports import numbers
from modelwright.reports.gallery import Picture
from modelwright.reports.handbook_site import Row, Section
from modelwright.reports.handbook_site import index as index_page
from modelwright.reports.handbook_site import role as role_page
from modelwright.reports.names import as_plain, marked
from modelwright.reports.terminal import wrapped

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from modelwright.core.run import Run
    from modelwright.handbook.entry import Entry, Experiment
    from modelwright.handbook.sample import Sample

ROWS_MOST = 4_000
"""Experiments fit dozens of models within seconds; more rows than this are drawn at random."""
HELD_SHARE = "0.25"


@dataclass(frozen=True, slots=True)
class Studied:
    """An entry with what its experiment showed.

    Attributes:
        entry: The entry.
        sample: What it ran on.
        experiment: What came of it.
        seconds: How long it took, without reading the table.
        command: The command that repeats it.
        said: What the table is, for the page.
    """

    entry: Entry
    sample: Sample
    experiment: Experiment
    seconds: float
    command: str
    said: str

    def article(self, *, home: bool = False) -> pages.Article:
        """Return what the reports draw.

        Args:
            home: Whether pages of the other entries lie beside this one.
        """
        e, x = self.entry, self.experiment
        pictures = tuple(
            Picture(f"figure-{i + 1}", f.title, f.caption, f.caption, dict(f.spec)) for i, f in enumerate(x.figures)
        )
        return pages.Article(
            name=e.name,
            question=e.question,
            topic=e.topic.value,
            short=e.short,
            explanation=e.explanation,
            points=tuple(p.text for p in e.points),
            data=self.said,
            notes=x.notes or self.sample.notes,
            done=x.done,
            pictures=pictures,
            numbers=tuple((f.label, f.shown) for f in x.numbers),
            meaning=x.meaning,
            advice=x.advice,
            seconds=numbers.duration(self.seconds),
            command=self.command,
            related=tuple((name, contents.find(name).question) for name in e.related),
            home=home,
        )

    def summary(self, width: int) -> str:
        """Return the article as plain text for a terminal of this width."""
        return pages.text(self.article(), width)

    def findings(self, width: int) -> str:
        """Return only what the experiment showed, as plain text."""
        return pages.findings(self.article(), width)

    def page(self) -> str:
        """Return the article as one HTML page."""
        return pages.html(self.article())

    def to_dict(self) -> dict[str, Any]:
        """Return what ``handbook NAME --json`` prints."""
        x = self.experiment
        return {
            **listed(self.entry),
            "short": self.entry.short,
            "explanation": list(self.entry.explanation),
            "points": [p.text for p in self.entry.points],
            "data": {
                "table": self.sample.name,
                "target": self.sample.task.target,
                "task": self.sample.task.kind.value,
                "rows": self.sample.n_all,
                "fit": self.sample.fit.n,
                "held": self.sample.held.n,
                "notes": [as_plain(n) for n in x.notes or self.sample.notes],
            },
            "done": as_plain(x.done),
            "numbers": {f.key: _plain(f.value) for f in x.numbers},
            "labels": {f.key: as_plain(f.label) for f in x.numbers},
            "figures": [{"title": f.title, "caption": f.caption} for f in x.figures],
            "meaning": [as_plain(s) for s in x.meaning],
            "advice": [as_plain(s) for s in x.advice],
            "seconds": round(self.seconds, 3),
            "command": self.command,
        }


def listed(entry: Entry) -> dict[str, str]:
    """Return an entry as a list shows it."""
    return {"name": entry.name, "question": entry.question, "topic": entry.topic.value}


def entries(*, topic: str | None = None, search: str | None = None) -> list[dict[str, str]]:
    """Return the entries of a topic that hold every word of a search: ``name``, ``question``, ``topic``."""
    return [listed(e) for e in contents.chosen(topic=topic, search=search)]


def study(name: str, source: object | None, settings: Settings | None, run: Run) -> Studied:
    """Run an entry's experiment.

    Args:
        name: Of the entry.
        source: Anything that can be read as a table; None for the small table that comes with the entry.
        settings: The target and what else is known about the table; not read without a source.
        run: Seed.

    Raises:
        UnknownName: There is no such entry.
        ModelwrightError: The table cannot be read, or cannot answer the question.
    """
    entry = contents.find(name)
    sample, said, words = opened(source, settings, run, entry.table)
    return _shown(entry, sample, said, words, run)


def opened(source: object | None, settings: Settings | None, run: Run, otherwise: str) -> tuple[Sample, str, list[str]]:
    """Return a table as a sample, a sentence about it, and the options that name it.

    Args:
        source: Anything that can be read as a table, or None.
        settings: What is known about it.
        run: Seed.
        otherwise: The table of the handbook to take when there is no source.
    """
    if source is None or settings is None:
        known = tables.known(otherwise)
        table = read(tables.load(known.name))
        asked = Settings.of({"target": known.target, "positive": known.positive, "test": HELD_SHARE, "seed": run.seed})
        sample = _sample(table, asked, run, name=known.name)
        return sample, f"No table was given, so this ran on one that comes with scikit-learn: {known.said}.", []
    table = read(source, query=settings.query)
    asked = settings if settings.test is not None else replace(settings, test=HELD_SHARE)
    name = Path(table.source).name or table.source
    sample = _sample(table, asked, run, name=name)
    said = f"Your table {marked(name)}: {table.n_rows:,} rows; the question is {sample.asked}."
    return sample, said, _options(source, settings)


def _sample(table: Table, settings: Settings, run: Run, *, name: str) -> Sample:
    known = prepare(_thinned(table, run.seed), None, settings, run)
    return sample_of(
        known.frame, known.contract, known.task, known.target, known.split, name=name, n_all=table.n_rows, seed=run.seed
    )


def _thinned(table: Table, seed: int) -> Table:
    """Return at most ``ROWS_MOST`` rows in their order, drawn at random."""
    if table.n_rows <= ROWS_MOST:
        return table
    rows = np.sort(np.random.default_rng(seed).choice(table.n_rows, ROWS_MOST, replace=False))
    return Table(table.frame[rows], table.source, f"{table.fingerprint}-{seed}")


def _options(source: object, settings: Settings) -> list[str]:
    words = ["--data", str(source) if isinstance(source, str | Path) else "TABLE"]
    for key, value in settings.to_dict().items():
        if key in ("target", "task", "positive", "time", "group", "weight", "ignore", "query", "seed"):
            for one in value if isinstance(value, list) else [value]:
                words += [f"--{key}", str(one)]
    return words


def _shown(entry: Entry, sample: Sample, said: str, words: list[str], run: Run) -> Studied:
    begun = run.clock()
    experiment = running.run(entry, sample, run.seed)
    command = " ".join(quote(w) for w in ["modelwright", "handbook", entry.name, *words])
    return Studied(entry, sample, experiment, run.clock() - begun, command, said)


def _plain(value: Any) -> Any:
    """Return a value for JSON: texts without marks, numbers that do not exist as null."""
    if isinstance(value, str):
        return as_plain(value)
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return plain(value)


def write_page(path: str | Path, content: str) -> Path:
    """Write a page, making its folder.

    Raises:
        UnwritableOutput: It cannot be written.
    """
    place = Path(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    except OSError as error:
        raise UnwritableOutput(
            "a page needs a place it may be written to", where=str(place), got=str(error), fix="give another --out"
        ) from error
    return place


def role(verbs: Collection[str]) -> tuple[Section, ...]:
    """Return the page on the role, with the commands that exist.

    Args:
        verbs: The commands there are.
    """
    return tuple(
        Section(
            part.title,
            part.lead,
            tuple(Row(i.name, i.means, i.where, the_role.known(i.commands, verbs)) for i in part.items),
        )
        for part in the_role.PARTS
    )


def page_of_role(sections: Sequence[Section]) -> str:
    """Return the page on the role as HTML that stands alone."""
    return role_page(sections, home=False)


def role_text(sections: Sequence[Section], width: int) -> str:
    """Return the page on the role as plain text."""
    lines: list[str] = []
    for section in sections:
        lines += [section.title, wrapped(section.lead, width), ""]
        for i, row in enumerate(section.rows):
            lines += [f"{i + 1}. {row.name}", *(wrapped(f"   {t}", width) for t in (row.means, row.where))]
            lines += [*(f"   $ {command}" for command in row.commands), ""]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Built:
    """A site that was written: its folder, its index, how many pages, and the slowest experiments."""

    folder: str
    index: str
    pages: int
    seconds: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``handbook --build --json`` prints."""
        return {"folder": self.folder, "index": self.index, "pages": self.pages, "seconds": self.seconds}


def build(
    folder: str | Path, source: object | None, settings: Settings | None, run: Run, *, verbs: Collection[str]
) -> Built:
    """Write the whole handbook as a site that works from a file.

    Args:
        folder: Made when it is not there.
        source: The table the experiments run on; None for the small ones that come with the entries.
        settings: What is known about it.
        run: Seed, and who listens.
        verbs: The commands there are, for the page on the role.

    Raises:
        UnwritableOutput: The folder cannot be written.
    """
    place, run = Path(folder), replace(run, budget_seconds=None)
    entries_ = contents.everything()
    known: dict[str, tuple[Sample, str, list[str]]] = {}
    articles, seconds = [], {}
    for i, entry in enumerate(entries_):
        run.say("handbook", f"{i + 1} of {len(entries_)}: {entry.name}")
        table = entry.table if source is None else ""
        if table not in known:
            known[table] = opened(source, settings, run, entry.table)
        done = _shown(entry, *known[table], run)
        articles.append(done.article(home=True))
        seconds[entry.name] = round(done.seconds, 3)
    run.say("handbook", "drawing")
    data = (
        known[""][1] if source is not None else "The experiments ran on small real tables that come with scikit-learn."
    )
    for name, page in pages.pages(articles).items():
        write_page(place / f"{name}.html", page)
    write_page(place / "role.html", role_page(role(verbs), home=True))
    index = write_page(place / "index.html", index_page(articles, data))
    return Built(str(place), str(index), len(articles) + 2, seconds)
