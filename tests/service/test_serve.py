"""A real service: quick to start, light, and nothing is lost while workers die and models change."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
from pathlib import Path

import pytest

import modelwright
from modelwright.core.errors import ServiceUnavailable
from modelwright.core.machine import cores
from modelwright.flows.serve import Serving, serve
from modelwright.registry.ledger import open_ledger

pytestmark = [pytest.mark.server, pytest.mark.slow]
ROW = {"customer": "C-9", "tenure": 5, "contract": "month", "charge": "53.85", "since": "2015-05-05"}
N_REQUESTS = int(os.environ.get("MODELWRIGHT_CHAOS_REQUESTS", "1200"))
HEAVY = ("polars", "sklearn", "pandas", "pyarrow", "scipy", "mlflow", "psycopg", "optuna", "altair")


def ids_in(address):
    ledger = open_ledger(address)
    found = {a.record.id for batch in ledger.read("churn") for a in batch}
    ledger.close()
    return found


def test_it_starts_quickly_stays_light_and_carries_no_workshop(run_service, tmp_path):
    began = time.perf_counter()
    service = run_service("--config", str(quiet(tmp_path)))
    body = service.ask("/predict", {"records": [ROW]})
    seconds = time.perf_counter() - began
    assert body["predictions"] == modelwright.load(Path(service.process.args[4])).predict([ROW])
    assert seconds < 6.0  # 0.5 s on an idle machine; benchmarks/service.py measures it
    maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in [service.pid, *service.children()])
    assert not [name for name in HEAVY if f"/{name}/" in maps]
    pss = sum(
        int(line.split()[1])
        for pid in [service.pid, *service.children()]
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )
    assert pss < 200_000
    wait_until(lambda: body["prediction_ids"][0] in ids_in(tmp_path / ".modelwright" / "ledger.db"))
    assert service.stop() == 0


@pytest.mark.parametrize(("limits", "expected"), [("", min(cores(), 4)), ("[limits]\nrequests_per_second = 50\n", 1)])
def test_a_worker_a_core_answers_and_one_where_tokens_have_a_rate(run_service, tmp_path, limits, expected):
    (tmp_path / "service.toml").write_text(limits)
    service = run_service("--config", str(tmp_path / "service.toml"), "--no-ledger")
    assert len(service.children()) == expected
    assert service.ask("/predict", {"records": [ROW]})["predictions"]
    assert service.stop() == 0


def test_metrics_show_what_watching_saw(run_service, tmp_path):
    service = run_service("--watch", "1s", "--name", "churn")
    service.ask("/predict", {"records": [ROW]})
    wait_until(lambda: b"modelwright_watched_timestamp_seconds{" in service.ask("/metrics"), seconds=60)
    text = service.ask("/metrics").decode()
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and line[0] != "#"}
    assert {"modelwright_alarms_lasting", "modelwright_requests_total", "modelwright_window_rows"} <= names
    assert service.stop() == 0


def quiet(folder):
    path = folder / "service.toml"
    path.write_text("[guard]\nsure_min = 0.0\n[limits]\nstalled_seconds = 1\nheader_bytes = 2000\n")
    return path


def head_of(service, n_bytes):
    lines = ("POST /predict HTTP/1.1", "host: 127.0.0.1", f"authorization: Bearer {service.token}")
    return "\r\n".join([*lines, f"content-length: {n_bytes}", "", ""]).encode()


def wait_until(is_true, seconds=15):
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.05)


def replace_package(link, target):
    beside = link.with_name("beside")
    beside.symlink_to(target)
    beside.replace(link)


class Callers:
    """Clients that keep their connections, and ask again when one breaks, as proxies and clients do."""

    def __init__(self, service, n_requests, n_callers=8, seconds=0.0):
        self.pause = seconds * n_callers / n_requests
        self.service, self.n_left, self.lock = service, n_requests, threading.Lock()
        self.acknowledged, self.versions, self.failures, self.n_again = [], set(), [], 0
        self.threads = [threading.Thread(target=self.call) for _ in range(n_callers)]
        for thread in self.threads:
            thread.start()

    def take(self):
        with self.lock:
            self.n_left -= 1
            return self.n_left >= 0

    def call(self):
        host = self.service.url.removeprefix("http://")
        headers = {"Authorization": f"Bearer {self.service.token}", "Content-Type": "application/json"}
        body = json.dumps({"records": [ROW]})
        connection = http.client.HTTPConnection(host, timeout=20)
        while self.take():
            time.sleep(self.pause)
            for _ in range(50):
                try:
                    connection.request("POST", "/predict", body, headers)
                    reply = connection.getresponse()
                    answer = json.loads(reply.read())
                except (OSError, http.client.HTTPException):
                    connection.close()
                    with self.lock:
                        self.n_again += 1
                    continue
                with self.lock:
                    if reply.status == 200 and answer["recorded"]:
                        self.acknowledged += answer["prediction_ids"]
                        self.versions.add(answer["version"])
                    else:
                        self.failures.append((reply.status, answer))
                break
            else:
                self.failures.append("never answered")
        connection.close()

    def finish(self):
        for thread in self.threads:
            thread.join(240)


def ledger_address(kind, request, tmp_path):
    return str(tmp_path / "ledger.db") if kind == "sqlite" else request.getfixturevalue("postgres")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_is_lost_while_workers_are_killed_and_models_change(
    kind, request, run_service, tmp_path, churn_csv, churn_model
):
    other = tmp_path / "other.model"
    modelwright.train(churn_csv, target="churn", effort=1, seed=5, out=str(other), threads=1)
    link = tmp_path / "churn.model"
    link.symlink_to(churn_model.path)
    address = ledger_address(kind, request, tmp_path)
    service = run_service("--workers", "2", "--ledger", address, package=link)
    callers = Callers(service, N_REQUESTS, seconds=11.0)
    n_killed = 0
    for turn in range(10):
        replace_package(link, other if turn % 2 == 0 else churn_model.path)
        time.sleep(1.1)
        if turn % 2 == 0 and any(t.is_alive() for t in callers.threads):
            # The clerk is the last that was started at first; any of them may die.
            os.kill(service.children()[turn // 2 % len(service.children())], signal.SIGKILL)
            n_killed += 1
    callers.finish()
    assert service.stop() == 0, service.said()
    assert callers.failures == []
    assert len(callers.acknowledged) == N_REQUESTS
    assert n_killed >= 4
    assert len(callers.versions) == 2
    missing = set(callers.acknowledged) - ids_in(address)
    assert not missing, f"{len(missing)} of {N_REQUESTS}"


def test_a_worker_that_is_replaced_breaks_no_connection(run_service):
    service = run_service("--workers", "2")
    callers = Callers(service, 600)
    for _ in range(2):
        time.sleep(0.3)
        os.kill(service.pid, signal.SIGHUP)
        time.sleep(1.2)
    callers.finish()
    assert callers.failures == []
    assert callers.n_again == 0
    assert len(set(callers.acknowledged)) == 600
    assert service.said().count("process ended") >= 2


def test_what_is_in_flight_is_answered_before_it_ends(run_service):
    service = run_service()
    host, port = service.url.removeprefix("http://").split(":")
    body = json.dumps({"records": [ROW] * 50}).encode()
    head = head_of(service, len(body))
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(head + body[:100])
        time.sleep(0.2)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        caller.sendall(body[100:])
        reply = b""
        while part := caller.recv(65536):
            reply += part
    assert reply.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in reply
    assert service.stop() == 0


def test_a_damaged_package_is_not_taken_up(run_service, tmp_path, churn_model):
    link = tmp_path / "churn.model"
    link.symlink_to(churn_model.path)
    service = run_service("--workers", "1", package=link)
    bad = tmp_path / "bad"
    bad.mkdir()
    for path in Path(churn_model.path).iterdir():
        (bad / path.name).write_bytes(path.read_bytes())
    (bad / "state.json").write_bytes(b"{}")
    replace_package(link, bad)
    wait_until(lambda: "not taken up" in service.said())
    assert service.ask("/predict", {"records": [ROW]})["version"] == service.version
    assert b"modelwright_reload_failures_total 1.0" in service.ask("/metrics")


def test_tokens_are_rotated_while_it_runs(run_service, tmp_path):
    file = str(tmp_path / "tokens.json")
    first = modelwright_command("token", "new", "a", "--scope", "predict", "--file", file)
    service = run_service("--tokens", file)
    assert service.ask("/version", token=first)
    second = modelwright_command("token", "new", "b", "--scope", "predict", "--file", file)
    assert first not in Path(file).read_text()

    def status(token):
        try:
            return service.ask("/version", token=token) and 200
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    wait_until(lambda: status(second) == 200)
    assert status(first) == 200
    modelwright_command("token", "revoke", "a", "--file", file)
    wait_until(lambda: status(first) == 401)
    assert status(second) == 200


def modelwright_command(*words):
    import sys

    done = subprocess.run([sys.executable, "-m", "modelwright.ui", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_canary_and_shadow_stop_when_their_tables_go(run_service, tmp_path, churn_model):
    config = tmp_path / "service.toml"
    table = f'package = "{churn_model.path}"\n'
    config.write_text(f"[canary]\n{table}percent = 100\n[shadow]\n{table}")
    service = run_service("--config", str(config))
    service.ask("/predict", {"records": [ROW]})
    text = service.ask("/metrics").decode()
    assert 'modelwright_rows_total{role="canary"} 1.0' in text
    config.write_text("")
    wait_until(lambda: 'role="canary",version' not in service.ask("/metrics").decode())
    before = service.ask("/metrics").decode().count('role="champion"')
    service.ask("/predict", {"records": [ROW]})
    text = service.ask("/metrics").decode()
    assert before
    assert 'modelwright_rows_total{role="champion"} 1.0' in text


def test_it_is_only_open_to_others_with_a_chosen_token(churn_model, monkeypatch, tmp_path):
    monkeypatch.delenv("MODELWRIGHT_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    for options in ({}, {"is_open": True}, {"is_open": True, "token": "0123456789abcdef"}):
        with pytest.raises(ServiceUnavailable, match="token"):
            serve(churn_model.path, Serving(host="0.0.0.0", **options))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServiceUnavailable, match="free"):
            serve(churn_model.path, Serving(port=taken.getsockname()[1]))


def test_stalled_senders_and_endless_headers_are_let_go(run_service, tmp_path):
    service = run_service("--config", str(quiet(tmp_path)))
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\n")
        assert slow.recv(1000) == b""
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(head_of(service, 9) + b"{")
        assert slow.recv(1000) == b""
    with socket.create_connection((host, int(port)), timeout=10) as greedy:
        greedy.sendall(b"GET / HTTP/1.1\r\n" + b"x-filler: " + b"a" * 3000 + b"\r\n")
        assert greedy.recv(1000).startswith(b"HTTP/1.1 431")
    assert service.ask("/health/live") == {"live": True}


def test_tls_by_file(run_service, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2"]
    done = subprocess.run(
        [*map(str, made), "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("openssl is not here")
    service = run_service("--tls-cert", str(cert), "--tls-key", str(key))
    host, port = service.url.removeprefix("https://").split(":")
    connection = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=str(cert)))
    connection.request("GET", "/health/ready")
    assert connection.getresponse().read() == b'{"ready":true}'
    connection.close()


def test_mlflows_own_client_is_answered(run_service, later_csv):
    client = pytest.importorskip("mlflow.pyfunc.scoring_server.client")
    pd = pytest.importorskip("pandas")
    service = run_service("--no-token")
    host, port = service.url.removeprefix("http://").split(":")
    scoring = client.ScoringServerClient(host, int(port))
    scoring.ping()
    frame = pd.read_csv(later_csv).drop(columns="churn").head(5)
    answered = scoring.invoke(frame).get_predictions()
    expected = modelwright.load(Path(service.process.args[4])).predict(frame)
    assert answered["prediction"].tolist() == list(expected)
