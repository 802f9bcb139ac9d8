"""What the service answers: the same as the model, in every form in which it can be asked."""

import csv
import io
import json

import numpy as np
import polars as pl
import pytest
from jsonschema import Draft202012Validator

import modelwright
from modelwright.service.limits import Limits
from modelwright.service.models import Models
from modelwright.service.policy import Policy
from modelwright.service.scorer import Scorer
from modelwright.service.sources import PackageSource


def rows_of(path, n=12):
    with path.open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "churn"} for row in csv.DictReader(file)][:n]


def as_csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows):
    file = io.BytesIO()
    pl.DataFrame(rows).write_parquet(file)
    return file.getvalue()


def test_answers_are_the_models(desk, churn_model, later_csv):
    rows = rows_of(later_csv)
    status, _, body = desk.ask("POST", "/predict", {"records": rows}, token="predict")
    model = modelwright.load(churn_model.path)
    assert status == 200
    assert body["predictions"] == model.predict(rows)
    expected = [list(p.values()) for p in model.predict_proba(rows)]
    assert np.allclose([list(p.values()) for p in body["probabilities"]], expected, atol=1e-12)
    assert body["recorded"] is True
    assert len(set(body["prediction_ids"])) == len(rows)
    assert body["fingerprint"] == churn_model.package.fingerprint


def test_the_reasons_that_come_with_an_answer_add_up_to_it(make_desk, house_model, later_csv, house_csv):
    for desk, path in ((make_desk(), later_csv), (make_desk(house_model.path), house_csv)):
        body = desk.ask("POST", "/predict", {"records": rows_of(path), "explain": True})[2]
        for i, reasons in enumerate(body["reasons"]):
            assert reasons["start"] + sum(reasons["columns"].values()) == pytest.approx(reasons["answer"], rel=1e-9)
            answered = body["probabilities"][i][reasons["label"]] if "label" in reasons else body["predictions"][i]
            assert reasons["answer"] == pytest.approx(answered, rel=1e-9)


def test_json_csv_and_parquet_mean_the_same(desk, later_csv):
    rows = rows_of(later_csv)
    rows[3]["contract"], rows[4]["tenure"], rows[5]["charge"] = "decade", "9999", "cheap"
    bodies = {
        "application/json": json.dumps({"records": rows}).encode(),
        "text/csv": as_csv(rows),
        "application/vnd.apache.parquet": as_parquet(rows),
    }
    answers = {kind: desk.ask("POST", "/predict", body, kind=kind)[2] for kind, body in bodies.items()}
    first, *others = ({k: a[k] for k in ("predictions", "probabilities", "flags")} for a in answers.values())
    assert all(other == first for other in others)
    assert first["flags"][3] == ["contract: unknown level"]
    assert first["flags"][4] == ["tenure: out of range"]
    assert first["flags"][5] == ["charge: unreadable value"]


def test_many_rows_are_answered_like_one(desk, later_csv):
    rows = rows_of(later_csv, 80)
    together = desk.ask("POST", "/predict", {"records": rows})[2]
    alone = [desk.ask("POST", "/predict", {"records": [row]})[2] for row in rows[:10]]
    assert [a["predictions"][0] for a in alone] == together["predictions"][:10]
    assert np.allclose(
        [list(a["probabilities"][0].values()) for a in alone],
        [list(p.values()) for p in together["probabilities"][:10]],
        atol=1e-12,
    )


def test_no_rows_are_no_answers(desk):
    status, _, body = desk.ask("POST", "/predict", {"records": []})
    assert (status, body["predictions"]) == (200, [])


def test_a_regression_comes_with_intervals(make_desk, house_model):
    desk = make_desk(house_model.path)
    status, _, body = desk.ask("POST", "/predict", {"records": [{"size": "120", "age": 10, "street": "oak"}]})
    assert status == 200
    if "intervals" in body:
        (low, high), value = body["intervals"][0], body["predictions"][0]
        assert low < value < high
    else:
        assert len(house_model.package.sealed.target) < 50


