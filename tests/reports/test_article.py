"""The article: a page and a text that say the same, and into which nothing from the data can break."""

from dataclasses import replace

import pytest

from modelwright.reports.article import Article, findings, render, text
from modelwright.reports.handbook_site import index
from modelwright.reports.names import marked, quoted

ARTICLE = Article(
    name="bias-variance",
    question="What is the trade-off?",
    topic="Machine Learning Concepts",
    short="Two parts of one error.",
    explanation=("A paragraph about both.",),
    points=("One is bias.",),
    data=f"Your table {marked('<img src=x onerror=alert(1)>')}.",
    notes=("A note.",),
    done="Trees were fitted.",
    pictures=(),
    numbers=(("variance", "0.12"), (f"share of {quoted('<b>')}", "26 %")),
    meaning=("The error is 0.5.",),
    advice=("Collect more rows.",),
    seconds="1.2 s",
    command="modelwright handbook bias-variance",
    related=(("overfitting", "What is overfitting?"),),
)


def test_the_page_holds_everything_and_runs_nothing():
    page = render(ARTICLE, {})
    for part in (
        "Two parts of one error.",
        "A paragraph about both.",
        "The error is 0.5.",
        "Collect more rows.",
        "0.12",
    ):
        assert part in page
    assert "<img" not in page
    assert "<script" not in page
    assert "script-src" not in page
    assert "modelwright handbook overfitting" in page


def test_beside_the_others_it_links_to_them():
    page = render(replace(ARTICLE, home=True), {})
    assert 'href="overfitting.html"' in page
    assert 'href="index.html"' in page


@pytest.mark.parametrize("width", [40, 80])
def test_the_text_fits_and_says_the_same(width):
    lines = text(ARTICLE, width).splitlines()
    assert max(len(line) for line in lines if "modelwright" not in line) <= width
    for part in ("The error is 0.5.", "Collect more rows.", "One is bias."):
        assert any(part in line for line in lines)
    assert "A paragraph" not in findings(ARTICLE, width)


def test_the_index_holds_a_card_and_search_words_for_each():
    page = index([ARTICLE, replace(ARTICLE, name="other", topic="Data Preprocessing")], "On small tables.")
    assert page.count("<li data-topic") == 2
    assert 'data-topic="Data Preprocessing"' in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
