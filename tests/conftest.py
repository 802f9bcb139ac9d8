"""What all tests share: small tables made here, the golden texts, and where the real tables lie."""

from __future__ import annotations

import csv
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"


def pytest_addoption(parser):
    parser.addoption("--bless", action="store_true", help="rewrite the golden texts; then read the diff")


@pytest.fixture
def golden(request):
    """Compare a text with the one kept under ``tests/golden``."""

    def compare(name: str, text: str) -> None:
        path = HERE / "golden" / name
        if request.config.getoption("--bless"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.read_text() == text, f"{path} changed; look at the diff, then run with --bless"

    return compare


@pytest.fixture(scope="session")
def real_tables() -> Path:
    """The folder of real tables; tests that ask for it are skipped where it is absent."""
    if not DATA.exists():
        pytest.skip(f"the real tables are not here ({DATA.name})")
    return DATA


def churn_rows(n: int = 240, seed: int = 0) -> list[dict[str, object]]:
    """Return rows like a customer table: text, numbers with blanks, a category, a date, an identifier, a target."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(0, 72, n)
    contract = rng.choice(["month", "year", "two years"], n, p=[0.5, 0.3, 0.2])
    charge = np.round(rng.normal(65, 20, n).clip(15), 2)
    score = 1.2 * (contract == "month") - 0.06 * tenure + 0.03 * charge - 1.0
    churned = rng.random(n) < 1 / (1 + np.exp(-score))
    return [
        {
            "customer": f"C-{seed}-{i:05d}",
            "tenure": int(tenure[i]),
            "contract": contract[i],
            "charge": "" if i % 17 == 0 else f"{charge[i]:,.2f}",
            "since": f"20{10 + i % 12:02d}-{1 + i % 12:02d}-{1 + i % 28:02d}",
            "churn": "yes" if churned[i] else "no",
        }
        for i in range(n)
    ]


def write_csv(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows as a CSV file and return its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="session")
def churn_csv(tmp_path_factory) -> Path:
    return write_csv(tmp_path_factory.mktemp("churn") / "churn.csv", churn_rows())


@pytest.fixture(scope="session")
def later_csv(tmp_path_factory) -> Path:
    return write_csv(tmp_path_factory.mktemp("later") / "later.csv", churn_rows(80, seed=1))


@pytest.fixture(scope="session")
def house_csv(tmp_path_factory) -> Path:
    rng = np.random.default_rng(3)
    size, age = rng.normal(120, 30, 240).clip(30), rng.integers(0, 80, 240)
    street = rng.choice(["oak", "elm", "ash"], 240)
    price = 2000 * size - 900 * age + 20_000 * (street == "elm") + rng.normal(0, 8000, 240)
    rows = [
        {"size": f"{size[i]:.1f}", "age": int(age[i]), "street": street[i], "price": f"{price[i]:.0f}"}
        for i in range(240)
    ]
    return write_csv(tmp_path_factory.mktemp("house") / "house.csv", rows)


@pytest.fixture(scope="session")
def churn_model(churn_csv, tmp_path_factory):
    """A small model of ``churn_csv``, trained once for all tests that read it."""
    import modelwright

    out = tmp_path_factory.mktemp("model") / "churn.model"
    return modelwright.train(churn_csv, target="churn", effort=2, out=str(out), threads=1)


@pytest.fixture(scope="session")
def house_model(house_csv, tmp_path_factory):
    """A small regression model of ``house_csv``."""
    import modelwright

    out = tmp_path_factory.mktemp("model") / "house.model"
    return modelwright.train(house_csv, target="price", effort=2, out=str(out), threads=1)


@pytest.fixture(scope="session")
def make_churn_rows():
    """The maker of rows like those of ``churn_csv``."""
    return churn_rows


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


@pytest.fixture
def empty_database(postgres):
    """An empty database of that server, for one test; give its URL."""
    import psycopg

    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    return postgres.replace("/postgres?", f"/{name}?")


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
        reset = urllib.request.Request(f"{address}/moto-api/reset", method="POST")  # what an earlier test put there
        urllib.request.urlopen(reset, timeout=10).close()
        put("")
        yield put
    finally:
        server.stop()