def test_everything_is_recorded_with_flags_and_without_the_target(desk):
    row = {"customer": "C-1", "tenure": 5, "contract": "month", "charge": 50, "since": "2015-01-01"}
    _, _, body = desk.ask("POST", "/predict", {"records": [{**row, "churn": "yes", "shoe": 43}, {**row, "tenure": -4}]})
    first, second = desk.written()
    assert [first["id"], second["id"]] == body["prediction_ids"]
    assert "shoe" not in first["row"]
    assert first["flags"] == ["shoe: extra column"]
    assert second["flags"] == ["tenure: out of range"]
    assert first["scores"] == list(body["probabilities"][0].values())
    assert first["prediction"] == body["predictions"][0]


def test_the_open_inference_protocol(desk, later_csv):
    rows = rows_of(later_csv, 3)
    status, _, meta = desk.ask("GET", "/v2/models/churn")
    assert status == 200
    inputs = [
        {"name": i["name"], "shape": [3], "datatype": "BYTES", "data": [row[i["name"]] for row in rows]}
        for i in meta["inputs"]
    ]
    asked = {"id": "42", "inputs": inputs}
    status, _, body = desk.ask("POST", "/v2/models/churn/infer", asked)
    plain = desk.ask("POST", "/predict", {"records": rows})[2]
    outputs = {o["name"]: o for o in body["outputs"]}
    assert (status, body["id"], body["model_name"]) == (200, "42", "churn")
    assert outputs["prediction"]["data"] == plain["predictions"]
    assert np.reshape(outputs["probabilities"]["data"], (3, 2)).tolist() == [
        list(p.values()) for p in plain["probabilities"]
    ]
    one = [
        {
            "name": "rows",
            "shape": [3, len(inputs)],
            "datatype": "BYTES",
            "data": [list(c) for c in zip(*[i["data"] for i in inputs], strict=True)],
        }
    ]
    again = desk.ask("POST", f"/v2/models/churn/versions/{meta['versions'][0]}/infer", {"inputs": one})[2]
    assert "outputs" in again, again
    assert again["outputs"][0]["data"] == plain["predictions"]
    only = desk.ask("POST", "/v2/models/churn/infer", {**asked, "outputs": [{"name": "prediction"}]})[2]
    assert [o["name"] for o in only["outputs"]] == ["prediction"]
    assert desk.ask("GET", "/v2/health/ready", token=None)[0] == 200
    assert desk.ask("GET", "/v2/models/churn/ready")[2] == {"name": "churn", "ready": True}
    status, _, body = desk.ask("POST", "/v2/models/other/infer", asked)
    assert status == 404
    assert isinstance(body["error"], str)


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "instances", "inputs", "csv"])
def test_invocations_as_mlflow_sends_them(desk, later_csv, form):
    rows = rows_of(later_csv, 4)
    columns = list(rows[0])
    bodies = {
        "dataframe_split": {"columns": columns, "index": [0, 1, 2, 3], "data": [list(r.values()) for r in rows]},
        "dataframe_records": rows,
        "instances": rows,
        "inputs": {c: [r[c] for r in rows] for c in columns},
    }
    if form == "csv":
        status, _, body = desk.ask("POST", "/invocations", as_csv(rows), kind="text/csv; charset=utf-8")
    else:
        status, _, body = desk.ask("POST", "/invocations", {form: bodies[form], "params": {}})
    plain = desk.ask("POST", "/predict", {"records": rows})[2]
    assert status == 200
    assert [p["prediction"] for p in body["predictions"]] == plain["predictions"]
    assert body["predictions"][0]["probability_yes"] == plain["probabilities"][0]["yes"]


