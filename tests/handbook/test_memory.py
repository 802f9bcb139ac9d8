"""Practice remembers: what was missed comes back soon, what was known later and later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.core.errors import InvalidSetting, UnwritableOutput
from modelwright.handbook.contents import everything
from modelwright.handbook.memory import DAYS, Card, after, next_question, points_made, read, write


def test_good_answers_wait_longer_each_time():
    card, waits = None, []
    for _ in range(8):
        card = after(card, 1.0, today=1000)
        waits.append(card.due - 1000)
    assert waits == [1, 3, 7, 16, 35, 75, 75, 75]


def test_a_missed_question_is_due_today_and_before_new_ones():
    cards = {"a": after(Card(4, 0, 1.0, 4), 0.2, today=50), "b": after(None, 1.0, today=50)}
    assert cards["a"].due == 50
    assert next_question(cards, ["a", "b", "c"], today=50) == "a"
    assert next_question(cards, ["a", "b", "c"], today=50, just="a") == "c"


def test_with_nothing_due_and_nothing_new_the_one_due_first_is_asked():
    cards = {"a": Card(2, 70, 1.0, 2), "b": Card(1, 60, 1.0, 1)}
    assert next_question(cards, ["a", "b"], today=50) == "b"


@given(st.lists(st.floats(0, 1), max_size=30))
def test_a_card_stays_sound_whatever_happens(shares):
    card = None
    for share in shares:
        card = after(card, share, today=10)
        assert 0 <= card.box < len(DAYS)
        assert card.due >= 10


def test_what_is_written_is_read(tmp_path):
    cards = {"bias-variance": Card(2, 738000, 0.6, 3)}
    write(tmp_path / "deep" / "memory.json", cards)
    assert read(tmp_path / "deep" / "memory.json") == cards
    assert read(tmp_path / "absent.json") == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cards": {"a": {"box": 99, "due": 1, "share": 1, "times": 1}}}'])
def test_a_foreign_file_is_refused(tmp_path, content):
    (tmp_path / "memory.json").write_text(content)
    with pytest.raises(InvalidSetting, match="a file that it wrote"):
        read(tmp_path / "memory.json")


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableOutput):
        write(tmp_path / "file" / "memory.json", {})


@pytest.mark.parametrize("entry", everything(), ids=lambda e: e.name)
def test_a_point_said_in_its_own_words_is_found(entry):
    assert all(points_made(entry, " ".join(p.text for p in entry.points)))
    assert not any(points_made(entry, "I do not know, sorry"))
