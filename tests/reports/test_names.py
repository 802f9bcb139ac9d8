"""Names from the data cannot become anything but text."""

from __future__ import annotations

import html
import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from modelwright.reports import names

anything = st.text(max_size=80)
nasty = st.text(alphabet="<>&|`*_[](){}#~!$\\@:/.-+1 \n\r\u2068\u2069\u202e\x00ab", max_size=40)


@settings(max_examples=100, deadline=None)
@given(anything | nasty)
def test_a_clean_name_is_one_visible_line(text):
    shown = names.clean(text)
    assert 0 < len(shown) <= names.LONGEST
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert names.clean(shown) == shown


@settings(max_examples=100, deadline=None)
@given(anything | nasty, anything | nasty)
def test_html_holds_no_tag_but_the_isolation(own, name):
    shown = names.as_html(f"{own} {names.marked(name)}.")
    tags = re.findall(r"<[^>]*>", shown)
    assert set(tags) <= {"<bdi>", "</bdi>"}
    assert shown.count("<bdi>") == shown.count("</bdi>") >= 1
    assert names.clean(name) in html.unescape(re.sub(r"</?bdi>", "", shown))


@settings(max_examples=150, deadline=None)
@given(nasty | anything)
def test_markdown_reads_a_name_as_text(name):
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    blocks = markdown.parse(names.as_markdown(f"Check {names.marked(name)} now"))
    assert [b.type for b in blocks] == ["paragraph_open", "inline", "paragraph_close"]
    children = blocks[1].children or []
    assert {c.type for c in children} <= {"text", "text_special", "code_inline"}
    said = "".join(c.content for c in children)
    assert " ".join(said.split()) == " ".join(f"Check {names.clean(name)} now".split())


@settings(max_examples=60, deadline=None)
@given(nasty | anything)
def test_a_name_stays_within_its_cell(name):
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    line = f"| {names.as_markdown(names.marked(name))} | x |"
    blocks = markdown.parse(f"| a | b |\n| --- | --- |\n{line}\n")
    assert [b.type for b in blocks].count("td_open") == 2
    assert [b.type for b in blocks].count("tr_open") == 2


def test_a_plain_name_is_a_code_span():
    assert names.as_markdown(names.marked("total_amount")) == "`total_amount`"


def test_a_list_mark_at_the_start_is_escaped():
    assert names.as_markdown("- x").startswith("\\-")
    assert names.as_markdown("1. x").startswith("1\\.")


def test_emoji_and_persian_keep_their_joiners():
    assert names.clean("👩‍👩‍👧") == "👩‍👩‍👧"
    assert names.clean("می‌خواهم") == "می‌خواهم"


def test_repeated_names_are_numbered():
    shown = names.distinct(["a", "a", "a (2)", "a"])
    assert len(set(shown)) == 4
    assert shown[0] == "a"


def test_passwords_are_not_shown():
    assert "secret" not in names.without_secrets("train 'postgresql://ann:se@cret@host/db' --query 'select 1'").replace(
        "se@cret", "secret"
    )
    assert names.without_secrets("a@b.example") == "a@b.example"
