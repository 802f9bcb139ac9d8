"""The service against a bare application on the same server, and against its peers.

The bare application parses and answers the same JSON without a model; beside it the same application asks the model
and does nothing else: no token, no contract, no ledger, no count. With --mlflow and --bento MLflow's scoring server and
BentoML answer for the same model, in one run.

python benchmarks/service.py churn.model [--rounds 3] [--seconds 5] [--out benchmarks/results/service.md]
    [--mlflow] [--plain TABLE:TARGET] [--bento PYTHON]

Needs wrk. The rounds go from one to the next, so that a machine that slows down slows all; ratios are medians
of the rounds' ratios. Cold start is from the command to the first answer; memory is the proportional set of all
processes of the service, after the load. BentoML has an environment of its own, with this project's run-time libraries
beside it; PYTHON is its interpreter. TABLE:TARGET trains a plain pipeline (ordinal encoding, LightGBM) for MLflow too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKEN = "0123456789abcdef0123"  # noqa: S105 - of a benchmark on loopback
CONNECTIONS = (1, 8, 32)
WITH_MODEL = "bare and the model"

BARE = """
import sys
import msgspec, uvicorn
Cell = str | int | float | bool | None
class Request(msgspec.Struct, forbid_unknown_fields=True):
    records: list[dict[str, Cell]]
decode, encode = msgspec.json.Decoder(Request).decode, msgspec.json.Encoder().encode
async def app(scope, receive, send):
    message = await receive()
    request = decode(message["body"])
    answer = {"model": "churn", "version": "27aea4bea4ac", "fingerprint": "27aea4bea4ace5e4530697672497e7ad",
        "predictions": ["No"], "probabilities": [{"No": 0.7217981444753215, "Yes": 0.2782018555246784}],
        "prediction_ids": ["01a20e3cc55314274543fc5e00000000"], "flags": [[]], "recorded": bool(request.records)}
    body = encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", ws="none", lifespan="off", access_log=False,
    log_level="critical", server_header=False)
"""

# The same application, its answer worked out by the model.
BARE_WITH_MODEL = BARE.replace(
    "import msgspec, uvicorn\n",
    """import msgspec, uvicorn
from modelwright.flows.load import load
from modelwright.learners.trees import use_threads
use_threads(1)
MODEL = load(sys.argv[2])
scores_of, labels = MODEL.package.model.scores_of, MODEL.labels
""",
).replace(
    "    body = encode(answer)",
    """    scores = scores_of(request.records).tolist()[0]
    if labels:
        best = scores.index(max(scores))
        answer["predictions"], answer["probabilities"] = [labels[best]], [dict(zip(labels, scores))]
    else:
        answer["predictions"] = [scores]
    body = encode(answer)""",
)

# The same application as a route of Starlette.
STARLETTE = BARE.replace("async def app(scope, receive, send):", "async def predict(request_):").replace(
    'message = await receive()\n    request = decode(message["body"])', "request = decode(await request_.body())"
)
STARLETTE = (
    STARLETTE[: STARLETTE.index("    headers = [")]
    + """    return Response(body, media_type="application/json")
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
"""
    + STARLETTE[STARLETTE.index("uvicorn.run") :]
)


BENTO = """
import sys
sys.path.insert(0, {source!r})
import bentoml
from modelwright.flows.load import load
@bentoml.service(workers=1)
class Churn:
    def __init__(self):
        self.model = load({package!r})
    @bentoml.api
    def predict(self, records: list[dict]) -> dict:
        probabilities = self.model.predict_proba(records)
        return {{"predictions": [max(p, key=p.get) for p in probabilities], "probabilities": probabilities}}
