"""Facts: sentences quote measured numbers and nothing else."""

import pytest

from modelwright.core.score import Score
from modelwright.handbook.facts import Facts
from modelwright.reports.names import as_plain


def test_a_sentence_shows_the_value_that_was_noted():
    facts = Facts()
    assert facts.number("loss", "loss", 0.123456) == 0.123456
    facts.count("rows", "rows", 1234)
    facts.percent("share", "share", 0.5)
    assert as_plain(facts.say("{loss} on {rows} rows, {share}")) == "0.123 on 1,234 rows, 50 %"
    assert facts["loss"] == 0.123456


def test_a_sentence_cannot_quote_what_was_not_measured():
    with pytest.raises(KeyError):
        Facts().say("a gain of {gain}")


def test_a_score_brings_its_interval():
    facts = Facts()
    facts.score("gain", "gain", Score("log_loss", 0.0412, 0.0211, 0.0613, 100))
    assert facts.say("{gain} ({gain_low} to {gain_high})") == "0.041 (0.021 to 0.061)"
    assert [f.key for f in facts.all()] == ["gain", "gain_low", "gain_high"]


def test_braces_in_the_data_are_text():
    facts = Facts()
    facts.word("column", "column", "{gain}")
    assert as_plain(facts.say("the column {column}")) == "the column {gain}"


def test_huge_numbers_are_powers_of_ten():
    facts = Facts()
    facts.number("end", "end", 608_476_669_512.0)
    assert as_plain(facts.say("{end}")) == "6.08 × 10¹¹"
