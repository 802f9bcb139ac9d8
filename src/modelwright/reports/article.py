"""The article: one concept of the handbook as a page and as plain text."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.reports.drawing import Pen
from modelwright.reports.names import as_plain, clean
from modelwright.reports.page import TEMPLATES, environment
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.reports.gallery import Picture


@dataclass(frozen=True, slots=True)
class Article:
    """One concept, with what an experiment showed.

    Attributes:
        name: As in the command.
        question: The heading.
        topic: Its shelf.
        short: The answer in one or two sentences.
        explanation: Paragraphs.
        points: What a good answer says.
        data: What the experiment ran on, one or two sentences.
        notes: What was left out or changed, sentences.
        done: What was done.
        pictures: Its charts.
        numbers: Label and value of everything measured.
        meaning: Sentences.
        advice: Sentences.
        seconds: How long the experiment took.
        command: The command that repeats it.
        related: Name and question of entries to read next.
        home: Whether pages of the others lie beside this one.
    """

    name: str
    question: str
    topic: str
    short: str
    explanation: tuple[str, ...]
    points: tuple[str, ...]
    data: str
    notes: tuple[str, ...]
    done: str
    pictures: tuple[Picture, ...]
    numbers: tuple[tuple[str, str], ...]
    meaning: tuple[str, ...]
    advice: tuple[str, ...]
    seconds: str
    command: str
    related: tuple[tuple[str, str], ...] = ()
    home: bool = False


def html(article: Article) -> str:
    """Return an article as one HTML page without network or script; charts that cannot be drawn are left out."""
    with Pen() as pen:
        drawn = pen.draw({p.name: p.spec for p in article.pictures})
    return render(article, drawn)


def pages(articles: Sequence[Article]) -> dict[str, str]:
    """Return many articles as pages by name; their charts are drawn in one go."""
    specs = {f"{a.name}-{p.name}": p.spec for a in articles for p in a.pictures}
    with Pen() as pen:
        drawn = pen.draw(specs)
    return {
        a.name: render(a, {p.name: svg for p in a.pictures if (svg := drawn.get(f"{a.name}-{p.name}"))})
        for a in articles
    }


def render(article: Article, drawn: Mapping[str, str]) -> str:
    """Lay out an article with the charts that could be drawn, as SVG by name."""
    charts = {p.name: {"picture": p, "svg": drawn[p.name]} for p in article.pictures if p.name in drawn}
    return laid_out(
        "article.html.j2",
        title=f"{clean(article.question, 90)} | handbook",
        article=article,
        charts=charts,
        n_charts_missing=len(article.pictures) - len(charts),
    )


def laid_out(template: str, *, title: str, script: str = "", **facts: object) -> str:
    """Return a page of the handbook; its policy allows the one style sheet and, where given, the one script."""
    style = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "handbook.css"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
    policy += f"; script-src '{_hash(script)}'" if script else ""
    page: str = (
        environment().get_template(template).render(facts, title=title, style=style, policy=policy, script=script)
    )
    return page


def text(article: Article, width: int) -> str:
    """Return an article as plain text for a terminal of this width."""
    parts = [
        article.question,
        f"{article.topic}",
        "",
        *_paragraphs((article.short, *article.explanation), width),
        *_headed("On this data", (article.data, *article.notes, article.done), width),
        *_headed("What it means", article.meaning, width, mark="- "),
        *_headed("What to do", article.advice, width, mark="- "),
        "The numbers",
        *table([("measured", "value"), *((as_plain(a), as_plain(b)) for a, b in article.numbers)], width=width),
        "",
        *_headed("A good answer says", article.points, width, mark="- "),
        *wrapped(f"Charts: {article.command} --out {article.name}.html", width).splitlines(),
    ]
    return "\n".join(parts)


def findings(article: Article, width: int) -> str:
    """Return only what was done and what it showed, as plain text."""
    parts = [
        *_headed("The experiment", (article.data, *article.notes, article.done), width),
        *_headed("What it means", article.meaning, width, mark="- "),
        *_headed("What to do", article.advice, width, mark="- "),
    ]
    return "\n".join(parts).rstrip()


def _headed(title: str, sentences: Sequence[str], width: int, *, mark: str = "") -> list[str]:
    return [title, *_paragraphs(sentences, width, mark=mark)]


def _paragraphs(sentences: Sequence[str], width: int, *, mark: str = "") -> list[str]:
    lines = []
    for sentence in sentences:
        lines += textwrap.wrap(as_plain(sentence), width, initial_indent=mark, subsequent_indent=" " * len(mark))
        lines += [] if mark else [""]
    return [*lines, ""] if mark else lines


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
