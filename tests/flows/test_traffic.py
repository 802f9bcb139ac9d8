"""Who answers beside the champion is said once, and running services follow without dropping a request."""

from __future__ import annotations

import json
import runpy
import threading
import time
from pathlib import Path

import pytest

import modelwright
from modelwright.core.errors import InvalidSetting, NotAllowed, UnknownModel
from modelwright.flows._registry import registry
from modelwright.flows.audit import verify
from modelwright.flows.traffic import rerouted, traffic
from modelwright.registry.version import TRAFFIC

pytest.importorskip("mlflow")
pytestmark = pytest.mark.slow
SERVICE = runpy.run_path(str(Path(__file__).parents[1] / "service" / "conftest.py"))


@pytest.fixture(scope="module")
def project(churn_model, churn_csv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELWRIGHT_PROJECT", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder)
        modelwright.register(churn_model.path, "churn")
        modelwright.train(
            churn_csv, target="churn", effort=1, seed=3, out=str(folder / "b.model"), threads=1, name="churn"
        )
        registry().crown("churn", 1, expected=None)
        yield folder


def test_it_is_said_changed_and_stopped(project):
    assert traffic("churn") == rerouted("churn")
    said = traffic("churn", canary=2)
    assert (said.canary, said.percent, said.shadow) == (2, 5.0, None)
    assert traffic("churn", percent=20, shadow=2).percent == 20
    assert rerouted("churn").shadow == 2
    assert traffic("churn", canary=0).to_dict() == {"name": "churn", "canary": None, "percent": 0.0, "shadow": 2}
    assert traffic("churn", shadow=0).shadow is None
    actions = [e.action for e in verify().entries]
    assert actions.count("traffic") == 4


def test_what_cannot_be_is_refused_and_changes_nothing(project):
    before = rerouted("churn")
    for wrong, error in (
        ({"canary": 1}, NotAllowed),
        ({"percent": 5.0}, NotAllowed),
        ({"canary": 2, "percent": 0.0}, InvalidSetting),
        ({"canary": 2, "percent": float("nan")}, InvalidSetting),
        ({"shadow": 9}, UnknownModel),
    ):
        with pytest.raises(error):
            traffic("churn", **wrong)
    assert rerouted("churn") == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"canary": "2"}', '{"canary": 2}', '{"canary": 2, "percent": 900}'])
def test_what_another_tool_wrote_there_stands_for_nobody(project, text):
    registry().tag("churn", {TRAFFIC: text})
    assert rerouted("churn").canary is None
    registry().tag("churn", {TRAFFIC: "{}"})


@pytest.mark.server
def test_a_running_service_follows_and_drops_no_request(project, tmp_path):
    running = SERVICE["Running"](project, "churn", "--no-ledger")
    row, versions, failures, is_over = SERVICE["ROW"], [], [], threading.Event()

    def call():
        while not is_over.is_set():
            try:
                versions.append(running.ask("/predict", {"records": [row]})["version"])
            except OSError as error:
                failures.append(error)

    def wait_for(expected):
        until = time.monotonic() + 20
        while set(versions[-20:]) != expected or len(versions) < 20:
            assert time.monotonic() < until, (set(versions[-20:]), running.said())
            time.sleep(0.05)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        wait_for({"1"})
        traffic("churn", canary=2, percent=50)
        wait_for({"1", "2"})
        traffic("churn", canary=0, shadow=2)
        wait_for({"1"})
        listed = running.ask("/metrics").decode()
        assert 'role="shadow",version="2"' in listed or ('role="shadow"' in listed and 'version="2"' in listed)
        traffic("churn", shadow=0)
        time.sleep(2.5)
        assert "modelwright_model{" in running.ask("/metrics").decode()
        assert not [
            line
            for line in running.ask("/metrics").decode().splitlines()
            if "modelwright_model{" in line and "shadow" in line
        ]
    finally:
        is_over.set()
        caller.join()
        running.stop()
    assert failures == []


def test_the_command_tells_it(project):
    from click.testing import CliRunner

    from modelwright.ui.cli import main

    told = json.loads(CliRunner().invoke(main, ["traffic", "churn", "--canary", "2", "--json"]).stdout)
    assert told == {"name": "churn", "canary": 2, "percent": 5.0, "shadow": None}
    assert "answers 5 % (canary)" in CliRunner().invoke(main, ["traffic", "churn"]).stdout
    assert CliRunner().invoke(main, ["traffic", "churn", "--canary", "off"]).exit_code == 0
    assert CliRunner().invoke(main, ["traffic", "churn", "--canary", "two"]).exit_code == 2