"""

PLAIN = """
import sys
import lightgbm, mlflow.sklearn, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
table, target, trees, out = sys.argv[1:]
frame = pd.read_csv(table)
answer = frame.pop(target)
texts = list(frame.select_dtypes(exclude="number"))
encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
columns = ColumnTransformer([("texts", encoder, texts)], remainder="passthrough")
model = make_pipeline(columns, lightgbm.LGBMClassifier(n_estimators=int(trees), num_leaves=15, n_jobs=1, verbose=-1))
mlflow.sklearn.save_model(model.fit(frame, answer), out, serialization_format="cloudpickle")
frame.head(1).to_json(out + "/row.json", orient="records")
"""


@dataclass
class Contender:
    """A server that is measured.

    Attributes:
        name: For the table.
        command: Starts it.
        port: Where it listens.
        path: Of its door.
        body: What it is asked.
        script: What wrk sends, once written.
        process: It, while it runs.
        cold: Seconds from the command to the first answer.
    """

    name: str
    command: list[str]
    port: int
    path: str
    body: bytes
    script: Path = field(default_factory=Path)
    process: Any = None
    cold: float = 0.0

    def ask(self) -> None:
        """Send one request."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{self.path}", self.body, headers)
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            json.load(reply)

    def start(self, folder: str) -> None:
        """Start it and wait for its first answer."""
        self.script = Path(folder) / f"{self.port}.lua"
        self.script.write_text(
            f'wrk.method = "POST"\nwrk.body = [==[{self.body.decode()}]==]\n'
            f'wrk.headers["Content-Type"] = "application/json"\nwrk.headers["Authorization"] = "Bearer {TOKEN}"\n'
        )
        began = time.perf_counter()
        log = (Path(folder) / f"{self.port}.log").open("w")
        self.process = subprocess.Popen(self.command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        while True:
            try:
                self.ask()
                self.cold = time.perf_counter() - began
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self.process.poll() is not None or time.perf_counter() - began > 180:
                    raise RuntimeError(f"{self.name}: {Path(log.name).read_text()[-2000:]}") from None
                time.sleep(0.005)

    def stop(self) -> None:
        """End it and its children."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)


def load(one: Contender, connections: int, seconds: int) -> dict[str, float]:
    """Return requests a second and latencies in milliseconds, as wrk measures them."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(one.script)]
    text = subprocess.run(
        [*command, f"http://127.0.0.1:{one.port}{one.path}"], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"{one.name}: {text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert rate is not None
    found = {"rps": float(rate[1])}
    for share in ("50%", "99%"):
        at = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", text)
        assert at is not None
        found[share] = float(at[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[at[2]]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its children have used; other programs do not change it much."""
    total = 0
    for child in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def measured(one: Contender, connections: int, seconds: int) -> dict[str, float]:
    """Return what ``load`` does, and the processor time of the server for each request, microseconds."""
    before = cpu_seconds(one.process.pid)
    found = load(one, connections, seconds)
    found["cpu"] = 1e6 * (cpu_seconds(one.process.pid) - before) / (found["rps"] * seconds)
    return found


def memory_mb(pid: int) -> float:
    """Return the proportional set size of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    sizes = [re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{p}/smaps_rollup").read_text(), re.M) for p in [pid, *children]]
    return sum(int(s[1]) for s in sizes if s) / 1000


def contenders(asked: argparse.Namespace, package: Path, folder: str) -> list[Contender]:
    """Return who is measured: the service first, then the bare application, then the peers that were asked for."""
    row = json.loads((package / "golden.json").read_text())["records"][0]
    body = json.dumps({"records": [row]}).encode()
    here = Path(sys.executable).parent
    serve = [str(here / "modelwright"), "serve", str(package), "--port", "8931", "--token", TOKEN, *asked.serve.split()]
    if asked.starlette:
        serve = [sys.executable, "-c", STARLETTE, "8931"]
    found = [
        Contender("service", serve, 8931, "/predict", body),
        Contender("bare", [sys.executable, "-c", BARE, "8932"], 8932, "/predict", body),
        Contender(WITH_MODEL, [sys.executable, "-c", BARE_WITH_MODEL, "8936", str(package)], 8936, "/predict", body),
    ]
    mlflow = [str(here / "mlflow"), "models", "serve", "--env-manager", "local", "--workers", "1", "--model-uri"]
    if asked.mlflow:
        split = json.loads((package / "serving_input_example.json").read_text())["dataframe_split"]
        one = json.dumps({"dataframe_split": {**split, "data": split["data"][:1]}}).encode()
        command = [*mlflow, str(package), "--port", "8933"]
        found.append(Contender("MLflow, this package", command, 8933, "/invocations", one))
    if asked.plain:
        table, _, target = asked.plain.rpartition(":")
        out = f"{folder}/plain"
        trees = sum(p.read_bytes().count(b"Tree=") for p in package.glob("blob_*.bin"))
        subprocess.run([sys.executable, "-c", PLAIN, table, target, str(max(trees, 10)), out], check=True)
        one = json.dumps({"dataframe_records": json.loads(Path(f"{out}/row.json").read_text())}).encode()
        command = [*mlflow, out, "--port", "8935"]
        found.append(Contender("MLflow, plain pipeline", command, 8935, "/invocations", one))
    if asked.bento:
        source = str(Path(__file__).parents[1] / "src")
        (Path(folder) / "peer.py").write_text(BENTO.format(source=source, package=str(package)))
        command = [str(Path(asked.bento).parent / "bentoml"), "serve", "peer:Churn", "--port", "8934"]
        found.append(Contender("BentoML, this package", command, 8934, "/predict", body))
    return found


Rounds = dict[int, list[dict[str, dict[str, float]]]]


def raced(found: list[Contender], rounds: int, seconds: int) -> Rounds:
    """Return by connections what each round measured of each."""
    got: Rounds = {}
    for connections in CONNECTIONS:
        for _ in range(rounds):
            one = {c.name: measured(c, connections, seconds) for c in found}
            got.setdefault(connections, []).append(one)
    return got


def tables(found: list[Contender], got: Rounds) -> list[str]:
    """Return the lines of the page's tables."""
    lines = [
        "| connections | server | requests/s | p50 ms | p99 ms | CPU µs a request | ratio |",
        "|--:|---|--:|--:|--:|--:|---|",
    ]
    for connections, rounds in got.items():
        for c in found:
            at = {k: statistics.median(r[c.name][k] for r in rounds) for k in rounds[0][c.name]}
            ratios = sorted(r["service"]["rps"] / r[c.name]["rps"] for r in rounds)
            each = ", ".join(f"{r:.2f}" for r in ratios)
            ratio = "" if c.name == "service" else f"{statistics.median(ratios):.2f} ({each})"
            cpu = f"{at['cpu']:.0f}" if c.name in ("service", "bare", WITH_MODEL) else ""
            shown = f"{at['rps']:,.0f} | {at['50%']:.2f} | {at['99%']:.2f} | {cpu} | {ratio}"
            lines.append(f"| {connections} | {c.name} | {shown} |")
    return lines


def main() -> None:
    """Measure and print a page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--out", help="the page; another package's is added under it")
    parser.add_argument("--serve", default="", help="further options of `modelwright serve`")
    parser.add_argument("--starlette", action="store_true", help="measure the bare application in Starlette instead")
    parser.add_argument("--mlflow", action="store_true")
    parser.add_argument("--plain", default="", metavar="TABLE:TARGET")
    parser.add_argument("--bento", default="", metavar="PYTHON")
    asked = parser.parse_args()
    package = Path(asked.package).resolve()
    row = json.loads((package / "golden.json").read_text())["records"][0]
    trees = sum(p.read_bytes().count(b"Tree=") for p in package.glob("blob_*.bin"))
    with tempfile.TemporaryDirectory() as folder:
        found = contenders(asked, package, folder)
        try:
            for one in found:
                one.start(folder)
            got = raced(found, asked.rounds, asked.seconds)
            memory = memory_mb(found[0].process.pid)
        finally:
            for one in found:
                one.stop()
    lines = [*tables(found, got), ""]
    lines.append(f"Cold start to the first answer {found[0].cold:.2f} s; memory of all processes {memory:.0f} MB.")
    about = f"{package.name}: {trees} trees, {len(row)} columns; Python {platform.python_version()}"
    how = f"{asked.rounds} rounds of {asked.seconds} s, load average at the end {os.getloadavg()[0]:.0f}"
    lines.append(f"{about}, {os.cpu_count()} cores; {how}.")
    page = "\n".join(lines)
    print(page)
    if asked.out:
        out = Path(asked.out)
        words = [w for w in sys.argv[1:] if w not in ("--out", asked.out)]
        command = " ".join(Path(w).name if "/" in w else w for w in words)
        before = out.read_text() if out.exists() else "# The service under load\n"
        out.write_text(f"{before}\n## {package.name}\n\n`python benchmarks/service.py {command}`\n\n{page}\n")


if __name__ == "__main__":
    main()
