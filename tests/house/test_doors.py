"""The front door is light, and what predicts carries nothing of the workshop."""

import subprocess
import sys

import pytest

HEAVY = ("polars", "pandas", "sklearn", "lightgbm", "xgboost", "catboost", "scipy", "altair", "pyarrow", "mlflow")


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


@pytest.mark.parametrize("code", ["import modelwright", "import modelwright.ui.cli", "import modelwright.core.model"])
def test_the_front_door_is_light(code):
    assert loaded_after(code) & set(HEAVY) == set()


def test_loading_a_package_carries_no_workshop():
    code = "from modelwright.flows.load import load"
    assert loaded_after(code) & {"pandas", "sklearn", "lightgbm", "xgboost", "catboost", "altair", "pyarrow"} == set()


def test_the_service_answers_without_the_workshop_and_without_frames():
    code = (
        "import modelwright.flows.serve, modelwright.service.app, modelwright.service.worker\n"
        "import modelwright.registry.ledger_spool, modelwright.features.plan, modelwright.learners.blend"
    )
    assert loaded_after(code) & {*HEAVY, "psycopg", "optuna", "onnx", "opentelemetry", "starlette"} == set()


def test_every_public_name_can_be_imported():
    import modelwright

    for name in modelwright.__all__:
        assert getattr(modelwright, name) is not None
    assert sorted(modelwright.__all__) == modelwright.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = modelwright.nothing
