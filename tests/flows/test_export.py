"""An export gives the package's answers, or is refused."""

import ast
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from modelwright.core.errors import InvalidSetting, NotExportable, UnwritableOutput
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.flows import export as module
from modelwright.flows.builtin import catalogue
from modelwright.flows.export import export
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.tree_nodes import nodes_of
from modelwright.packaging.reading import read

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def lesson(n_classes, seed=0, n=400):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 4)).astype(np.float32)
    values[:, 3] = rng.integers(0, 12, n)
    values[rng.random((n, 4)) < 0.1] = np.nan
    features = (Feature("a", "a"), Feature("b", "b"), Feature("c", "c"), Feature("level", "level", n_levels=12))
    signal = np.nan_to_num(values[:, 0]) + np.isin(values[:, 3], (1, 4, 7)) + rng.normal(0, 0.3, n)
    ranks = np.argsort(np.argsort(signal))
    target = ranks * n_classes // n if n_classes else signal
    return Lesson(Matrix(values, features), target, n_classes=n_classes)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("calibration", [None, (0.8, 0.1)])
def test_trees_answer_alike_as_onnx(n_classes, calibration):
    from modelwright.learners.blend import Blend
    from modelwright.learners.calibration import Calibrator
    from modelwright.packaging.onnx_view import Member, graph

    given = lesson(n_classes)
    fitted, _ = LightGBM().fit(given)
    calibration = None if calibration is None or not n_classes else (calibration[0], np.full(n_classes, calibration[1]))
    calibrator = None if calibration is None else Calibrator("affine", *calibration)
    blend = Blend([fitted, fitted], np.array([1.0, 2.0]), calibrator)
    members = [Member(nodes_of(m), m.link, m.n_outputs, w) for m, w in zip(blend.members, blend.weights, strict=True)]
    content = graph(members, n_features=4, calibration=calibration, facts={"fingerprint": "x"})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    rows = lesson(n_classes, seed=1).matrix
    rows.values[0] = np.nan
    rows.values[1, 3] = 99  # a code no node knows
    expected = blend.predict(rows)
    scores = session.run(None, {"features": rows.values})[0].reshape(expected.shape)
    assert np.abs(scores - expected).max() < 1e-9
    assert session.get_modelmeta().custom_metadata_map["fingerprint"] == "x"
    assert nodes_of(SimpleNamespace(vectors=None, text=fitted.text, n_outputs=fitted.n_outputs)).members


def test_one_row_of_a_blend_is_answered_as_many_are():
    from modelwright.learners.blend import Blend

    for n_classes in (0, 2, 3):
        fitted, _ = LightGBM().fit(lesson(n_classes))
        blend = Blend([fitted, fitted], np.array([0.3, 0.7]))
        matrix = lesson(n_classes, seed=2).matrix
        alone = np.concatenate([blend.predict(matrix.take(np.array([i]))) for i in range(50)])
        assert np.array_equal(alone, blend.predict(matrix)[:50])


def test_a_package_is_exported_or_it_is_said_why_not(churn_model, tmp_path):
    try:
        done = export(churn_model.path, to="onnx", out=tmp_path / "m.onnx")
    except NotExportable:
        assert not (tmp_path / "m.onnx").exists()
    else:
        assert done.apart < 1e-9
    assert export(churn_model.path, to="mlflow", out=tmp_path / "m").apart == 0.0
    assert (tmp_path / "m" / "MLmodel").exists()
    with pytest.raises(UnwritableOutput):
        export(churn_model.path, to="mlflow", out=tmp_path / "m")
    with pytest.raises(InvalidSetting, match="form"):
        export(churn_model.path, to="pmml")


@pytest.mark.slow
def test_the_script_trains_the_same_model(churn_model, tmp_path):
    done = export(churn_model.path, to="script", out=tmp_path / "again.py")
    ran = subprocess.run([sys.executable, done.path], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().endswith("the same model")


def test_what_a_package_says_of_itself_is_never_code(churn_model, tmp_path):
    package = read(churn_model.path, catalogue())
    evil = 'x"); import os; os.system("id"); ("""'
    options = {**package.manifest.options, "target": evil, "metric": evil, evil: 1}
    data = {**package.manifest.data, "source": evil}
    manifest = replace(package.manifest, options=options, data=data, versions={evil: evil}, version=evil)
    tree = ast.parse(module._script(replace(package, manifest=manifest)))
    imported = [n.names[0].name for n in ast.walk(tree) if isinstance(n, ast.Import)]
    assert sorted(imported) == ["modelwright", "sys"]
