"""Documents of a real package: drawn, checked, found out when changed, and two packages side by side."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import modelwright
from modelwright.core.costs import Prices
from modelwright.core.errors import InvalidSetting, NotComparable, NumbersDisagree, UnreadableSource
from modelwright.flows.contrast import compared, contrast, shared_rows
from modelwright.flows.report import report
from modelwright.flows.report_check import check
from modelwright.packaging.writing import write

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