def test_labels_are_taken_in_the_targets_type_and_checked(desk):
    one = {"prediction_id": "0" * 32, "value": "yes"}
    assert desk.ask("POST", "/labels", {"labels": [one]}, token="label")[::2] == (202, {"accepted": 1})
    table = b"prediction_id,value,time\n" + b"1" * 32 + b",no,12.5\n"
    assert desk.ask("POST", "/labels", table, kind="text/csv", token="label")[0] == 202
    for wrong in ({**one, "value": "perhaps"}, {**one, "prediction_id": "../x"}, {"prediction_id": "0" * 32}):
        assert desk.ask("POST", "/labels", {"labels": [wrong]}, token="label")[0] == 422
    assert desk.ask("POST", "/labels", {"labels": [one]}, token="predict")[0] == 403


def test_the_document_describes_the_contract(desk):
    status, _, document = desk.ask("GET", "/openapi.json")
    row = document["components"]["schemas"]["Row"]
    assert status == 200
    assert set(row["properties"]) == {"tenure", "contract", "charge", "since"}
    assert row["properties"]["contract"]["anyOf"][0]["enum"] == ["month", "year", "two years"]
    assert row["properties"]["tenure"]["anyOf"][0] == {"type": "integer", "minimum": 0, "maximum": 71}
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema), name
    whole = {"$ref": "#/components/schemas/Predictions", "components": document["components"]}
    answer = desk.ask("POST", "/predict", {"records": row["examples"]})
    assert answer[0] == 200
    Draft202012Validator(whole).validate(answer[2])


def test_metrics_count_what_happened(desk):
    desk.ask("POST", "/predict", {"records": [{"tenure": -1}]})
    desk.ask("POST", "/predict", b"{")
    status, _, page = desk.ask("GET", "/metrics")
    text = page.decode()
    assert status == 200
    assert 'modelwright_requests_total{route="predict",status="200"} 1.0' in text
    assert 'modelwright_requests_total{route="predict",status="400"} 1.0' in text
    assert 'modelwright_contract_departures_total{column="tenure",rule="out of range"} 1.0' in text
    assert 'modelwright_request_seconds_bucket{le="+Inf",route="predict"} 2.0' in text
    assert "modelwright_in_flight 1.0" in text
    assert f'fingerprint="{desk.package.fingerprint}"' in text


POLICIES = [
    ({"policy": {"unknown_level": "refuse"}}, {"contract": "decade"}, 422, None),
    ({"columns": {"contract": {"unknown_level": "abstain"}}}, {"contract": "decade"}, 200, None),
    ({"policy": {"unknown_level": {"override": "year"}}}, {"contract": "decade"}, 200, {"contract": "year"}),
    ({"policy": {"out_of_range": "clip"}}, {"tenure": 4000}, 200, {"tenure": 71}),
    ({"policy": {"out_of_range": "missing"}}, {"tenure": 4000}, 200, {"tenure": None}),
    ({"guard": {"outside_max": 1}}, {"tenure": 4000, "contract": "decade"}, 200, None),
    ({"guard": {"sure_min": 1.0}}, {}, 200, None),
    ({"policy": {"extra_column": "refuse"}}, {"shoe": 43}, 422, None),
]


@pytest.mark.parametrize(("written", "change", "status", "instead"), POLICIES)
def test_policies_decide_what_becomes_of_a_row(make_desk, written, change, status, instead):
    desk = make_desk(policy=Policy.of(written))
    row = {"tenure": 5, "contract": "month", "charge": 50, "since": "2015-01-01"}
    found, _, body = desk.ask("POST", "/predict", {"records": [{**row, **change}]})
    assert found == status
    if status == 422:
        assert next(iter(change)) in body["error"]["found"]
        assert "decade" not in json.dumps(body)
    elif instead is None:
        assert body["predictions"] == [None]
        assert any(flag.startswith("abstained: ") for flag in body["flags"][0])
        assert desk.counters.total("events", "abstained") == 1
    else:
        meant = desk.ask("POST", "/predict", {"records": [{**row, **instead}]})[2]
        assert body["probabilities"] == meant["probabilities"]
        assert desk.written()[0]["row"] == {**row, **change}  # what came is what is recorded


