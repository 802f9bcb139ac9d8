"""Real servers and files for the tests of the data room."""

from __future__ import annotations

import urllib.request

import pytest


@pytest.fixture
def bucket(monkeypatch):
    """Start an S3 server with an empty bucket; give a function that puts an object there and returns its URL."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"

    def put(key: str, content: bytes = b"") -> str:
        header = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(f"{address}/rows/{key}", data=content, method="PUT", headers=header)
        urllib.request.urlopen(request, timeout=10).close()
        return f"s3://rows/{key}"

    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    try:
        put("")
        yield put
    finally:
        server.stop()
