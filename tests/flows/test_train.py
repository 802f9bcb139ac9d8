"""The whole road on small tables: train, load, predict, evaluate, report."""

import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright.core.run import Run
from modelwright.core.settings import Settings
from modelwright.flows.train import REGISTER_SECONDS, Stages, _with_end

SIXTEEN = {
    "binary": [
        "accuracy",
        "precision",
        "recall",
        "f1",
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier",
        "calibration_error",
    ],
    "regression": ["mae", "mse", "rmse", "mape", "r2"],
}
TIMES = [
    "train_seconds",
    "preprocess_seconds",
    "inference_ms_p50",
    "inference_ms_p99",
    "rows_per_second",
    "size_mb_disk",
    "size_mb_memory",
]


def test_a_model_carries_all_measures(churn_model, house_model):
    for trained, kind in ((churn_model, "binary"), (house_model, "regression")):
        done = trained.to_dict()
        assert done["task"] == kind
        for name in SIXTEEN[kind] + TIMES:
            kpi = done["kpis"][name]
            assert set(kpi) >= {"value", "low", "high", "n_rows", "unit"}
            assert kpi["low"] <= kpi["value"] <= kpi["high"]
        evidence = trained.package.evidence
        assert evidence.importance
        assert evidence.bias_variance
        json.dumps(done, allow_nan=False)
    verdicts = {e["verdict"] for e in churn_model.package.evidence.convergence}
    assert verdicts
    assert verdicts <= {"converged", "stopped early", "still improving"}


def test_the_json_has_the_promised_keys(churn_model):
    done = churn_model.to_dict()
    assert {
        "package",
        "fingerprint",
        "task",
        "target",
        "metric",
        "kpis",
        "seconds",
        "leaderboard",
        "findings",
        "stopped",
    } <= set(done)
    assert set(done["seconds"]) == {"read", "preprocess", "search", "evaluate", "package", "total"}


def test_the_model_learns_something(churn_model, house_model):
    assert churn_model.package.evidence.kpis["roc_auc"].value > 0.65
    assert house_model.package.evidence.kpis["r2"].value > 0.9


def test_answers_come_back_in_kind(churn_model, later_csv):
    model = modelwright.load(churn_model.path)
    frame = pl.read_csv(later_csv, infer_schema=False)
    from_polars, from_pandas = model.predict(frame), model.predict(frame.to_pandas())
    from_arrow, from_records = model.predict(frame.to_arrow()), model.predict(frame.to_dicts())
    assert isinstance(from_polars, pl.Series)
    assert type(from_pandas).__module__.startswith("pandas")
    assert type(from_arrow).__module__.startswith("pyarrow")
    assert from_polars.to_list() == from_pandas.tolist() == from_arrow.to_pylist() == from_records
    assert model.predict_proba(frame).columns == ["no", "yes"]
    first = model.predict_proba(frame.head(1).to_dicts())[0]
    assert first["yes"] == pytest.approx(model.predict_proba(frame)["yes"][0], abs=1e-12)


def test_a_row_answers_the_same_as_text_and_typed(churn_model):
    model = modelwright.load(churn_model.path)
    text = {"tenure": "12", "contract": "month", "charge": "65.10", "since": "2015-03-04"}
    typed = {"tenure": 12, "contract": "month", "charge": 65.10, "since": "2015-03-04"}
    assert model.predict_proba([text]) == model.predict_proba([typed])


def test_odd_rows_are_answered(churn_model):
    model = modelwright.load(churn_model.path)
    rows = [{}, {"tenure": None}, {"tenure": "x", "contract": "⛄", "charge": "1e400", "since": "never"}, {"extra": 1}]
    for row in model.predict_proba(rows):
        assert math.isclose(sum(row.values()), 1.0, abs_tol=1e-9)
    assert model.predict([]) == []
    assert model.predict(pl.DataFrame({"tenure": []})).to_list() == []


def test_evaluate_measures_rows_that_came_later(churn_model, later_csv):
    done = modelwright.evaluate(churn_model.path, later_csv).to_dict()
    assert done["rows"] == 80
    assert done["kpis"]["roc_auc"]["value"] > 0.6


