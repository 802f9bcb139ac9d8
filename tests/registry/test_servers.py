"""Real servers behind the registry: PostgreSQL as MLflow's back end, and MLflow's tracking server over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from processes import entry, register_at_once

from modelwright.core.errors import RegistryUnavailable
from modelwright.registry import _recording as recording
from modelwright.registry.home import FOLDER, Home
from modelwright.registry.names import Ref
from modelwright.registry.registry import Registry

pytestmark = [pytest.mark.server, pytest.mark.slow]


def test_eight_processes_on_an_empty_postgres_lose_nothing(empty_database, tmp_path, folder):
    home = Home(tmp_path / FOLDER, empty_database)
    Registry(home).check_ready("churn")  # there are no tables yet
    assert Registry(home).names() == ()
    register_at_once(home, folder, 8, 2)
    registry = Registry(home)
    versions = registry.versions("churn")
    assert [v.number for v in versions] == list(range(1, 17))
    assert {v.fingerprint for v in versions} == {f"p{i}-{k}" for i in range(8) for k in range(2)}
    registry.crown("churn", 3, expected=None)
    registry.crown("churn", 5, expected=3)
    registry.go_back("churn", 3, expected=5)
    assert registry.find(Ref("churn")).number == 3
    assert registry.history("churn") == (3,)
    assert (registry.fetch(versions[0]) / "manifest.json").exists()
    with recording.client_of(home) as client:
        assert client.get_model_version_by_alias("churn", "champion").version in (3, "3")


@pytest.fixture
def server(tmp_path):
    """MLflow's tracking server, which keeps artifacts itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    command += ["--artifacts-destination", str(tmp_path / "kept"), "--serve-artifacts"]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (tmp_path / "server.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, running, tmp_path)
        yield address
    finally:
        os.killpg(running.pid, 15)
        running.wait(20)


def _wait(address, running, tmp_path) -> None:
    for _ in range(480):
        assert running.poll() is None, (tmp_path / "server.log").read_text()[-2000:]
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    pytest.fail("the server did not start")


def test_a_tracking_server_holds_the_registry(server, tmp_path, folder):
    registry = Registry(Home(tmp_path / "project" / FOLDER, server))
    assert registry.names() == ()
    assert registry.register("churn", entry(folder, "a" * 32)).number == 1
    assert registry.register("churn", entry(folder, "b" * 32)).number == 2
    assert [v.fingerprint[0] for v in registry.versions("churn")] == ["a", "b"]
    assert registry.alias("churn", "challenger").number == 2
    assert registry.alias("churn", "champion") is None
    registry.crown("churn", 1, expected=None)
    registry.crown("churn", 2, expected=1)
    assert registry.alias("churn", "challenger") is None
    registry.go_back("churn", 1, expected=2)
    champion = registry.find(Ref("churn"))
    assert (champion.number, champion.aliases, champion.author) == (1, ("champion",), "ada")
    registry.tag("churn", {"modelwright.note": "ünï"}, number=1)
    assert registry.find(Ref("churn")).tags["modelwright.note"] == "ünï"
    # The package lies on the server; it is fetched once, by a process of its own.
    path = registry.fetch(champion)
    assert (path / "manifest.json").read_text() == "{}"
    assert path.parent == tmp_path / "project" / FOLDER / "packages"
    assert registry.fetch(champion) == path


def test_no_server_is_explained(tmp_path):
    with pytest.raises(RegistryUnavailable, match="tracking server answers"):
        Registry(Home(tmp_path / FOLDER, "http://127.0.0.1:9")).names()
