"""Every page on every kind of table: it ends in time, with sound numbers, whole sentences and figures."""

import math
import re
import time

import pytest

from modelwright.core.settings import Settings
from modelwright.flows.api import run_of
from modelwright.flows.handbook import opened
from modelwright.handbook.contents import ENTRIES, find
from modelwright.handbook.running import run
from modelwright.reports.names import as_plain

pytestmark = pytest.mark.slow
SECONDS_MOST = 20
KINDS = ("binary", "labels", "texts", "one_column")
"""Numbers are what ``tests/flows/test_handbook.py`` builds the whole site on."""


@pytest.fixture(scope="module")
def samples(tables):
    settings = Settings.of({"target": "y"})
    return {kind: opened(frame, settings, run_of(settings), "wine")[0] for kind, frame in tables.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_runs_on_every_kind_of_table(kind, samples):
    for name in ENTRIES:
        begun = time.process_time()  # a busy machine is not the experiment's fault
        check(run(find(name), samples[kind], 0), name)
        assert time.process_time() - begun < SECONDS_MOST, name


def check(experiment, name):
    assert experiment.figures, name
    for figure in experiment.figures:
        assert figure.title
        assert figure.spec["datasets"]["points"], name
    assert len(experiment.numbers) > 5
    for fact in experiment.numbers:
        if isinstance(fact.value, float):
            assert math.isfinite(fact.value), (name, fact.key)
    sentences = [experiment.done, *experiment.meaning, *experiment.advice]
    assert len(experiment.meaning) >= 2
    assert experiment.advice
    for sentence in sentences:
        assert re.search(r"[.)]$", as_plain(sentence)), (name, sentence)
        assert not re.search(r"[{}]|\bnan\b|\bNone\b", as_plain(sentence)), (name, sentence)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_page_on_its_own_table_is_whole_and_in_time(name, studied):
    begun = time.process_time()
    done = studied(name)
    assert time.process_time() - begun < SECONDS_MOST
    check(done.experiment, name)
    assert "No table was given" in done.said


def test_the_same_seed_gives_the_same_numbers(samples):
    for name in ("bias-variance", "cross-validation", "activation-functions"):
        first, again = (run(find(name), samples["binary"], 3) for _ in range(2))
        assert [f.value for f in first.numbers] == [f.value for f in again.numbers]
