"""Whatever the names in the data are, every kind of document stays a document: no markup, formula or link of theirs."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.costs import Prices
from modelwright.core.errors import MissingLibrary, UnreadableSource
from modelwright.evaluation.costs import costs
from modelwright.flows._documents import KINDS, draw
from modelwright.reports.as_docx import docx_of
from modelwright.reports.as_html import html_of
from modelwright.reports.as_pdf import pdf_of
from modelwright.reports.brief import brief
from modelwright.reports.office import as_cell, as_office
from modelwright.reports.requirements import ANNEX_IV, SR_11_7, answered
from modelwright.reports.rereading import reread
from modelwright.reports.slides import pptx_of
from modelwright.reports.sources import sources, stamp
from modelwright.reports.twin import twin
from modelwright.reports.validation import validation

FORMULAS = (
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1)",
    "+1+1",
    "](javascript:alert(1))",
    "http://evil.example/",
)
OFFICE_XML = re.compile(r"(word|ppt|customXml)/.*\.xml")


def hostile(view):
    """Return the hostile view with formulas as labels and columns, and a hostile unit of costs."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet((1, 1), 90)
    found = costs(view.task, rng.integers(0, 2, 90), p, None, Prices(1, 2, FORMULAS[0]))
    figures = json.loads(json.dumps(view.evidence.figures))
    figures["confusion"]["labels"] = list(FORMULAS[:2])
    ranked = tuple({**e, "column": c} for e, c in zip(view.evidence.importance, FORMULAS, strict=False))
    evidence = replace(view.evidence, figures=figures, importance=ranked)
    return replace(view, task=replace(view.task, labels=FORMULAS[:2]), evidence=evidence, costs=found)


@pytest.fixture(scope="module")
def hostile_view(views):
    return hostile(views["hostile"])


@pytest.fixture(scope="module")
def deck(hostile_view) -> bytes:
    pytest.importorskip("pptx")
    return pptx_of(hostile_view, stamp(hostile_view, "slides"))


@pytest.fixture(scope="module")
def word(hostile_view) -> bytes:
    pytest.importorskip("docx")
    return docx_of(validation(hostile_view), stamp(hostile_view, "document"), {})


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_html_holds_no_tag_or_link_of_the_data(hostile_view):
    for prose in (brief(hostile_view), validation(hostile_view)):
        page = html_of(prose, stamp(hostile_view, prose.kind))
        body = page.partition("<body")[2]
        tags = re.findall(r"<[^>]*>", re.sub(r'"[^"]*"', '""', body))
        assert not [t for t in tags if re.search(r"<(script|img|iframe|object|style)|\son\w+=", t)]
        assert set(re.findall(r'href="([^#][^"]*)"', body)) == set()
        assert "default-src 'none'" in page
        assert "\u202e" not in page


@pytest.mark.parametrize("made", ["deck", "word"])
def test_office_files_hold_no_outside_relation_and_no_field_of_the_data(made, request):
    files = parts(request.getfixturevalue(made))
    for name, content in files.items():
        text = content.decode("utf-8", "replace")
        if name.endswith(".rels"):
            assert 'TargetMode="External"' not in text
        elif OFFICE_XML.fullmatch(name) and "/theme" not in name:
            assert not re.search(r"<script|<w:instrText|hlinkClick|<a:hlink|\x00|\u202e", text)
            assert set(re.findall(r'<w:fldSimple w:instr="([^"]*)"', text)) <= {"PAGE"}
    assert all(not re.search(r"vbaProject|activeX|oleObject", name) for name in files)


def test_links_in_the_word_file_lead_to_its_own_bookmarks(word):
    text = parts(word)["word/document.xml"].decode()
    bookmarks = set(re.findall(r'<w:bookmarkStart[^>]* w:name="([^"]*)"', text))
    links = re.findall(r"<w:hyperlink ([^>]*)>", text)
    assert links
    for link in links:
        assert "r:id" not in link
        assert re.search(r'w:anchor="([^"]*)"', link)[1].replace("-", "_") in bookmarks


