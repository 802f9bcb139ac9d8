"""The page needs no network, runs nothing, and says the main things first."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from modelwright.reports.page import page, render

VOID = {"meta", "br", "hr", "img", "link", "input"}
TAGS = """
html head meta title style body main header section nav article figure figcaption details summary
h1 h2 h3 p ul ol li a strong span bdi div dl dt dd pre code
table thead tbody tr th td svg rect g path line text defs clippath
"""
SVG_TAGS = {"svg", "g", "path", "rect", "line", "text", "defs", "clipPath"}


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser's parser sees them, and checks that tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def assert_is_inert(html: str) -> Reader:
    """Check that nothing of a page runs, loads or leads elsewhere."""
    seen = Reader(html)
    assert seen.open == []
    assert {tag for tag, _ in seen.tags} <= set(TAGS.split())
    for _tag, attributes in seen.tags:
        assert not [a for a in attributes if a.startswith("on") or a in ("src", "style", "srcset", "action", "data")]
        assert attributes.get("href", "#").startswith("#")
        for value in attributes.values():
            assert not re.search(r"url\((?!#)", value or "")
    return seen


def test_the_page_is_inert_small_and_closed(any_page):
    assert_is_inert(any_page)
    assert len(any_page.encode()) < 300_000


def test_the_policy_allows_the_one_style_sheet_and_nothing_else(pages):
    html = pages["binary"]
    style = re.search(r"<style>(.*)</style>", html, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for t, a in Reader(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "@import" not in style
    assert "url(" not in style


def test_hostile_names_are_shown_and_do_nothing(pages):
    seen = assert_is_inert(pages["hostile"])
    for shown in (
        "<script>alert(1)</script>",
        "{{7*7}}{% raw %}",
        "</style><img src=x onerror=alert(1)>",
        "مرحبا بالعالم",
    ):
        assert shown in seen.text
    assert "49{% raw" not in seen.text
    assert "\u202e" not in seen.text
    assert "\x1b" not in seen.text


def test_the_main_things_come_before_the_detail(pages):
    text = Reader(pages["binary"]).text
    said = [
        "Predicts whether Churn is “ Yes ”",
        "Check this before you trust a number below",
        "How sure is it?",
        "about 67 really are.",
        "95 % interval: 63 to 71 of 100",
        "Is a model worth having here?",
        "What it gets wrong",
        "What matters most",
        "tenure",
        "What not to use it for",
        "The detail",
        "Measures",
        "Findings in the data",
        "Provenance",
    ]
    text = text.replace("“Yes”", "“ Yes ”")
    places = [text.rfind(s) if s == "Provenance" else text.find(s) for s in said]
    assert -1 not in places
    assert places == sorted(places)


def test_every_finding_says_what_was_done_and_how_to_overrule(pages):
    text = Reader(pages["binary"]).text
    assert "kept, and reported" in text
    assert "leave it out: --ignore TotalCharges" in text
    assert "F012" in text


def test_a_wide_contract_is_folded_and_says_how_much_is_shown(pages):
    html = pages["wide"]
    assert "5,001 columns, the first 200 of them shown" in html
    assert "<details><summary>5,001" in html
    assert "<details><summary>8 columns" not in pages["binary"]


def test_headings_descend_one_at_a_time(any_page):
    levels = [int(tag[1]) for tag, _ in Reader(any_page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_anchors_lead_somewhere(any_page):
    seen = Reader(any_page)
    ids = [a["id"] for _, a in seen.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for t, a in seen.tags if t == "a"} <= set(ids)


def test_a_password_in_the_command_is_not_shown(views):
    from dataclasses import replace

    view = views["binary"]
    command = "modelwright train postgresql://ann:secret@host/db --target y"
    assert "secret" not in render(replace(view, manifest=replace(view.manifest, command=command)))


@pytest.mark.slow
def test_charts_are_inert_told_and_within_a_megabyte(any_view):
    html = page(any_view)
    seen = assert_is_inert(html)
    assert len(html.encode()) < 400_000
    for svg in re.findall(r"<svg xmlns.*?</svg>", html, re.S):
        tree = ElementTree.fromstring(svg)
        assert {e.tag.rpartition("}")[2] for e in tree.iter()} <= SVG_TAGS
    told = [a["aria-label"] for _, a in seen.tags if a.get("role") == "img"]
    assert all(len(t) > 20 for t in told)
    assert len(told) == html.count("<svg xmlns")
    ids = [a["id"] for _, a in seen.tags if a.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_the_same_view_gives_the_same_page(views):
    assert page(views["regression"]) == page(views["regression"])
