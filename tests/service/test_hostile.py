"""What strangers send: whatever it is, it ends in an answer or a refusal, runs nothing, and takes no memory."""

from __future__ import annotations

import io
import json
import pickle
import socket
import tracemalloc
import zipfile
from pathlib import Path

import polars as pl
import pytest

import modelwright
from modelwright.core.errors import ModelwrightError
from modelwright.service.limits import Limits

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
DOORS = ("/predict", "/invocations", "/v2/models/churn/infer", "/labels")
ROW = {"customer": "C-9", "tenure": 5, "contract": "month", "charge": "53.85", "since": "2015-05-05"}
MEGABYTES = 2**20


class Planted:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def parquet(frame, **options):
    file = io.BytesIO()
    frame.write_parquet(file, **options)
    return file.getvalue()


def zipped(content, size=0):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/x", content or b"\x00" * size)
    return file.getvalue()


def json_bodies():
    yield from (b"", b" ", b"null", b"1", b"[]", b"{}", b'"x"', b"{", b'{"records": ', b"\xff\xfe\x00", b"\x00" * 1000)
    yield from (
        b'{"records": [{"tenure": "\xed\xa0\x80"}]}',
        b'{"records": [{"\xc3\x28": 1}]}',
        b'\xef\xbb\xbf{"records": []}',
    )
    yield from (
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"records": [' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]}",
    )
    numbers = (
        "1e400",
        "-1e400",
        "9" * 5000,
        "0." + "1" * 5000,
        "1e-400",
        "NaN",
        "Infinity",
        "-Infinity",
        "0x10",
        "1_000",
        "01",
    )
    for number in numbers:
        yield b'{"records": [{"tenure": %b}]}' % number.encode()
        yield b'{"records": [{"tenure": "%b"}]}' % number.encode()
        yield b'{"dataframe_records": [{"tenure": %b}]}' % number.encode()
        yield b'{"inputs": [{"name": "tenure", "shape": [1], "datatype": "FP64", "data": [%b]}]}' % number.encode()
        yield b'{"labels": [{"prediction_id": "%b", "value": "x", "time": %b}]}' % (b"0" * 32, number.encode())
    for value in ([1], {"a": 1}, [[[]]], {"__class__": "os.system"}, {"$ref": "file:///etc/passwd"}):
        yield json.dumps({"records": [{"tenure": value}]}).encode()
    yield b'{"records": [{"tenure": 1, "tenure": 2, "tenure": "x"}]}'
    yield json.dumps({"records": [{f"c{i}": i for i in range(20_000)}]}).encode()
    yield json.dumps({"records": [ROW] * 10, "explain": "yes"}).encode()
    yield json.dumps({"records": [ROW] * 200, "explain": True}).encode()
    yield json.dumps({"records": [{**ROW, "contract": "\u202e\x00\r\nSet-Cookie: a=b"}]}).encode()
    yield json.dumps({"inputs": [{"name": "x" * 10_000, "shape": [-1], "datatype": "FP64", "data": []}]}).encode()
    yield json.dumps({"inputs": [{"name": "a", "shape": [2**62, 2**62], "datatype": "FP64", "data": []}]}).encode()
    yield json.dumps({"dataframe_split": {"columns": ["a"] * 5000, "data": [[1] * 5000]}}).encode()
    yield json.dumps({"inputs": {"a": [1] * 10, "b": []}}).encode()
    yield json.dumps({"labels": [{"prediction_id": "../../x", "value": "Yes"}]}).encode()


def csv_bodies():
    yield from (
        b"",
        b"\n",
        b"\n\n\n",
        b"a,a\n1,2\n",
        b",\n,\n",
        b'"a\n1',
        b'a\n"1""',
        b"a\r1\r",
        b"\x00,\x00\n1,2\n",
        b"\xff\xfe",
    )
    yield from (
        b"tenure\n" + b"9" * 200_000,
        b"tenure\n" + b"1\n" * 20_000,
        b"a" * 140_000 + b"\n1\n",
        b"a," * 20_000 + b"\n",
    )
    yield from (
        b"tenure\n=cmd|' /C calc'!A0\n",
        b"tenure;charge\n1;2\n",
        b"tenure\n" + b'"' * 10_001,
        b"prediction_id,value\nx,y\n",
    )


def parquet_bodies():
    sound = parquet(pl.DataFrame([ROW] * 3))
    yield from (
        b"",
        b"PAR1",
        b"PAR1PAR1",
        b"PAR1" + b"\x00" * 100 + b"PAR1",
        sound[:-1],
        sound[:40],
        sound[4:],
        sound + sound,
    )
    for at in range(8, len(sound) - 8, max(len(sound) // 60, 1)):
        yield sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :]
    yield parquet(pl.DataFrame({"tenure": [0]}).select(pl.col("tenure").repeat_by(3)))
    yield parquet(pl.DataFrame({"a": [{"b": {"c": 1}}]}))
    yield parquet(pl.select(pl.repeat(0, 3_000_000, dtype=pl.Int64).alias("tenure")), compression="zstd")
    yield parquet(pl.select(pl.repeat("a" * 60_000, 5_000).alias("contract")), compression="zstd")
    yield parquet(pl.DataFrame({f"c{i}": [0] for i in range(12_000)}))
    yield parquet(pl.DataFrame({"tenure": [float("nan"), float("inf"), -0.0]}))
    yield parquet(pl.DataFrame({"charge": [b"\x80\x04K\x01."]}))


def bodies(tmp_path):
    loads = [pickle.dumps(Planted(tmp_path / "ran"), protocol) for protocol in range(6)]
    strangers = [
        *loads,
        zipped(b"x"),
        zipped(b"", 50 * MEGABYTES),
        b"\x93NUMPY\x01\x00",
        b"\x1f\x8b\x08\x00" * 10,
        b"MZ\x90",
        b"<!DOCTYPE x [<!ENTITY a '&a;'>]>",
    ]
    for kind, some in ((JSON, json_bodies()), (CSV, csv_bodies()), (PARQUET, parquet_bodies())):
        yield from ((kind, body) for body in [*some, *strangers])
    for kind in (
        "",
        "application/x-python-pickle",
        "application/json; charset=utf-16",
        "TEXT/CSV ",
        "a/b;" * 1000,
        "application/json\t",
    ):
        yield from ((kind, body) for body in strangers[:3])


def test_no_body_breaks_it_runs_or_takes_memory(desk, tmp_path):
    seen = set()
    tracemalloc.start()
    try:
        for kind, body in bodies(tmp_path):
            for door in DOORS:
                status, _, answer = desk.ask("POST", door, body, kind=kind)
                seen.add(status)
                assert status < 500, (door, kind, body[:80], answer)
                if status == 200 and door == "/predict":
                    assert b"NaN" not in json.dumps(answer).encode()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "ran").exists()
    assert peak < 150 * MEGABYTES
    assert seen >= {200, 400, 413, 415, 422}
    assert "defect" not in desk.log.getvalue()


def test_no_package_runs_what_it_holds(churn_model, tmp_path):
    sound = {p.name: p.read_bytes() for p in Path(churn_model.path).iterdir()}
    load = pickle.dumps(Planted(tmp_path / "ran"))
    for name in sound:
        for content in (
            load,
            load + sound[name],
            zipped(load),
            b"import os; os.system('id')",
            b"!!python/object/apply:os.system ['id']",
        ):
            folder = tmp_path / "package"
            folder.mkdir(exist_ok=True)
            for other, kept in sound.items():
                (folder / other).write_bytes(content if other == name else kept)
            with pytest.raises(ModelwrightError):
                modelwright.load(folder)
    assert not (tmp_path / "ran").exists()


# On the wire

BODY = json.dumps({"records": [ROW]}).encode()


def request(service, *headers, line="POST /predict HTTP/1.1", body=BODY, length=True):
    lines = [
        line,
        "Host: 127.0.0.1",
        f"Authorization: Bearer {service.token}",
        "Content-Type: application/json",
        *headers,
    ]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def sent(service, data, *, close=True):
    """Return all that comes back until the connection is closed."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as caller:
        caller.sendall(data)
        if close:
            caller.shutdown(socket.SHUT_WR)
        reply = b""
        try:
            while part := caller.recv(65536):
                reply += part
        except (TimeoutError, ConnectionResetError):
            pass
    return reply


def statuses(reply):
    return [int(part[:3]) for part in reply.split(b"HTTP/1.1 ")[1:]]


def chunked(body):
    return (
        b"".join(b"%x\r\n%b\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7))
        + b"0\r\n\r\n"
    )


@pytest.mark.server
@pytest.mark.slow
def test_tricks_with_headers_end_in_a_refusal_or_one_answer(run_service, tmp_path):
    config = tmp_path / "service.toml"
    config.write_text("[limits]\nstalled_seconds = 1\n")
    service = run_service("--config", str(config))
    ask = lambda *headers, **options: request(service, *headers, **options)  # noqa: E731
    tricks = [
        ask(f"Content-Length: {len(BODY)}"),
        ask("Content-Length: 0"),
        ask("Transfer-Encoding: chunked"),
        ask("Transfer-Encoding: chunked", length=False, body=chunked(BODY)),
        ask("Transfer-Encoding: xchunked", length=False),
        ask("Transfer-Encoding: chunked", length=False, body=b"fffffffffffffffff\r\nx"),
        ask("Content-Length: -1", length=False),
        ask("Content-Length: +5", length=False),
        ask("Content-Length: 99999999999999999999999", length=False),
        ask("Content-Length: 9000000", length=False),
        ask("Host: evil.example"),
        ask("Authorization: Bearer wrong"),
        ask("Content-Encoding: gzip"),
        ask("Expect: 100-continue"),
        ask("Upgrade: websocket", "Connection: Upgrade"),
        ask("Connection: close"),
        ask("X: a\x00b"),
        ask("X: " + "a" * 40_000),
        ask(*[f"X{i}: 1" for i in range(3000)]),
        ask(" folded: 1"),
        ask("no colon"),
        ask(line="POST http://evil.example/predict HTTP/1.1"),
        ask(line="POST /predict?x=1 HTTP/1.1"),
        ask(line="POST /predict#x HTTP/1.1"),
        ask(line="POST //predict HTTP/1.1"),
        ask(line="POST /%70redict HTTP/1.1"),
        ask(line="POST /predict HTTP/1.0"),
        ask(line="POST /predict HTTP/9.9"),
        ask(line="post /predict HTTP/1.1"),
        ask(line="POST /predict"),
        ask(line="PRI * HTTP/2.0"),
        ask(line="CONNECT x:1 HTTP/1.1"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"\r\n" * 1000,
        b"\x00" * 1000,
    ]
    for trick in tricks:
        got = statuses(sent(service, trick))
        assert len(got) <= 1 or got[0] == 100, (trick[:100], got)
        assert all(status < 500 for status in got), (trick[:100], got)
    assert service.ask("/predict", {"records": [ROW]})["recorded"] is True
    assert "defect" not in service.said()


@pytest.mark.server
@pytest.mark.slow
def test_requests_sent_ahead_are_answered_in_their_order(run_service):
    service = run_service()
    live = request(service, line="GET /health/live HTTP/1.1", body=b"")
    many = request(service, body=json.dumps({"records": [ROW] * 3}).encode())
    pieces = request(service, "Transfer-Encoding: chunked", length=False, body=chunked(BODY))
    wrong = request(service, body=b"{")
    order = [request(service), many, live, request(service), pieces, wrong, request(service), many, live]
    last = request(service, "Connection: close")
    for n in (1, 7, 400, 10**6):
        reply = b""
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as caller:
            data = b"".join([*order, last])
            for i in range(0, len(data), n):
                caller.sendall(data[i : i + n])
            while part := caller.recv(65536):
                reply += part
        assert statuses(reply) == [200, 200, 200, 200, 200, 400, 200, 200, 200, 200], n
        counts = [part.count(b'"No"') + part.count(b'"live"') for part in reply.split(b"HTTP/1.1 ")[1:]]
        assert counts[2] == counts[8] == 1
        assert counts[1] == counts[7] == 3 * counts[0]
    assert service.stop() == 0


@pytest.mark.server
@pytest.mark.slow
def test_the_quick_way_answers_as_the_other(run_service, later_csv):
    service = run_service()
    rows = [
        {k: v for k, v in row.items() if k != "churn"}
        for row in pl.read_csv(later_csv, infer_schema=False).to_dicts()[:20]
    ]
    rows += [{}, {"tenure": "x"}, {**ROW, "extra": 1}, {**ROW, "tenure": 10**9}, {**ROW, "contract": "decade"}]
    for row in rows:
        body = json.dumps({"records": [row]}).encode()
        quick = sent(service, request(service, body=body))
        pieces = request(service, "Transfer-Encoding: chunked", "Connection: close", length=False, body=chunked(body))
        usual = sent(service, pieces, close=False)
        told = [reply.partition(b"\r\n\r\n") for reply in (quick, usual)]
        first, second = (json.loads(content) for _, _, content in told)
        assert first.pop("prediction_ids") != second.pop("prediction_ids")
        assert first == second
        heads = [sorted(line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]) for head, _, _ in told]
        assert [h for h in heads[1] if h != b"connection"] == heads[0] == [b"content-length", b"content-type", b"date"]


def test_what_is_small_and_in_order_is_taken_and_nothing_else(make_desk):
    desk = make_desk(limits=Limits(body_bytes=1000))
    token = b"Bearer predict-0123456789abcdef"
    good = [
        (b"host", b"127.0.0.1"),
        (b"content-type", b"application/json"),
        (b"authorization", token),
        (b"content-length", b"50"),
    ]
    assert desk.app.quick.takes(good)
    for other in (
        [*good, (b"host", b"127.0.0.1")],
        [*good, (b"content-encoding", b"gzip")],
        [*good, (b"transfer-encoding", b"chunked")],
        [*good, (b"expect", b"100-continue")],
        [*good[:3], (b"content-length", b"1001")],
        [*good[:3], (b"content-length", b"-1")],
        good[:3],
        [*good[:2], (b"authorization", b"Bearer label-0123456789abcdef"), good[3]],
        [*good[:2], good[3]],
        [(b"host", b"evil.example"), *good[1:]],
        [good[0], (b"content-type", b"text/csv"), *good[2:]],
    ):
        assert not desk.app.quick.takes(other)
    slow = make_desk(limits=Limits(requests_per_second=5))
    assert not slow.app.quick.takes(good)