def test_sheets_inside_charts_hold_text_and_no_formula(deck):
    sheets = [c for n, c in parts(deck).items() if n.endswith(".xlsx")]
    assert sheets
    for sheet in sheets:
        inside = parts(sheet)
        cells = inside["xl/worksheets/sheet1.xml"].decode()
        assert "<f>" not in cells
        assert "hyperlink" not in cells.lower()
        assert not any("external" in n.lower() for n in inside)
        for text in re.findall(r"<t[^>]*>([^<]*)</t>", inside.get("xl/sharedStrings.xml", b"").decode()):
            assert not text.startswith(("=", "+", "-", "@"))


@pytest.mark.slow
def test_a_pdf_holds_no_outside_link_or_script(hostile_view):
    pypdf = pytest.importorskip("pypdf")
    prose = validation(hostile_view)
    reader = pypdf.PdfReader(io.BytesIO(pdf_of(prose, stamp(hostile_view, "document"), {})))
    for page in reader.pages:
        for note in page.get("/Annots") or ():
            assert "/URI" not in str(note.get_object())
    assert "/JavaScript" not in str(reader.trailer["/Root"])
    assert "/OpenAction" not in reader.trailer["/Root"]


def test_the_twin_is_json_that_a_machine_reads(any_view):
    data = json.loads(twin(any_view))
    assert data["kind"] == "model card"
    assert {m["source"] for m in data["measures"].values()} <= set(data["sources"])
    assert all(s["command"] for s in data["sources"].values())


def test_cells_and_sentences():
    assert [as_cell(f)[0] for f in FORMULAS] == ["“"] * len(FORMULAS)
    assert as_cell("tenure") == "tenure"
    assert as_office("a\x00b\u202ec") == "a bc"
    assert as_office("Check \u2068مرحبا\u2069, 12.") == "Check مرحبا\u200e, 12."


@pytest.mark.parametrize("name", ["binary", "tiny"])
def test_every_requirement_is_linked_to_a_section_or_says_what_is_missing(views, name):
    anchors = {s.anchor for s in validation(views[name]).sections}
    for asked in (*SR_11_7, *ANNEX_IV):
        state, lacking = answered(asked, views[name])
        assert asked.anchor in anchors or (state == "missing" and lacking)
        assert lacking or state == "here"


def test_every_source_says_where_and_how(any_view):
    for key, source in sources(any_view).items():
        assert source.place
        assert (
            source.command.startswith("modelwright ") or any_view.model_name == "</style><img src=x onerror=alert(1)>"
        )
        assert source.key == key


def test_every_document_can_be_drawn_of_every_view(any_view, monkeypatch):
    monkeypatch.setattr("modelwright.reports.drawing.SCRIPT", "absent")  # charts are tested elsewhere
    if len(any_view.contract.columns) > 5_000:
        pytest.skip("thousands of columns take seconds; the card and the page are tested with them")
    for kind in set(KINDS) - {"document", "page"}:
        for name, content in draw(any_view, kind).items():
            stated = reread(name, content)
            assert stated.numerals() or any_view.model_name == "tiny"
            assert stated.stamp is not None or name.endswith(".md")


def test_the_word_file_and_the_deck_say_the_same_when_read_again(views):
    view = views["binary"]
    first = reread("a.docx", docx_of(validation(view), stamp(view, "document"), {}))
    assert "1,409" in first.numerals()
    assert first.stamp["document"] == "document"
    said = reread("a.pptx", pptx_of(view, stamp(view, "slides")))
    assert "Where the numbers came from" in said.text
    assert said.stamp["sources"]["kpis.roc_auc"]["value"] == view.evidence.kpis["roc_auc"].value


@pytest.mark.parametrize(("name", "content"), [("a.docx", b"PK"), ("a.pptx", b""), ("a.exe", b""), ("a.json", b"{")])
def test_what_is_no_document_is_explained(name, content):
    with pytest.raises(UnreadableSource):
        reread(name, content)


def test_a_missing_library_says_what_to_install(views, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(MissingLibrary, match=r"modelwright\[documents\]"):
        pptx_of(views["binary"], {})
