"""The seventeen classes of holes found in tools like this one, each with what stands against it."""

import ast
import io
import json
import os
import re
import stat
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelwright.core.errors import InvalidPackage, InvalidSetting, ModelwrightError, ServiceUnavailable
from modelwright.flows.builtin import catalogue
from modelwright.flows.serve import Serving, serve
from modelwright.packaging.reading import read
from modelwright.service import bodies, page, routes
from modelwright.service.limits import Limits
from modelwright.service.tokens import Keyring, Token, check_token, digest_of, new_token, write

SOURCE = Path(routes.__file__).parents[1]
OPEN = {"page", "live", "ready", "ping", "v2_live", "v2_ready"}
"""The only doors without a token: they tell whether a process runs, and a page without a word about the model."""


EVERY = [(r, r.path.replace("{name}", "churn").replace("{version}", "1")) for r in routes.ROUTES]


@pytest.mark.parametrize(("route", "path"), EVERY, ids=lambda v: v if isinstance(v, str) else v.method)
def test_17_every_route_without_a_token(desk, route, path):
    status, headers, body = desk.ask(route.method, path, b"{}", token=None)
    if route.name in OPEN:
        assert status == 200
        assert desk.package.fingerprint not in str(body)
        assert "tenure" not in str(body)
    else:
        assert status == 401
        assert headers[b"www-authenticate"] == b"Bearer"
        assert desk.ask(route.method, path, b"{}", token="wrong-0123456789")[0] == 401


def test_17_what_has_no_route_needs_a_token_too(desk):
    for path in ("/admin", "/docs", "/v2/repository/models/churn/load", "//", "/predict/", "/Predict", "/predict%2f"):
        assert desk.ask("GET", path, token=None)[0] == 401
        assert desk.ask("GET", path)[0] in (404, 405)


@pytest.mark.parametrize(("route", "path"), EVERY, ids=lambda v: v if isinstance(v, str) else v.method)
def test_17_a_token_opens_what_it_is_for(desk, route, path):
    for scope in ("predict", "label"):
        status = desk.ask(route.method, path, b"{}", token=scope)[0]
        assert (status == 403) == (bool(route.scope) and route.scope != scope)


def imported():
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            yield from ((path, name) for name in names)


def test_1_nothing_that_runs_what_it_reads_is_imported():
    barred = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve", "skops"}
    assert [(p.name, n) for p, n in imported() if n.split(".")[0] in barred] == []


def test_2_bodies_are_of_a_fixed_list_of_kinds(desk):
    assert set(bodies.KINDS.values()) == {bodies.JSON, bodies.CSV, bodies.PARQUET}
    for kind in ("application/x-pickle", "application/octet-stream", "application/x-python", "text/html", "a" * 500):
        assert desk.ask("POST", "/predict", b"cos\nsystem\n(S'id'\ntR.", kind=kind)[0] == 415
    packed = [(b"content-encoding", b"gzip")]
    assert desk.ask("POST", "/predict", b"{}", headers=packed)[0] == 415


def test_3_there_is_one_loader_and_no_switch():
    served = [p.read_text() for p in (SOURCE / "service").glob("*.py")]
    assert sum("packaging.reading import read" in text for text in served) == 1
    assert not any("replay=False" in text or "ALLOW_" in text for text in served)


def test_4_and_5_a_package_names_no_parts_and_no_paths_of_its_own(churn_model, tmp_path):
    for name in ("../escape", "/etc/cron.d/x", "blob_0.bin/../../x"):
        folder = tmp_path / re.sub(r"\W", "_", name)
        folder.mkdir()
        for path in Path(churn_model.path).iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        state = json.loads((folder / "state.json").read_text())
        text = json.dumps(state).replace('"plan"', json.dumps(name))
        (folder / "state.json").write_text(text)
        with pytest.raises(ModelwrightError):
            read(folder, catalogue())
    linked = tmp_path / "linked"
    linked.mkdir()
    for path in Path(churn_model.path).iterdir():
        (linked / path.name).symlink_to(path) if path.name == "golden.json" else (linked / path.name).write_bytes(
            path.read_bytes()
        )
    with pytest.raises(InvalidPackage):
        read(linked, catalogue())


def test_6_names_are_names_and_no_addresses(desk):
    for name in ("..", "%2e%2e", "churn#x", "churn?x=1", "churn;v=2", "a" * 65, "file:", "čurn", ""):
        assert desk.ask("GET", f"/v2/models/{name}")[0] == 404
        assert desk.ask("GET", f"/v2/models/churn/versions/{name}")[0] == 404
    with pytest.raises(InvalidSetting, match="letters"):
        Serving(name="../x")


def test_7_the_service_asks_nobody(desk):
    barred = {"urllib", "http.client", "requests", "httpx", "socket", "ftplib", "aiohttp"}
    found = {(p.name, n) for p, n in imported() if p.parent.name == "service" and n in barred}
    assert found - {("accepting.py", "socket")} == set()  # for the type of the socket it is handed
    row = {"tenure": "http://169.254.169.254/latest/meta-data", "contract": "file:///etc/passwd"}
    assert desk.ask("POST", "/predict", {"records": [row]})[0] == 200


def test_8_nothing_loads_or_changes_a_model_over_http(desk):
    assert {r.method for r in routes.ROUTES} == {"GET", "POST"}
    assert {r.name for r in routes.ROUTES if r.method == "POST"} == {"predict", "labels", "invocations", "v2_infer"}
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "POST"):
        assert desk.ask(method, "/v2/models/churn")[0] in (404, 405)


