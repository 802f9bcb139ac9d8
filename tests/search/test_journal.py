"""What a race has finished survives a kill."""

import numpy as np

from modelwright.core.ports import Curve
from modelwright.search.journal import Journal
from modelwright.search.portfolio import Candidate
from modelwright.search.race import Tried

CANDIDATE = Candidate("lightgbm", "lightgbm", {"leaves": 31})
TRIED = Tried(
    CANDIDATE, np.linspace(0, 1, 7), 0.5, (10, 12), (Curve("l2", (1, 2), (), (3.0, 2.0), 2, "patience"),), 0.4
)


def test_an_entry_comes_back_as_it_was(tmp_path):
    journal = Journal.open(tmp_path / "run", "question")
    assert journal.recall(CANDIDATE) is None
    journal.record(TRIED)
    back = Journal.open(tmp_path / "run", "question").recall(CANDIDATE)
    assert back is not None
    assert back.predictions.tobytes() == TRIED.predictions.tobytes()
    assert (back.score, back.rounds, back.curves, back.fit_seconds) == (0.5, (10, 12), TRIED.curves, 0.4)
    assert back.candidate == CANDIDATE


def test_another_question_never_meets_these_answers(tmp_path):
    Journal.open(tmp_path / "run", "question").record(TRIED)
    other = Journal.open(tmp_path / "run", "other question")
    assert other.recall(CANDIDATE) is None
    assert Journal.open(tmp_path / "run", "question").recall(CANDIDATE) is None


def test_a_damaged_entry_is_not_believed(tmp_path):
    journal = Journal.open(tmp_path / "run", "question")
    journal.record(TRIED)
    (array,) = (tmp_path / "run" / "question").glob("*.npy")
    np.save(array, np.zeros(7))
    assert journal.recall(CANDIDATE) is None
    array.write_bytes(b"")
    assert journal.recall(CANDIDATE) is None


def test_nothing_is_left_when_a_run_ends_well(tmp_path):
    journal = Journal.open(tmp_path / "run", "question")
    journal.record(TRIED)
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_nothing_is_kept():
    journal = Journal.open(None, "question")
    journal.record(TRIED)
    assert journal.recall(CANDIDATE) is None
