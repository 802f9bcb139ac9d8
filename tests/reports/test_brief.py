"""The brief is one page that anyone can read, and every number in it has a source."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.costs import Prices
from modelwright.core.task import TaskKind
from modelwright.evaluation.costs import costs
from modelwright.reports.as_html import html_of
from modelwright.reports.brief import brief
from modelwright.reports.names import as_plain
from modelwright.reports.prose import Paragraph, Points
from modelwright.reports.sources import stamp

GRADE_MOST = 10.0


def syllables(word: str) -> int:
    """Count vowel groups, a silent e at the end left out: the usual reckoning for English."""
    word = re.sub(r"[^a-z]", "", word.lower())
    if not word:
        return 1
    groups = len(re.findall(r"[aeiouy]+", word))
    is_silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(groups - is_silent, 1)


def grade(text: str) -> float:
    """Return the Flesch–Kincaid grade (Kincaid et al. 1975)."""
    sentences = [s for s in re.split(r"[.!?]+(?:\s|$)", text) if s.strip()]
    words = [w for w in text.split() if re.search(r"\w", w)]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def sentences_of(prose) -> list:
    said = []
    for section in prose.sections:
        for block in section.blocks:
            said += [block.said] if isinstance(block, Paragraph) else list(block.items)
            assert isinstance(block, Paragraph | Points)
    return said


def priced(view):
    rng = np.random.default_rng(0)
    n = max(len(view.task.labels), 1)
    target = rng.integers(0, n, 200) if n > 1 else rng.normal(size=200)
    scores = rng.dirichlet(np.ones(n), 200) if n > 1 else rng.normal(size=200)
    return replace(view, costs=costs(view.task, target, scores, None, Prices(50, 400, "EUR")))


def test_the_grade_is_the_published_formula():
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)


@pytest.mark.parametrize("with_costs", [False, True])
def test_anyone_can_read_it(any_view, with_costs):
    view = priced(any_view) if with_costs else any_view
    text = " ".join(as_plain(s.text) for s in sentences_of(brief(view)))
    assert grade(text) <= GRADE_MOST


def test_what_it_does_not_say_is_that_nothing_is_wrong(views):
    text = " ".join(as_plain(s.text) for s in sentences_of(brief(views["binary"])))
    assert "Do not use it before you check TotalCharges" in text
    assert "Nobody has said yet what an error costs you" in text
    assert "of always giving the same answer" not in text  # this view's baselines have no interval: nothing is claimed


def test_every_sentence_with_a_measured_number_names_its_source(any_view):
    for said in sentences_of(brief(priced(any_view))):
        numbers = re.findall(r"\d+", re.sub(r"made on [\d-]+", "", as_plain(said.text)))
        assert said.cites or not numbers, said.text


def test_costs_are_told_in_the_users_unit(views):
    text = " ".join(as_plain(s.text) for s in sentences_of(brief(priced(views["binary"]))))
    assert "a false alarm costs 50 EUR and a miss costs 400 EUR" in text
    assert "from 11 % on" in text


@pytest.mark.slow
def test_it_fits_on_one_sheet(views):
    weasyprint = pytest.importorskip("weasyprint")
    for name in ("binary", "regression", "multiclass"):
        view = priced(views[name])
        assert view.task.kind in TaskKind
        prose = brief(view)
        page = html_of(prose, stamp(view, "brief", prose.numbered()))
        assert len(weasyprint.HTML(string=page).render().pages) == 1
