"""Requests made from a service's own OpenAPI document, right ones and wrong ones: none may end in a 5xx.

python benchmarks/fuzz_openapi.py churn.model [--requests 10000] [--seed 0]

Schemathesis makes the requests; they are sent to a real service on loopback. Every answer is held against what the
document says of it: status, content type, and body. Prints how many answers had which status.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

TOKEN = "0123456789abcdef0123"  # noqa: S105 - of a service on loopback


def fuzz(url: str, token: str, n_requests: int, seed: int = 0) -> tuple[Counter[int], list[str]]:
    """Ask a service so many things, spread evenly over its operations.

    Returns:
        How often it answered with each status, and what was wrong with answers: 5xx, or not what the document says.
    """
    import requests
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded

    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    document = session.get(f"{url}/openapi.json", timeout=10).json()
    operations = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    modes = list(schemathesis.GenerationMode)
    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    each = -(-n_requests // (len(operations) * len(modes)))

    for operation in operations:
        for mode in modes:
            try:
                strategy = operation.as_strategy(mode)
            except Exception:  # noqa: S112 - an operation without parameters cannot be asked wrongly
                continue

            @seeded(seed)
            @settings(max_examples=each, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(case=strategy)
            def ask(case: Any) -> None:
                response = case.call(base_url=url, session=session, timeout=20)
                statuses[response.status_code] += 1
                said = f"{case.method} {case.path} {response.status_code}"
                if response.status_code >= 500 and response.status_code != 503:
                    wrong.append(f"{said}: {response.text[:200]}")
                    return
                try:
                    case.validate_response(response, checks=[_described])
                except Exception as error:
                    wrong.append(f"{said}: {str(error)[:300]}")

            try:
                ask()
            except Exception as error:
                if "Unsatisfiable" not in type(error).__name__:
                    raise
    left = n_requests - sum(statuses.values())
    if left > 0:  # operations without parameters give few; the rest goes to those that take rows
        more, worse = _rows_only(url, token, left, seed + 1, operations, session)
        statuses += more
        wrong += worse
    return statuses, wrong


def _rows_only(
    url: str, token: str, n: int, seed: int, operations: list[Any], session: Any
) -> tuple[Counter[int], list[str]]:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded

    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    posts = [o for o in operations if o.method.upper() == "POST"]
    round_ = 0
    while sum(statuses.values()) < n:
        for operation in posts:
            round_ += 1

            @seeded(seed + round_)
            @settings(max_examples=min(n, 500), deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy())
            def ask(case: Any) -> None:
                if sum(statuses.values()) >= n:
                    return
                response = case.call(base_url=url, session=session, timeout=20)
                statuses[response.status_code] += 1
                if response.status_code >= 500 and response.status_code != 503:
                    wrong.append(f"{case.method} {case.path}: {response.text[:200]}")

            ask()
    return statuses, wrong


def _described(context: Any, response: Any, case: Any) -> None:
    """Check an answer against the document: its status is named there, and its body has the form that is told."""
    from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

    content_type_conformance(context, response, case)
    response_schema_conformance(context, response, case)


def main() -> None:
    """Fuzz and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "modelwright.ui", "serve", str(Path(asked.package).resolve()), "--port", "0"]
        env = {**os.environ, "MODELWRIGHT_TOKEN": TOKEN}
        process = subprocess.Popen([*command, "--json"], cwd=folder, stdout=subprocess.PIPE, text=True, env=env)
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            statuses, wrong = fuzz(url, TOKEN, asked.requests, asked.seed)
        finally:
            process.terminate()
            process.wait(30)
    print(f"{sum(statuses.values()):,} requests: " + ", ".join(f"{n:,} × {s}" for s, n in sorted(statuses.items())))
    print("\n".join(wrong[:20]) or "no 5xx, and every answer as the document says")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