def test_predict_writes_rows_in_order_by_ending(churn_model, later_csv, tmp_path):
    frames = []
    for ending, read in ((".parquet", pl.read_parquet), (".csv", pl.read_csv), (".jsonl", pl.read_ndjson)):
        out = tmp_path / f"scored{ending}"
        modelwright.predict(churn_model.path, later_csv, out=out)
        frames.append(read(out))
    assert frames[0].columns == ["prediction", "probability_no", "probability_yes"]
    for other in frames[1:]:
        assert other["prediction"].to_list() == frames[0]["prediction"].to_list()
        assert np.allclose(other["probability_yes"], frames[0]["probability_yes"])


def test_the_same_effort_gives_the_same_bytes(churn_csv, churn_model, tmp_path):
    again = modelwright.train(churn_csv, target="churn", effort=2, out=str(tmp_path / "churn.model"), threads=1)
    assert again.to_dict()["fingerprint"] == churn_model.to_dict()["fingerprint"]
    first, second = (files_of(Path(t.path)) for t in (churn_model, again))
    assert first.keys() == second.keys()
    timed = {"manifest.json", "evidence.json", "report.html", "card.md", "checksums.json"}
    assert {n for n in first if first[n] != second[n]} <= timed


@pytest.mark.slow
def test_threads_do_not_change_the_fingerprint(churn_csv, churn_model, tmp_path):
    again = modelwright.train(churn_csv, target="churn", effort=2, out=str(tmp_path / "churn.model"), threads=2)
    assert again.to_dict()["fingerprint"] == churn_model.to_dict()["fingerprint"]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_a_contract_can_be_edited_and_given_back(churn_csv, tmp_path):
    path = tmp_path / "contract.json"
    modelwright.profile(churn_csv, contract_out=str(path))
    contract = json.loads(path.read_text())
    for column in contract["columns"]:
        if column["name"] == "tenure":
            column["kind"] = "category"
    path.write_text(json.dumps(contract))
    trained = modelwright.train(churn_csv, target="churn", effort=1, contract=str(path), out=str(tmp_path / "m.model"))
    assert trained.package.model.contract.column("tenure").kind == "category"


def test_sealed_rows_can_be_given(churn_csv, later_csv, tmp_path):
    trained = modelwright.train(churn_csv, target="churn", test=str(later_csv), effort=1, out=str(tmp_path / "m.model"))
    split = trained.to_dict()["split"]
    assert (split["train"], split["test"], split["how"]) == (240, 80, "given")


def test_given_rows_that_came_next_are_learnt_towards_in_time(tmp_path):
    rng = np.random.default_rng(0)
    day = pl.date_range(date(2024, 1, 1), date(2024, 12, 31), eager=True)
    frame = pl.DataFrame({"day": day, "x": rng.normal(size=len(day))})
    frame = frame.with_columns(sales=10 * pl.col("x") + rng.normal(size=len(day)))
    frame[:300].write_csv(tmp_path / "past.csv")
    frame[300:].write_csv(tmp_path / "next.csv")
    options = {"target": "sales", "effort": 1, "out": str(tmp_path / "m.model")}
    trained = modelwright.train(tmp_path / "past.csv", test=str(tmp_path / "next.csv"), **options)
    split = trained.to_dict()["split"]
    assert (split["train"], split["test"], split["how"]) == (300, 66, "time")
    assert trained.package.record["folds"]["how"] == "time"


def test_the_sealed_scores_recompute_the_evidence(churn_model):
    from modelwright.evaluation.metrics import compute

    package = churn_model.package
    value = compute("roc_auc", package.sealed.target, package.sealed.scores)
    assert value == pytest.approx(package.evidence.kpis["roc_auc"].value, abs=1e-12)


def test_report_draws_the_page_anew(churn_model, tmp_path):
    done = modelwright.report(churn_model.path, out=tmp_path / "report")
    assert Path(done.page).read_text().lower().startswith("<!doctype html>")
    assert Path(done.card).read_text().startswith("---\n")


@pytest.mark.parametrize(("budget", "kept"), [(60.0, REGISTER_SECONDS), (5.0, 1.0)])
def test_time_is_kept_for_the_registry_where_the_model_gets_a_name(budget, kept):
    run = Run(None, lambda: 1.0, 0.0, budget_seconds=budget)
    plain, named = (_with_end(run, Stages(run), Settings(target="y", name=name)) for name in (None, "churn"))
    assert plain.seconds_left() - named.seconds_left() == pytest.approx(kept)
