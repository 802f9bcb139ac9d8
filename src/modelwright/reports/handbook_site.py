"""The handbook as a small site: an index with search and topics, and the page on the role. It works from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.reports.article import laid_out
from modelwright.reports.page import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.reports.article import Article


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page on the role: what it is, what it means, where it is done, by which commands."""

    name: str
    means: str
    where: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of that page."""

    title: str
    lead: str
    rows: tuple[Row, ...]


def index(articles: Sequence[Article], data: str) -> str:
    """Return the index page: a search box, the topics, a card for each article.

    Args:
        articles: In reading order.
        data: What the experiments ran on, a sentence.
    """
    script = (TEMPLATES / "handbook.js").read_text(encoding="utf-8")
    cards = [{"article": a, "text": _searched(a)} for a in articles]
    topics = list(dict.fromkeys(a.topic for a in articles))
    title = "The handbook"
    return laid_out("handbook.html.j2", title=title, script=script, cards=cards, topics=topics, data=data)


def role(sections: Sequence[Section], *, home: bool) -> str:
    """Return the page on the role.

    Args:
        sections: Its parts.
        home: Whether the index lies beside it.
    """
    return laid_out("role.html.j2", title="The role | handbook", sections=sections, home=home)


def _searched(article: Article) -> str:
    """Return the words by which an article is found, each once."""
    texts = (article.name, article.question, article.topic, article.short, *article.explanation, *article.points)
    return " ".join(dict.fromkeys(" ".join(texts).lower().replace("-", " ").split()))
