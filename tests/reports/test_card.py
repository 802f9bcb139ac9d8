"""The card is valid front matter and Markdown in which names are only names."""

from __future__ import annotations

import re

import pytest

SECTIONS = [
    "Model details",
    "Intended use",
    "Out of scope",
    "Training data",
    "Evaluation",
    "Limitations",
    "How to use",
    "Provenance",
]


def parts(text: str) -> tuple[dict, str]:
    """Return the front matter, read as YAML, and the body."""
    yaml = pytest.importorskip("yaml")
    assert text.startswith("---\n")
    head, _, body = text[4:].partition("\n---\n")
    return yaml.safe_load(head), body


def test_the_front_matter_is_what_the_hub_reads(any_card):
    head, _ = parts(any_card)
    assert set(head) == {"license", "library_name", "pipeline_tag", "tags", "metrics", "model-index"}
    assert head["license"] == "other"
    assert head["library_name"] == "modelwright"
    assert head["pipeline_tag"] in ("tabular-classification", "tabular-regression")
    (model,) = head["model-index"]
    (result,) = model["results"]
    assert [m["type"] for m in result["metrics"]] == head["metrics"]
    assert all(isinstance(m["value"], float) for m in result["metrics"])


def test_the_sections_are_the_ones_of_a_model_card(any_card):
    _, body = parts(any_card)
    assert re.findall(r"^## (.*)$", body, re.M) == SECTIONS
    assert len(re.findall(r"^# ", body, re.M)) == 1


def test_every_measure_stands_with_its_interval(cards):
    _, body = parts(cards["binary"])
    assert "| ROC AUC | 0.843 | 0.822 to 0.864 | 1,409 | bootstrap (1,000) |" in body
    assert "| Inference time, one row, median | 0.412 ms | 0.401 to 0.425 | 200 | order statistics |" in body


def test_names_cannot_become_markup(cards):
    text = cards["hostile"]
    head, body = parts(text)
    assert head["license"] == "other"
    prose = re.sub(r"```.*?```", "", body, flags=re.S)
    assert not re.search(r"<\w|</|(?<!\\)\]\(|(?<!\\)\*|://", prose)
    for line in prose.splitlines():
        assert line == "" or line.startswith(("# ", "## ", "### ", "- ", "| ", "ROC AUC"))
        if line.startswith("| "):
            assert line.count("|") in (4, 6)  # three columns or five, whatever stands in them


def test_rows_of_a_table_have_as_many_cells_as_its_head(any_card):
    _, body = parts(any_card)
    for table in re.findall(r"(?:^\|.*\n)+", body, re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_code_can_be_copied(cards):
    _, body = parts(cards["hostile"])
    code = re.findall(r"```\w*\n(.*?)```", body, re.S)
    assert len(code) == 2
    assert not set("<>()$;&|`'") & set(code[0])


def test_five_thousand_columns_stay_short(cards):
    text = cards["wide"]
    assert len(text) < 60_000
    assert "The first 100 of 5,001 columns." in text
