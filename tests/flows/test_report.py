"""Documents of a real package: drawn, checked, found out when changed, and two packages side by side."""

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import modelwright
from modelwright.core.costs import Prices
from modelwright.core.errors import InvalidSetting, NotComparable, NumbersDisagree, UnreadableSource
from modelwright.flows.contrast import compared, contrast, shared_rows
from modelwright.flows.report import report, view_with
from modelwright.flows.report_check import check
from modelwright.packaging.writing import write
from modelwright.reports.as_html import inked_spec
from modelwright.reports.as_pdf import pdf_of
from modelwright.reports.drawing import Pen
from modelwright.reports.sources import stamp
from modelwright.reports.validation import validation

PRICES = Prices(5, 40, "EUR")
pytestmark = pytest.mark.slow


def test_every_number_of_a_package_comes_out_again(churn_model, house_model):
    for model in (churn_model, house_model):
        done = check(model.path)
        assert done.n_recomputed > 50
        assert done.disagreements == ()
        assert "importance" in done.kept


def test_a_measure_that_was_changed_is_found(churn_model, tmp_path):
    package = churn_model.package
    score = package.evidence.kpis["recall"]
    kpis = {**package.evidence.kpis, "recall": replace(score, value=min(score.value + 0.01, score.high))}
    write(tmp_path / "changed.model", replace(package, evidence=replace(package.evidence, kpis=kpis)))
    with pytest.raises(NumbersDisagree, match=r"kpis\.recall\.value"):
        check(tmp_path / "changed.model")


@pytest.mark.parametrize("kind", ["card", "brief", "slides"])
def test_what_was_drawn_agrees_with_its_package(churn_model, tmp_path, kind):
    pytest.importorskip("pptx")
    done = report(churn_model.path, kind=kind, out=tmp_path, prices=PRICES if kind != "card" else None)
    for path in done.files.values():
        assert check(churn_model.path, document=path).n_compared > 10


def test_a_number_changed_by_hand_is_found(churn_model, tmp_path):
    path = tmp_path / "brief.html"
    report(churn_model.path, kind="brief", out=tmp_path, prices=PRICES)
    path.write_text(path.read_text().replace("It was tested on ", "It was tested on 9"))
    with pytest.raises(NumbersDisagree, match="not in the package"):
        check(churn_model.path, document=path)


def with_another_digit(text: str, *, is_markup: bool) -> str | None:
    """Return a text in which the last digit of the first number that a reader sees is another one."""
    seen = r">([^<>]*)<" if is_markup else r"(?s)(.*)"
    for part in re.finditer(seen, text):
        found = re.search(r"(?<![\w.,&#-])\d[\d.,]*\d(?![\w.,])", part.group(1))
        if found is not None:
            end = part.start(1) + found.end()
            return f"{text[: end - 1]}{(int(text[end - 1]) + 1) % 10}{text[end:]}"
    return None


def falsify(path) -> None:
    """Change one digit of what a file says."""
    if path.suffix not in (".docx", ".pptx"):
        head, mark, body = path.read_text().partition("<body") if path.suffix == ".html" else ("", "", path.read_text())
        changed = with_another_digit(body, is_markup=path.suffix == ".html")
        assert changed is not None
        path.write_text(head + mark + changed)
        return
    with zipfile.ZipFile(path) as archive:
        parts = {i: archive.read(i) for i in archive.infolist()}
    for info, content in parts.items():
        if re.fullmatch(r"word/document\.xml|ppt/slides/slide\d+\.xml", info.filename):
            changed = with_another_digit(content.decode(), is_markup=True)
            if changed is not None:
                parts[info] = changed.encode()
                break
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in parts.items():
            archive.writestr(info, content)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("page", "report.html"),
        ("card", "card.md"),
        ("card", "card.json"),
        ("brief", "brief.html"),
        ("document", "document.docx"),
        ("slides", "slides.pptx"),
    ],
)
def test_a_number_changed_in_any_document_is_found(churn_model, tmp_path, kind, name):
    pytest.importorskip("pptx")
    pytest.importorskip("weasyprint")
    report(churn_model.path, kind=kind, out=tmp_path)
    path = tmp_path / name
    assert check(churn_model.path, document=path).n_compared > 10
    falsify(path)
    with pytest.raises(NumbersDisagree):
        check(churn_model.path, document=path)


def test_a_pdf_that_says_other_numbers_than_its_stamp_is_found(churn_model, tmp_path):
    pytest.importorskip("weasyprint")
    package = churn_model.package
    score = package.evidence.kpis["recall"]
    other = replace(score, value=score.value / 2, low=score.low / 2, high=score.high / 2)
    changed = replace(package, evidence=replace(package.evidence, kpis={**package.evidence.kpis, "recall": other}))
    name = churn_model.path.name if hasattr(churn_model.path, "name") else str(churn_model.path).rsplit("/", 1)[-1]
    true, false = (view_with(p, name, None) for p in (package, changed))
    prose, honest = validation(false), validation(true)
    with Pen() as pen:
        painted = pen.paint({d.picture.name: inked_spec(d.picture.spec) for d in honest.drawings()})
    path = tmp_path / "document.pdf"
    path.write_bytes(pdf_of(prose, stamp(true, "document", honest.numbered()), painted))
    with pytest.raises(NumbersDisagree, match="not in the package"):
        check(churn_model.path, document=path)


