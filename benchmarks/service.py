"""The service against a bare application on the same server that parses and answers the same JSON without a model.

python benchmarks/service.py churn.model [--rounds 3] [--seconds 5] [--out benchmarks/results/service.md]

Needs wrk. The rounds alternate between the two, so that a machine that slows down slows both; the ratio is the median
of the rounds' ratios. Cold start is from the command to the first answer; memory is the proportional set of all
processes of the service, after the load.
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
from pathlib import Path
from typing import Any

TOKEN = "0123456789abcdef0123"  # noqa: S105 - of a benchmark on loopback
CONNECTIONS = (1, 8, 32)

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


def ask(port: int, body: bytes) -> dict[str, Any]:
    """Send one request."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, headers)
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
        answer: dict[str, Any] = json.load(reply)
        return answer


def start(command: list[str], port: int, body: bytes, folder: str) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server and return it with the seconds to its first answer."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    while True:
        try:
            ask(port, body)
            return process, time.perf_counter() - began
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None:
                raise
            time.sleep(0.005)


def load(port: int, script: Path, connections: int, seconds: int) -> dict[str, float]:
    """Return requests a second and latencies in milliseconds, as wrk measures them."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    text = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/predict"], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
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


def measured(pid: int, port: int, script: Path, connections: int, seconds: int) -> dict[str, float]:
    """Return what ``load`` does, and the processor time of the server for each request, microseconds."""
    before = cpu_seconds(pid)
    found = load(port, script, connections, seconds)
    found["cpu"] = 1e6 * (cpu_seconds(pid) - before) / (found["rps"] * seconds)
    return found


def memory_mb(pid: int) -> float:
    """Return the proportional set size of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    sizes = [re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{p}/smaps_rollup").read_text(), re.M) for p in [pid, *children]]
    return sum(int(s[1]) for s in sizes if s) / 1000


def main() -> None:
    """Measure and print a page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--out")
    parser.add_argument("--serve", default="", help="further options of `modelwright serve`")
    parser.add_argument("--starlette", action="store_true", help="measure the bare application in Starlette instead")
    asked = parser.parse_args()
    package = Path(asked.package).resolve()
    row = json.loads((package / "golden.json").read_text())["records"][0]
    body = json.dumps({"records": [row]}).encode()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(
            f'wrk.method = "POST"\nwrk.body = [[{body.decode()}]]\n'
            f'wrk.headers["Content-Type"] = "application/json"\nwrk.headers["Authorization"] = "Bearer {TOKEN}"\n'
        )
        serve = [str(Path(sys.executable).parent / "modelwright"), "serve", str(package), "--port", "8931"]
        if asked.starlette:
            serve = [sys.executable, "-c", STARLETTE, "8931"]
        bare, _ = start([sys.executable, "-c", BARE, "8932"], 8932, body, folder)
        options = [] if asked.starlette else ["--token", TOKEN, *asked.serve.split()]
        ours, cold = start([*serve, *options], 8931, body, folder)
        rounds: dict[int, list[tuple[dict[str, float], dict[str, float]]]] = {}
        try:
            for connections in CONNECTIONS:
                for _ in range(asked.rounds):
                    work = (script, connections, asked.seconds)
                    pair = (measured(ours.pid, 8931, *work), measured(bare.pid, 8932, *work))
                    rounds.setdefault(connections, []).append(pair)
            memory = memory_mb(ours.pid)
        finally:
            for process in (ours, bare):
                process.send_signal(signal.SIGTERM)
                process.wait(30)
    lines = [
        "| connections | service, requests/s | p50 ms | p99 ms | bare, requests/s | p99 ms | ratio (each round) "
        "| CPU µs a request: service, bare |",
        "|--:|--:|--:|--:|--:|--:|---|---|",
    ]
    for connections, pairs in rounds.items():
        a = {k: statistics.median(p[0][k] for p in pairs) for k in pairs[0][0]}
        b = {k: statistics.median(p[1][k] for p in pairs) for k in pairs[0][1]}
        ratios = sorted(p[0]["rps"] / p[1]["rps"] for p in pairs)
        each = ", ".join(f"{r:.2f}" for r in ratios)
        lines.append(
            f"| {connections} | {a['rps']:,.0f} | {a['50%']:.2f} | {a['99%']:.2f} | {b['rps']:,.0f} | {b['99%']:.2f} "
            f"| {statistics.median(ratios):.2f} ({each}) | {a['cpu']:.0f}, {b['cpu']:.0f} |"
        )
    lines += ["", f"Cold start to the first answer {cold:.2f} s; memory of all processes {memory:.0f} MB."]
    lines.append(f"{package.name}, {len(row)} columns; Python {platform.python_version()}, {os.cpu_count()} cores.")
    page = "\n".join(lines)
    print(page)
    if asked.out:
        note = f"{asked.rounds} rounds of {asked.seconds} s; load average at the end {os.getloadavg()[0]:.0f}"
        Path(asked.out).write_text(
            f"# The service under load\n\n`python benchmarks/service.py {package.name}`, {note}\n\n{page}\n"
        )


if __name__ == "__main__":
    main()
