"""Scout: a plug-in that was just installed is found, checked and raced; what is better is named, not adopted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import modelwright
from modelwright.flows.builtin import LEARNERS
from modelwright.flows.scout import listed
from modelwright.ui.cli import main

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "modelwright-squares"
version = "0.1.0"
[project.entry-points."modelwright.learners"]
squares = "modelwright_squares:Squares"
chatty = "modelwright_squares:Chatty"
linear = "modelwright_squares:Squares"
[tool.hatch.build.targets.wheel]
packages = ["modelwright_squares.py"]
"""
PLUG_IN = '''
"""A learner that sees the square of every number beside it."""
import numpy as np
from modelwright.core.errors import InvalidPackage, InvalidSetting
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.state import State
from modelwright.learners.linear import Linear
from modelwright.learners.restoring import restore


class Fitted:
    def __init__(self, inner, power):
        self.inner, self.power = inner, power

    def predict(self, matrix):
        return self.inner.predict(widened(matrix, self.power))

    def state(self):
        return State("squares", {"power": self.power}, parts={"inner": self.inner.state()})


class Squares:
    name, has_rounds = "squares", False
    presets = {"cubed": {"power": 3}}

    def __init__(self, **given):
        if given.keys() - {"power"}:
            raise InvalidSetting("squares knows its power only", got=sorted(given))
        self.power = given.get("power", 2)

    def fit(self, lesson):
        from dataclasses import replace
        exam = lesson.exam and replace(lesson.exam, matrix=widened(lesson.exam.matrix, self.power))
        inner, curve = Linear().fit(replace(lesson, matrix=widened(lesson.matrix, self.power), exam=exam))
        return Fitted(inner, self.power), curve

    @classmethod
    def restore(cls, state):
        if "inner" not in state.parts or type(state.meta.get("power")) is not int:
            raise InvalidPackage("squares holds its inner part and its power")
        return Fitted(restore(state.parts["inner"]), state.meta["power"])


class Chatty(Squares):
    """Its answers depend on the rows beside a row."""
    name = "chatty"

    def fit(self, lesson):
        fitted, curve = super().fit(lesson)
        before = fitted.predict
        fitted.predict = lambda matrix: before(matrix) * 0.5 + before(matrix).mean(axis=0) * 0.5
        return fitted, curve


def widened(matrix, power):
    at = [i for i, f in enumerate(matrix.features) if not f.n_levels]
    more = np.clip(matrix.values[:, at], -1e4, 1e4) ** power
    features = tuple(Feature(f"{matrix.features[i].name}^{power}", matrix.features[i].source) for i in at)
    return Matrix(np.hstack([matrix.values, more]).astype(np.float32), (*matrix.features, *features))
'''


@pytest.fixture(scope="module")
def plug_in(tmp_path_factory) -> Path:
    """A folder into which a plug-in distribution was built and installed."""
    source, target = tmp_path_factory.mktemp("squares"), tmp_path_factory.mktemp("site")
    (source / "pyproject.toml").write_text(PYPROJECT)
    (source / "modelwright_squares.py").write_text(PLUG_IN)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*pip, "--target", str(target), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def bowl(tmp_path_factory):
    """A straight line's model of a table that is a bowl."""
    folder, rng = tmp_path_factory.mktemp("bowl"), np.random.default_rng(0)
    x, z = rng.normal(size=300), rng.normal(size=300)
    y = x**2 + z + 0.3 * rng.normal(size=300)
    table = folder / "bowl.csv"
    lines = [f"{a:.4f},{b:.4f},{c:.4f}" for a, b, c in zip(x, z, y, strict=True)]
    table.write_text("\n".join(["x,z,y", *lines, ""]))
    out = str(folder / "bowl.model")
    return modelwright.train(table, target="y", effort=1, threads=1, out=out)


@pytest.mark.slow
def test_an_installed_plug_in_is_found_checked_and_raced_and_adopted_only_through_the_gate(
    bowl, plug_in, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(plug_in))
    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    modelwright.register(bowl.path, "bowl")
    told = modelwright.scout("bowl@1", budget="30s", threads=1).to_dict()
    found = {c["name"]: c for c in told["contenders"]}
    assert told["champion"]["members"] == ["linear"]
    assert told["champion"]["value"] == pytest.approx(told["champion"]["on_record"], rel=0.05)
    squares = found["squares"]
    assert squares["ended"] == "raced"
    assert squares["alone"]["high"] < 0, "its error is surely smaller"
    assert squares["share"] > 0.5
    assert squares["price"]["fit_seconds"] > 0
    assert squares["price"]["size_bytes"] > 100
    assert found["squares cubed"]["ended"] == "raced"
    assert not found["squares cubed"]["is_surely_better"]
    assert found["chatty"]["ended"] == "breaks promises"
    assert "one_row_answers_as_in_a_batch" in found["chatty"]["reason"]
    assert told["next"].startswith("modelwright scout bowl@1 --train ")
    assert [v["version"] for v in modelwright.models("bowl").to_dict()["versions"]] == [1]
    words = ["scout", "bowl@1", "--train", "squares", "--budget", "20s", "--threads", "1", "--json"]
    made = json.loads(CliRunner().invoke(main, words).output)
    assert (made["version"], made["is_member"]) == (2, True)
    assert modelwright.models("bowl").to_dict()["versions"][-1]["aliases"] == ["challenger"]


def test_the_catalogue_says_what_is_there_and_what_each_needs(plug_in, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(plug_in))
    (tmp_path / "requirements.txt").write_text("numpy==1.0.0 \\\n    --hash=sha256:ab\n")
    told = listed(lock=str(tmp_path / "requirements.txt")).to_dict()
    status = {m["name"]: m["status"] for m in told["methods"]}
    assert status["LightGBM"] == "built in"
    assert status["NGBoost"].startswith("needs a plug-in 'ngboost'")
    assert status["squares"] == "plug-in installed"
    assert set(LEARNERS) <= {m["learner"] for m in told["methods"]}
    numpy = next(d for d in told["dependencies"] if d["name"] == "numpy")
    assert (numpy["locked"], numpy["differs_from"]) == ("1.0.0", ["locked"])
    assert numpy["allowed"].startswith(">=")
    text = listed().summary(100)
    assert "Hollmann et al. (Nature 2025)" in " ".join(text.split())