def test_documents_name_the_package_that_the_registry_names(churn_model, tmp_path):
    named = churn_model.package.fingerprint
    made = report(churn_model.path, out=tmp_path)
    assert made.fingerprint == named
    for card in (tmp_path / "card.md", Path(churn_model.path) / "card.md"):
        assert f"Package: `{named}`" in card.read_text()


def test_two_numbers_that_changed_places_are_found(churn_model, tmp_path):
    report(churn_model.path, kind="brief", out=tmp_path)
    path = tmp_path / "brief.html"
    text = path.read_text()
    first, second = re.findall(r"likely from (\d+) to (\d+)", text)[0]
    path.write_text(text.replace(f"likely from {first} to {second}", f"likely from {second} to {first}"))
    with pytest.raises(NumbersDisagree):
        check(churn_model.path, document=path)


def test_what_rests_on_the_training_run_is_trained_anew(churn_model, churn_csv, later_csv, tmp_path):
    done = check(churn_model.path, data=churn_csv)
    assert done.kept.keys() <= {"kpis.train_seconds", "kpis.preprocess_seconds"} | {
        k for k in done.kept if k.startswith("kpis.")
    }
    package = churn_model.package
    first, *others = package.evidence.importance
    changed = ({**first, "value": first["value"] * 1.01}, *others)
    write(tmp_path / "x.model", replace(package, evidence=replace(package.evidence, importance=changed)))
    with pytest.raises(NumbersDisagree, match="importance"):
        check(tmp_path / "x.model", data=churn_csv)
    with pytest.raises(InvalidSetting, match="own table"):
        check(churn_model.path, data=later_csv)


def test_a_document_of_another_package_is_found(churn_model, house_model, tmp_path):
    report(house_model.path, kind="brief", out=tmp_path)
    with pytest.raises(NumbersDisagree):
        check(churn_model.path, document=tmp_path / "brief.html")
    (tmp_path / "mine.html").write_text("<p>97 % accurate</p>")
    with pytest.raises(UnreadableSource, match="does not say what it is"):
        check(churn_model.path, document=tmp_path / "mine.html")


def test_the_validators_document_is_drawn_read_and_checked(churn_model, tmp_path):
    pytest.importorskip("weasyprint")
    done = report(churn_model.path, kind="document", out=tmp_path)
    assert check(churn_model.path, document=done.files["docx"]).n_compared > 100
    assert check(churn_model.path, document=done.files["pdf"]).n_compared > 100


def test_an_unknown_kind_is_explained(churn_model, tmp_path):
    with pytest.raises(InvalidSetting, match="known kind"):
        report(churn_model.path, kind="sildes", out=tmp_path)


def test_a_model_is_tied_with_itself(churn_model, tmp_path):
    done = contrast(churn_model.path, churn_model.path, out=tmp_path)
    found = done.comparison
    assert found.verdict == "tied"
    assert found.n_shared == found.n_rows[0]
    assert found.changes == ()
    assert all(g.difference.value == 0 for g in found.gains if g.verdict == "tied")
    assert "cannot be told apart" in done.summary(80)


def test_a_worse_model_is_called_worse_on_shared_rows(churn_model):
    package = churn_model.package
    sealed = package.sealed
    noise = np.random.default_rng(0).random(len(sealed.target))
    guessed = replace(package, sealed=replace(sealed, scores=np.column_stack([1 - noise, noise])))
    assert compared(package, guessed, ("a", "b")).verdict == "worse"
    assert compared(guessed, package, ("a", "b")).verdict == "better"
    apart = replace(package, sealed=replace(sealed, rows=tuple(f"other {i}" for i in range(len(sealed.rows)))))
    found = compared(package, apart, ("a", "b"))
    assert found.verdict == "not comparable"
    assert "--test" in found.sentence


def test_rows_that_stand_twice_are_paired_twice():
    a, b = SimpleNamespace(rows=("x", "y", "x")), SimpleNamespace(rows=("x", "z", "x", "x"))
    first, second = shared_rows(a, b)
    assert first.tolist() == [0, 2]
    assert second.tolist() == [0, 2]


def test_models_of_different_questions_are_not_compared(churn_model, house_model):
    with pytest.raises(NotComparable):
        contrast(churn_model.path, house_model.path)


def test_cluster_and_anomalies_leave_rows_and_a_page(churn_csv, tmp_path):
    done = modelwright.cluster(churn_csv, ignore=("churn",), out=tmp_path / "c.csv", report=tmp_path)
    assert (tmp_path / "c.csv").read_text().startswith("row,cluster,sureness\n0,")
    assert "<svg" in (tmp_path / "clusters.html").read_text()
    assert "assigned" not in done.to_dict()
    odd = modelwright.anomalies(churn_csv, out=tmp_path / "a.csv", report=tmp_path)
    assert (tmp_path / "anomalies.html").exists()
    assert odd.to_dict()["n_flagged"] == odd.rows["flagged"].sum()
