"""Real servers and files for the tests of the data room."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import pytest

AS_USERS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root; then it runs as the first of these that exists."""


@pytest.fixture(scope="session")
def postgres():
    """Start a throw-away PostgreSQL that listens on a socket in its own folder only; give its URL."""
    tools = _postgres_tools()
    if tools is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    user = _other_user() if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="mw-pg-"))
    if user:
        os.chown(home, pwd.getpwnam(user).pw_uid, -1)

    def call(*command: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(home)}
        done = subprocess.run(
            command, user=user, cwd=home, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    cluster, log = str(home / "cluster"), str(home / "log")
    options = f"-k {home} -c listen_addresses='' -c fsync=off"
    try:
        call(str(tools / "initdb"), "-D", cluster, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        call(str(tools / "pg_ctl"), "-D", cluster, "-l", log, "-o", options, "-w", "-t", "60", "start")
        try:
            yield f"postgresql://tester@/postgres?host={home}"
        finally:
            call(str(tools / "pg_ctl"), "-D", cluster, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _postgres_tools() -> Path | None:
    folders = [Path(p) for p in os.environ.get("PATH", "").split(os.pathsep) if p]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


def _other_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    found = next((name for name in AS_USERS if name in known), None)
    if found is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no other user to run it as")
    return found


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
