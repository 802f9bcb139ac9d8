"""The MLflow view: MLflow itself reads it, and no name or value can break it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind, Level, NullPolicy
from modelwright.core.task import LabelType, Task, TaskKind
from modelwright.packaging.mlflow_view import input_type, requirements, views
from modelwright.packaging.reading import read
from modelwright.packaging.writing import write


def model_of(files: dict[str, bytes]) -> dict:
    return yaml.safe_load(files["MLmodel"])


def inputs_of(files: dict[str, bytes]) -> list[dict]:
    return json.loads(model_of(files)["signature"]["inputs"])


@pytest.fixture
def files(package):
    return views(package.model.task, package.model.contract, package.manifest, package.golden.records)


def test_the_view_names_the_loader_and_the_columns(files):
    flavor = model_of(files)["flavors"]["python_function"]
    assert flavor["loader_module"] == "modelwright.flows.pyfunc"
    assert inputs_of(files) == [
        {"type": "long", "name": "age", "required": True},
        {"type": "string", "name": "income 💶", "required": False},
        {"type": "string", "name": "שם", "required": True},
    ]
    outputs = json.loads(model_of(files)["signature"]["outputs"])
    assert [(c["name"], c["type"]) for c in outputs] == [
        ("prediction", "string"),
        ("probability_no", "double"),
        ("probability_yes", "double"),
    ]


def test_requirements_are_pinned_and_name_no_place(package):
    lines = requirements(package.manifest).decode().splitlines()
    assert lines == ["modelwright==0.1.0", "numpy==2.4.1", "polars==2.1.0"]


NUMBER, CATEGORY, BOOLEAN, DATETIME = Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN, Kind.DATETIME


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (Column("a", NUMBER, is_integer=True), ["1", "2"], "long"),
        (Column("a", NUMBER, is_integer=True), [1, 2], "long"),
        (Column("a", NUMBER, is_integer=True, n_missing=1), ["1"], "double"),
        (Column("a", NUMBER, is_integer=True), ["1", None], "double"),
        (Column("a", NUMBER, is_integer=True, high=1e19), ["1"], "double"),
        (Column("a", NUMBER), ["1.5", "NA"], "double"),
        (Column("a", NUMBER), ["$3"], "string"),
        (Column("a", NUMBER), ["12 %"], "string"),
        (Column("a", NUMBER, thousands=","), ["1,234.5"], "string"),
        (Column("a", NUMBER, thousands=","), ["5"], "string"),
        (Column("a", NUMBER, decimal=","), ["5"], "string"),
        (Column("a", NUMBER, null_tokens=("?",)), ["1"], "string"),
        (Column("a", NUMBER, null_tokens=("NA",)), ["1"], "double"),
        (Column("a", BOOLEAN, true_spellings=("true",), false_spellings=("false",)), ["true"], "boolean"),
        (Column("a", BOOLEAN, true_spellings=("1",), false_spellings=("0",)), ["1"], "long"),
        (Column("a", BOOLEAN, true_spellings=("1",), false_spellings=("0",), n_missing=2), ["1"], "double"),
        (Column("a", BOOLEAN, true_spellings=("yes",), false_spellings=("no",)), ["yes"], "string"),
        (Column("a", DATETIME, datetime_format="iso"), ["2020-01-01"], "string"),
        (Column("a", DATETIME, datetime_format="unix"), ["1577836800"], "double"),
        (Column("a", CATEGORY, levels=(Level("1", 3), Level("-20", 3))), ["1"], "long"),
        (Column("a", CATEGORY, levels=(Level("007", 3),)), ["007"], "string"),
        (Column("a", CATEGORY, levels=(Level("oak", 3),)), ["oak"], "string"),
        (Column("a", CATEGORY), [], "string"),
        (Column("a", Kind.TEXT), ["5"], "string"),
    ],
)
def test_a_column_is_declared_as_it_arrives(column, values, expected):
    assert input_type(column, values) == expected


def test_columns_that_may_be_missing_are_optional():
    columns = (
        Column("always", NUMBER),
        Column("sometimes", NUMBER, n_missing=1),
        Column("refused", NUMBER, n_missing=1, null_policy=NullPolicy.REFUSE),
    )
    task = Task(TaskKind.REGRESSION, "y", "rmse")
    made = views(task, Contract(columns), _manifest(), [{}])
    assert [c["required"] for c in inputs_of(made)] == [True, False, True]


def _manifest():
    from modelwright.core.manifest import Manifest

    return Manifest("0.1.0", {}, 0, {}, "", {}, {}, {})


cells = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), cells, max_size=5),
    st.sampled_from(list(Kind)),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=2, max_size=4, unique=True),
)
def test_any_name_and_value_makes_yaml_that_says_the_same(record, kind, labels):
    contract = Contract(tuple(Column(name, kind) for name in record))
    task_kind = TaskKind.BINARY if len(labels) == 2 else TaskKind.MULTICLASS
    made = views(Task(task_kind, "y", "log_loss", tuple(labels)), contract, _manifest(), [record])
    assert [c["name"] for c in inputs_of(made)] == [c.name for c in contract.inputs]
    outputs = json.loads(model_of(made)["signature"]["outputs"])
    assert [c["name"] for c in outputs] == ["prediction", *(f"probability_{label}" for label in labels)]
    assert json.loads(made["input_example.json"])["columns"] == [c.name for c in contract.inputs]


@pytest.fixture(scope="module")
def mlflow():
    return pytest.importorskip("mlflow")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_opens_the_folder_and_accepts_the_example(mlflow, make, catalogue, tmp_path):
    from mlflow.models import Model
    from mlflow.models.utils import _enforce_schema

    package = make(3)
    write(tmp_path / "m.model", package)
    opened = Model.load(str(tmp_path / "m.model"))
    assert opened.signature.inputs.input_names() == ["age", "income 💶", "שם"]
    assert opened.signature.outputs.input_names()[0] == "prediction"
    example = opened.load_input_example(str(tmp_path / "m.model"))
    assert _enforce_schema(example, opened.signature.inputs).shape == (5, 3)
    assert read(tmp_path / "m.model", catalogue).fingerprint, "MLflow left the folder as it was"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_loads_the_model_through_the_loader(mlflow, make, catalogue, tmp_path, monkeypatch):
    """The loader here reads with the test's catalogue; the real one is tested with the flows."""
    from types import ModuleType

    from mlflow import pyfunc

    class Served:
        def __init__(self, path):
            self.model = read(path, catalogue).model

        def predict(self, frame, params=None):
            return self.model.scores_of(frame.to_dict("records"))

    package = make(3)
    write(tmp_path / "m.model", package)
    loader = ModuleType("modelwright.flows.pyfunc")
    loader._load_pyfunc = Served
    monkeypatch.setitem(sys.modules, "modelwright.flows.pyfunc", loader)
    loaded = pyfunc.load_model(str(tmp_path / "m.model"))
    scores = loaded.predict(loaded.input_example)
    assert scores == pytest.approx(package.golden.scores[:5])


@pytest.mark.parametrize(
    ("label_type", "labels", "expected"),
    [
        (LabelType.TEXT, ("a", "b"), "string"),
        (LabelType.INTEGER, ("0", "1"), "long"),
        (LabelType.FLOAT, ("0.5", "1.5"), "double"),
        (LabelType.BOOLEAN, ("False", "True"), "boolean"),
    ],
)
def test_the_answer_has_the_type_of_the_labels(package, label_type, labels, expected):
    task = replace(package.model.task, labels=labels, label_type=label_type)
    made = views(task, package.model.contract, package.manifest, package.golden.records)
    assert json.loads(model_of(made)["signature"]["outputs"])[0]["type"] == expected
