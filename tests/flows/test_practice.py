"""Practice: what is asked, how an answer is marked, and what is remembered."""

from modelwright.flows import practice


def test_a_round_is_remembered(tmp_path):
    place = tmp_path / "memory.json"
    first = practice.ask(place)
    assert first.times == 0
    due = practice.remember(place, first.name, 1.0)
    assert due.toordinal() == practice.today() + 1
    second = practice.ask(place)
    assert second.name != first.name
    practice.remember(place, second.name, 0.0)
    assert practice.ask(place).name == second.name
    assert practice.ask(place, just=second.name).name not in (first.name, second.name)


def test_a_topic_narrows_what_is_asked(tmp_path):
    assert practice.ask(tmp_path / "memory.json", topic="preprocessing").topic == "Data Preprocessing"


def test_an_answer_is_marked_by_its_words():
    good = practice.mark(
        "precision-recall", "precision is tp/(tp+fp), recall tp / (tp + fn); moving the threshold trades them"
    )
    assert [made for _, made in good.points] == [True, True, True, False, False]
    assert practice.mark("precision-recall", "").n_made == 0


def test_memory_lies_in_the_users_state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert practice.default_memory() == tmp_path / "modelwright" / "handbook.json"
