"""Clients that nobody here wrote talk to the service, and requests made from its own document break nothing."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

import modelwright

pytestmark = [pytest.mark.server, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
ROWS = [
    {"customer": "C-9", "tenure": 5.0, "contract": "month", "charge": "53.85", "since": "2015-05-05"},
    {"customer": "C-8", "tenure": 40.0, "contract": "two-year", "charge": "20", "since": "2012-01-31"},
]


def tensors(rows):
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {name: ("FP64" if name == "tenure" else "BYTES", cells) for name, cells in columns.items()}


def expected(service):
    model = modelwright.load(Path(service.process.args[4]))
    return model.predict(ROWS), [list(p.values()) for p in model.predict_proba(ROWS)]


def test_tritons_own_client_is_answered(run_service):
    client = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")
    service = run_service("--name", "churn")
    headers = {"Authorization": f"Bearer {service.token}"}
    with client.InferenceServerClient(service.url.removeprefix("http://")) as asking:
        assert asking.is_server_live()
        assert asking.is_server_ready()
        assert asking.is_model_ready("churn", headers=headers)
        told = asking.get_model_metadata("churn", headers=headers)
        assert {"name": "tenure", "datatype": "FP64", "shape": [-1]} in told["inputs"]
        inputs = []
        for name, (datatype, cells) in tensors(ROWS).items():
            tensor = client.InferInput(name, [len(cells)], datatype)
            given = np.array(cells, dtype=np.float64 if datatype == "FP64" else object)
            tensor.set_data_from_numpy(given, binary_data=False)
            inputs.append(tensor)
        outputs = [client.InferRequestedOutput(name, binary_data=False) for name in ("prediction", "probabilities")]
        answer = asking.infer("churn", inputs, outputs=outputs, headers=headers, request_id="7")
    predictions, probabilities = expected(service)
    assert answer.as_numpy("prediction").tolist() == predictions
    assert np.allclose(answer.as_numpy("probabilities"), probabilities, atol=1e-12)
    assert answer.get_response()["id"] == "7"


def test_the_protocols_generated_client_is_answered(run_service):
    module = pytest.importorskip("open_inference.openapi.client", reason="open-inference-openapi is not installed")
    httpx = pytest.importorskip("httpx")
    service = run_service("--name", "churn")
    with httpx.Client(headers={"Authorization": f"Bearer {service.token}"}) as http:
        asking = module.OpenInferenceClient(base_url=service.url, httpx_client=http)
        asking.check_server_liveness()
        asking.check_server_readiness()
        asking.check_model_readiness("churn")
        assert asking.read_server_metadata().name == "modelwright"
        assert asking.read_model_metadata("churn").platform == "modelwright"
        inputs = [
            {"name": name, "shape": [len(cells)], "datatype": datatype, "data": cells}
            for name, (datatype, cells) in tensors(ROWS).items()
        ]
        answer = asking.model_infer("churn", request=module.InferenceRequest(inputs=inputs))
    outputs = {output.name: output.data.__root__ for output in answer.outputs}
    predictions, probabilities = expected(service)
    assert outputs["prediction"] == predictions
    assert np.allclose(np.reshape(outputs["probabilities"], (2, 2)), probabilities, atol=1e-12)


@pytest.mark.parametrize("model", ["churn_model", "house_model"])
def test_requests_made_from_its_document_break_nothing(request, model, run_service):
    pytest.importorskip("schemathesis")
    fuzz = runpy.run_path(str(ROOT / "benchmarks" / "fuzz_openapi.py"))["fuzz"]
    service = run_service("--name", "m", package=request.getfixturevalue(model).path)
    statuses, wrong = fuzz(service.url, service.token, 250)
    assert wrong == []
    assert sum(statuses.values()) >= 250
    assert statuses[200] > 50
    assert service.ask("/health/live") == {"live": True}
    assert "defect" not in service.said()
