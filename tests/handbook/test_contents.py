"""The table of contents: the promised entries, their topics, and how they are found."""

import pytest

from modelwright.core.errors import UnknownName
from modelwright.handbook.contents import ALIASES, ENTRIES, chosen, everything, find
from modelwright.handbook.entry import Topic
from modelwright.handbook.tables import KNOWN


def test_the_twenty_entries_are_there_under_three_topics():
    entries = everything()
    assert len(entries) >= 20
    assert {e.topic for e in entries} == set(Topic)
    assert [e.name for e in entries] == list(ENTRIES)
    assert len({e.question for e in entries}) == len(entries)


def test_every_entry_is_whole():
    for entry in everything():
        assert entry.question.endswith("?")
        assert len(entry.explanation) >= 3
        assert len(entry.points) >= 4
        assert entry.table in KNOWN
        assert entry.related
        assert all(name in ENTRIES and name != entry.name for name in entry.related)


def test_other_names_lead_to_entries():
    assert find("Regularization").name == "regularisation"
    assert find("bias_variance").name == "bias-variance"
    assert all(known in ENTRIES for known in ALIASES.values())
    with pytest.raises(UnknownName, match="bias-variance"):
        find("bias-varianz")


def test_a_topic_and_a_search_narrow_the_list():
    assert {e.topic for e in chosen(topic="preprocessing")} == {Topic.PREPROCESSING}
    assert chosen(search="pca")[0].name == "dimensionality-reduction"
    assert "precision-recall" in [e.name for e in chosen(search="threshold cost")]
    assert chosen(search="overfitting")[0].name == "overfitting"
    assert chosen(search="zebra") == ()
    with pytest.raises(UnknownName, match="topic"):
        chosen(topic="cooking")
