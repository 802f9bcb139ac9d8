"""The table of contents: where each entry lives."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from modelwright.core.errors import UnknownName, closest
from modelwright.handbook.entry import Topic

if TYPE_CHECKING:
    from modelwright.handbook.entry import Entry

ENTRIES = (
    "supervised-unsupervised",
    "bias-variance",
    "overfitting",
    "regularisation",
    "cross-validation",
    "classification-metrics",
    "precision-recall",
    "generative-discriminative",
    "gradient-descent",
    "batch-stochastic",
    "backpropagation",
    "activation-functions",
    "bagging-boosting",
    "l1-l2",
    "feature-scaling",
    "one-hot-encoding",
    "missing-data",
    "imbalanced-data",
    "dimensionality-reduction",
    "feature-extraction",
)
"""Names in reading order; the entry ``a-b`` is ``ENTRY`` of the module ``handbook.entries.a_b``."""

ALIASES = {
    "regularization": "regularisation",
    "bias-variance-tradeoff": "bias-variance",
    "sgd": "batch-stochastic",
    "backprop": "backpropagation",
    "pca": "dimensionality-reduction",
    "one-hot": "one-hot-encoding",
    "scaling": "feature-scaling",
    "metrics": "classification-metrics",
    "bagging": "bagging-boosting",
    "boosting": "bagging-boosting",
    "lasso": "l1-l2",
    "ridge": "l1-l2",
    "supervised": "supervised-unsupervised",
    "unsupervised": "supervised-unsupervised",
    "generative": "generative-discriminative",
    "missing-values": "missing-data",
    "imbalance": "imbalanced-data",
}
"""Other names people look under."""


def find(name: str) -> Entry:
    """Return an entry by its name or an alias, or raise UnknownName with the nearest names."""
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    wanted = ALIASES.get(wanted, wanted)
    if wanted not in ENTRIES:
        raise UnknownName("an entry has a known name", where="handbook", got=name, fix=closest(wanted, ENTRIES))
    entry: Entry = import_module(f"modelwright.handbook.entries.{wanted.replace('-', '_')}").ENTRY
    return entry


def everything() -> tuple[Entry, ...]:
    """Return all entries in reading order."""
    return tuple(map(find, ENTRIES))


def chosen(*, topic: str | None = None, search: str | None = None) -> tuple[Entry, ...]:
    """Return the entries of a topic that hold every word of a search, best match first.

    Args:
        topic: Part of a topic's name, any case.
        search: Words; each must stand somewhere in the entry's text.

    Raises:
        UnknownName: No topic has this in its name.
    """
    entries = everything()
    if topic is not None:
        topics = [t for t in Topic if topic.strip().lower() in t.value.lower()]
        if not topics:
            raise UnknownName(
                "a topic has a known name", where="--topic", got=topic, fix=closest(topic, [t.value for t in Topic])
            )
        entries = tuple(e for e in entries if e.topic in topics)
    if search is None:
        return entries
    words = search.lower().split()
    ranked = [(_rank(e, words), e) for e in entries]
    return tuple(e for rank, e in sorted((r for r in ranked if r[0] > 0), key=lambda r: -r[0]))


def _rank(entry: Entry, words: list[str]) -> int:
    """Return how well an entry fits all the words, 0 when one of them is nowhere in it."""
    title = f"{entry.name} {entry.question} {_other_names(entry.name)}".lower()
    body = f"{entry.topic} {entry.short} {' '.join(entry.explanation)} {' '.join(p.text for p in entry.points)}".lower()
    ranks = [10 if w in title else 1 if w in body else 0 for w in words]
    return sum(ranks) if all(ranks) else 0


def _other_names(name: str) -> str:
    return " ".join(alias for alias, known in ALIASES.items() if known == name)
