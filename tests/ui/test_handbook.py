"""The command of the handbook, as people and programs meet it."""

import json

import pytest
from click.testing import CliRunner

from modelwright.ui.cli import main


def call(*words, text=""):
    return CliRunner().invoke(main, ["handbook", *map(str, words)], input=text)


def document(*words, text=""):
    done = call(*words, text=text)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_list_is_one_document():
    entries = document("--json")["entries"]
    assert len(entries) >= 20
    assert {"name", "question", "topic"} == set(entries[0])


def test_people_get_a_list_by_topic():
    done = call()
    assert done.exit_code == 0
    assert "Data Preprocessing" in done.stdout
    assert "bias-variance" in done.stdout
    assert call("--search", "zebra").stdout == "no entry holds all of these words\n"


def test_search_and_topic_narrow():
    assert {e["topic"] for e in document("--topic", "concepts", "--json")["entries"]} == {"Machine Learning Concepts"}
    assert document("--search", "PCA", "--json")["entries"][0]["name"] == "dimensionality-reduction"


@pytest.mark.slow
def test_an_entry_gives_numbers_and_a_page(churn_csv, tmp_path):
    page = tmp_path / "deep" / "page.html"
    found = document("feature-scaling", "--data", churn_csv, "--target", "churn", "--out", page, "--json")
    assert found["numbers"]["tree_same"] == 1
    assert "<svg" in page.read_text()
    assert found["page"] == str(page)


def test_the_role_is_a_page_too(tmp_path):
    assert len(document("role", "--json")["sections"]) == 3
    assert call("role", "--out", tmp_path / "role.html").exit_code == 0
    assert "Phone screening" in (tmp_path / "role.html").read_text()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("astrology",), "a known name"),
        (("l1-l2", "--data", "t.csv"), "--target COLUMN"),
        (("l1-l2", "--target", "y"), "--data TABLE"),
        (("--topic", "cooking"), "a known name"),
        (("--practice", "--search", "zebra"), "all words of a search"),
    ],
)
def test_slips_are_explained(words, part):
    done = call(*words)
    assert done.exit_code == 2
    assert part in done.stderr
    assert json.loads(call(*words, "--json").stdout)["error"]["fix"]


def test_practice_works_when_piped(tmp_path):
    memory = tmp_path / "memory.json"
    answer = "labels teach a mapping; without them one looks for clusters\n\n3\n"
    done = call("--practice", "--memory", memory, "--search", "unsupervised labels", text=answer)
    assert done.exit_code == 0, done.output
    assert "A good answer says" in done.stdout
    assert "What it means" in done.stdout
    assert json.loads(memory.read_text())["cards"]["supervised-unsupervised"]["share"] == 0.75


def test_practice_takes_an_answer_without_an_end(tmp_path):
    found = document("--practice", "--memory", tmp_path / "m.json", "--json", text="nothing to say")
    assert found["made"] == 0
    again = document("--practice", "--memory", tmp_path / "m.json", "--json", text="chain rule")
    assert again["name"] == found["name"], "what was missed is asked again"