def test_a_canary_gets_its_share_and_a_shadow_is_heard_and_not_seen(make_desk, churn_model):
    def models(desk):
        other = Scorer(desk.package, PackageSource(churn_model.path, "churn").current(), Policy())
        return Models(desk.scorer, other, 25.0, other)

    desk = make_desk(models=models)
    for _ in range(40):
        assert desk.ask("POST", "/predict", {"records": [{"tenure": 5}]})[0] == 200
    roles = [r["role"] for r in desk.written()]
    assert roles.count("shadow") == 40
    assert 5 <= roles.count("canary") <= 15
    assert roles.count("champion") == 40 - roles.count("canary")


LIMITED = [
    ({"rows": 2}, {"records": [{}] * 3}, 413),
    ({"body_bytes": 50}, {"records": [{"tenure": "1" * 60}]}, 413),
    ({}, {"records": [{"tenure": [1]}]}, 422),
    ({}, {"records": [{"tenure": {}}]}, 422),
    ({}, {"rows": []}, 422),
    ({}, [], 422),
    ({}, b'{"records": [', 400),
    ({}, b"\xff\xfe", 400),
    ({}, b"[" * 100_000, 422),
]


@pytest.mark.parametrize(("limits", "body", "status"), LIMITED)
def test_what_cannot_be_taken_is_refused_with_its_reason(make_desk, limits, body, status):
    found, _, answer = make_desk(limits=Limits(**limits)).ask("POST", "/predict", body)
    assert found == status
    assert answer["error"]["rule"]


def test_a_body_in_pieces_is_stopped_when_it_is_too_long(make_desk):
    desk = make_desk(limits=Limits(body_bytes=100))
    assert desk.ask("POST", "/predict", b"x" * 1000, chunk=64)[0] == 413
    assert desk.ask("POST", "/predict", b"", headers=[(b"content-length", b"101")])[0] == 413
    assert desk.ask("POST", "/predict", b"", headers=[(b"content-length", b"-1")])[0] == 413
    assert make_desk().ask("POST", "/predict", b'{"records": []}', chunk=4)[0] == 200


def test_a_token_that_asks_too_often_waits(make_desk):
    desk = make_desk(limits=Limits(requests_per_second=1))
    answers = [desk.ask("GET", "/version") for _ in range(12)]
    assert [a[0] for a in answers][:10] == [200] * 10
    assert answers[-1][0] == 429
    assert answers[-1][1][b"retry-after"] == b"1"
    assert desk.ask("GET", "/version", token="predict")[0] == 200  # another token is not held up


def test_too_much_at_a_time_is_put_off(make_desk):
    desk = make_desk(limits=Limits(in_flight=0))
    status, headers, _ = desk.ask("POST", "/predict", {"records": []})
    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert desk.ask("GET", "/health/live", token=None)[0] == 200


def test_a_worker_that_drains_sends_its_callers_elsewhere(desk):
    desk.app.is_draining = True
    status, headers, _ = desk.ask("POST", "/predict", {"records": []})
    assert (status, headers[b"connection"]) == (200, b"close")
    assert desk.ask("GET", "/health/ready", token=None)[0] == 503
    assert desk.ask("GET", "/health/live", token=None)[0] == 200


def test_an_answer_that_cannot_be_recorded_is_not_given(desk, monkeypatch):
    class Full:
        def write(self, **_):
            raise OSError

        def close(self):
            pass

    monkeypatch.setattr(desk.recorder, "_spool", Full())
    status, headers, body = desk.ask("POST", "/predict", {"records": [{}]})
    assert status == 503
    assert b"retry-after" in headers
    assert "predictions" not in body