def test_8_and_9_no_default_secret_and_none_but_a_chosen_one_off_loopback(churn_model, monkeypatch):
    monkeypatch.delenv("MODELWRIGHT_TOKEN", raising=False)
    assert Serving().host == "127.0.0.1"
    assert Serving().token is None
    with pytest.raises(ServiceUnavailable):
        serve(churn_model.path, Serving(host="0.0.0.0"))
    for weak in ("", "admin", "password1234", "with spaces 012345678"):
        with pytest.raises(InvalidSetting):
            check_token(weak)
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) >= 43


def test_9_tokens_are_kept_as_hashes_for_their_owner(tmp_path):
    token, file = new_token(), tmp_path / "tokens.json"
    write(file, (Token("a", digest_of(token), ("predict",)), Token("b", digest_of("b" * 20), ("label",), expires=1.0)))
    assert token not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keyring = Keyring(path=file)
    assert keyring.find(b"Bearer " + token.encode()).scopes == ("predict",)
    assert keyring.find(b"bearer " + token.encode()) is not None
    for wrong in (None, b"", b"Basic " + token.encode(), b"Bearer ", b"Bearer " + b"b" * 20, token.encode()):
        assert keyring.find(wrong) is None
    file.write_text("{}")
    os.utime(file, (1, 1))
    keyring.refresh()
    assert keyring.find(b"Bearer " + token.encode()) is not None  # a broken file shuts nobody out


def test_10_other_pages_cannot_ask_in_a_visitors_name(desk):
    for host, status in (
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("model.example", 200),
        ("[::1]:80", 200),
    ):
        assert desk.ask("GET", "/", token=None, host=host)[0] == status
    _, headers, _ = desk.ask("GET", "/", token=None)
    policy = headers[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers[b"x-frame-options"] == b"DENY"
    assert not any(name.startswith(b"access-control") for name in headers)
    assert desk.ask("OPTIONS", "/predict", headers=[(b"origin", b"https://evil.example")])[0] == 405


def test_11_nothing_is_evaluated():
    for path in SOURCE.rglob("*.py"):
        calls = [
            n.func.id
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        ]
        assert not {"eval", "exec", "compile", "__import__"} & set(calls), path


def test_13_the_page_writes_data_as_text_and_asks_nobody_else():
    text = page.content().decode()
    assert "innerHTML" not in text
    assert "document.write" not in text
    assert not re.findall(r"""(?:src|href)=|https?://""", text)


def bombs():
    texts = pl.DataFrame({"tenure": ["x" * 100_000] * 2_000})
    numbers = pl.DataFrame({f"c{i}": np.zeros(200_000) for i in range(3)})
    for frame in (texts, numbers):
        file = io.BytesIO()
        frame.write_parquet(file, compression="zstd")
        yield file.getvalue()


def test_14_what_unfolds_to_much_is_not_unfolded(desk):
    for bomb in bombs():
        assert len(bomb) < 1_000_000
        assert desk.ask("POST", "/predict", bomb, kind="application/vnd.apache.parquet")[0] == 413
    deep = b'{"records": [' + b"[" * 200_000 + b"]" * 200_000 + b"]}"
    assert desk.ask("POST", "/predict", deep)[0] in (400, 422)
    for value in ("1e308", "-1e999", "9" * 400, "NaN", '"' + "a" * 100_000 + '"', '"1' + "0" * 5000 + '"'):
        body = b'{"records": [{"tenure": ' + value.encode() + b"}]}"
        status, _, answer = desk.ask("POST", "/predict", body)
        assert status in (200, 400, 422), value[:20]
        if status == 200:
            assert all(np.isfinite(p) for p in answer["probabilities"][0].values())
    assert desk.ask("POST", "/predict", b"a" + b",b" * 20_000, kind="text/csv")[0] in (400, 413)
    tensor = {"name": "tenure", "shape": [2**62, 2**62], "datatype": "FP64", "data": [1.0]}
    assert desk.ask("POST", "/v2/models/churn/infer", {"inputs": [tensor]})[0] == 422


def test_15_no_cell_and_no_token_reaches_log_or_answer(make_desk, monkeypatch):
    desk = make_desk(limits=Limits(rows=1))
    secret = "Jane-Doe-4711"
    bodies_sent = [{"records": [{"contract": secret}, {}]}, {"records": [{"contract": [secret]}]}, {"records": secret}]
    for body in bodies_sent:
        _, _, answer = desk.ask("POST", "/predict", body)
        assert secret not in json.dumps(answer)
    desk.ask("POST", "/predict", f"tenure\n{secret},1\n".encode(), kind="text/csv")

    def stumble(admitted, scores):
        raise ValueError(secret)

    monkeypatch.setattr(desk.scorer, "finish", stumble)
    status, _, answer = desk.ask("POST", "/predict", {"records": [{"contract": secret}]})
    assert status == 500
    said = desk.log.getvalue()
    assert "defect" in said
    assert secret not in said + json.dumps(answer)
    assert "0123456789abcdef" not in said


def test_16_libraries_are_pinned_by_hash():
    lock = (SOURCE.parents[1] / "requirements" / "dev.txt").read_text()
    for name in ("uvicorn", "msgspec", "httptools", "uvloop", "prometheus-client"):
        assert re.search(rf"^{name}==.*\\$", lock, re.MULTILINE), name
