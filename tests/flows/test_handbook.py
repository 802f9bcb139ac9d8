"""The handbook from Python: a question answered on a table, and the whole of it as a site."""

import json
import re

import pytest

from modelwright.core.errors import UnknownColumn, UnknownName, UnwritableOutput
from modelwright.core.settings import Settings
from modelwright.flows.api import run_of
from modelwright.flows.handbook import build, entries, study, write_page
from modelwright.reports.names import as_plain
from modelwright.ui.cli import main


def about(**options):
    settings = Settings.of({"target": "unused", **options})
    return settings, run_of(settings)


def test_entries_are_listed_with_name_question_and_topic():
    found = entries()
    assert len(found) >= 20
    assert all(set(e) == {"name", "question", "topic"} for e in found)
    assert len(entries(topic="algorithms")) < len(found)


def test_an_answer_on_a_table_names_the_table_and_the_command(churn_csv):
    settings, run = about(target="churn")
    done = study("gradient-descent", churn_csv, settings, run)
    document = json.loads(json.dumps(done.to_dict(), allow_nan=False))
    assert document["data"]["target"] == "churn"
    assert document["data"]["rows"] == 240
    assert document["numbers"]["limit"] == pytest.approx(2 / document["numbers"]["steepest"])
    assert document["command"] == f"modelwright handbook gradient-descent --data {churn_csv} --target churn"
    assert "churn.csv" in done.summary(80)
    shown = {f.key: f.shown for f in done.experiment.numbers}
    assert as_plain(shown["condition"]) in " ".join(document["meaning"])


def test_slips_are_explained(churn_csv):
    settings, run = about(target="chrun")
    with pytest.raises(UnknownColumn, match="churn"):
        study("l1-l2", churn_csv, settings, run)
    with pytest.raises(UnknownName):
        study("astrology", None, None, run)


def test_large_tables_are_drawn_from(tmp_path):
    lines = ["x,z,y"] + [f"{i % 97},{i % 13},{i % 5 * 1.5 + i % 97}" for i in range(5000)]
    (tmp_path / "large.csv").write_text("\n".join(lines))
    settings, run = about(target="y")
    done = study("gradient-descent", tmp_path / "large.csv", settings, run)
    assert done.sample.n_all == 5000
    assert done.sample.fit.n + done.sample.held.n == 4000
    assert "4,000 were drawn at random" in done.to_dict()["data"]["notes"][0]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableOutput):
        write_page(tmp_path / "file" / "page.html", "")


@pytest.mark.slow
def test_the_site_is_whole_and_its_links_lead_somewhere(house_csv, tmp_path):
    settings, run = about(target="price")
    built = build(tmp_path / "site", house_csv, settings, run, verbs=set(main.commands))
    pages = {p.name: p.read_text() for p in (tmp_path / "site").iterdir()}
    assert len(pages) == built.pages == len(entries()) + 2
    for name, page in pages.items():
        for target in re.findall(r'href="([^"]+)"', page):
            assert target in pages, f"{name} → {target}"
        assert not re.search(r'(src|href)="(https?:)?//', page)
    drawn = [name for name, page in pages.items() if "<svg" in page]
    assert len(drawn) == len(entries())
    assert sum(len(page) for page in pages.values()) < 4_000_000
    assert set(built.seconds) == {e["name"] for e in entries()}
