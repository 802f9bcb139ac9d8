"""Routes: every door of the service, and what a token must allow to go through it."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
"""What models and versions may be called; nothing else reaches a look-up."""


@dataclass(frozen=True, slots=True)
class Route:
    """One door.

    Attributes:
        name: For the counts.
        method: Of HTTP; GET includes HEAD.
        path: With ``{name}`` and ``{version}`` where they vary.
        scope: Needed of the token; empty for the few that anybody may use: they tell nothing of model or data.
        says: One sentence for /openapi.json.
    """

    name: str
    method: str
    path: str
    scope: str
    says: str


ROUTES = (
    Route("page", "GET", "/", "", "A page to try the model"),
    Route("live", "GET", "/health/live", "", "Whether the process answers"),
    Route("ready", "GET", "/health/ready", "", "Whether a model is loaded and the service takes requests"),
    Route("ping", "GET", "/ping", "", "Whether a model is loaded, as MLflow's clients ask"),
    Route("version", "GET", "/version", "predict", "The version of modelwright"),
    Route("openapi", "GET", "/openapi.json", "predict", "This document"),
    Route("metrics", "GET", "/metrics", "admin", "Counts and latencies in Prometheus' text format"),
    Route("predict", "POST", "/predict", "predict", "Predictions for rows, as JSON, CSV or Parquet"),
    Route("labels", "POST", "/labels", "label", "Outcomes for predictions given earlier"),
    Route("invocations", "POST", "/invocations", "predict", "Predictions, as MLflow's clients ask"),
    Route("v2", "GET", "/v2", "predict", "What the server is"),
    Route("v2_live", "GET", "/v2/health/live", "", "Whether the process answers"),
    Route("v2_ready", "GET", "/v2/health/ready", "", "Whether the service takes requests"),
    Route("v2_model", "GET", "/v2/models/{name}", "predict", "What the model takes and gives"),
    Route("v2_model", "GET", "/v2/models/{name}/versions/{version}", "predict", "What the model takes and gives"),
    Route("v2_model_ready", "GET", "/v2/models/{name}/ready", "predict", "Whether the model answers"),
    Route("v2_model_ready", "GET", "/v2/models/{name}/versions/{version}/ready", "predict", "Whether it answers"),
    Route("v2_infer", "POST", "/v2/models/{name}/infer", "predict", "Predictions by the Open Inference Protocol"),
    Route(
        *("v2_infer", "POST", "/v2/models/{name}/versions/{version}/infer", "predict"),
        "Predictions of one version by the Open Inference Protocol",
    ),
)
"""Nothing here loads, unloads or changes a model: which one answers is decided where the service was started."""
ELSEWHERE = "elsewhere"
NAMES = (*dict.fromkeys(route.name for route in ROUTES), ELSEWHERE)

_FIXED = {(r.method, r.path): r for r in ROUTES if "{" not in r.path}
_VARYING = {(r.method, r.path): r for r in ROUTES if "{" in r.path}


def find(method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    """Return the route of a request and the names in its path; None where there is none.

    >>> find("GET", "/v2/models/churn/ready")[1]
    {'name': 'churn'}
    """
    method = "GET" if method == "HEAD" else method
    fixed = _FIXED.get((method, path))
    if fixed is not None:
        return fixed, {}
    parts = path.split("/")
    if len(parts) < 4 or parts[1:3] != ["v2", "models"] or not NAME.match(parts[3]):
        return None, {}
    given = {"name": parts[3]}
    parts[3] = "{name}"
    if len(parts) > 5 and parts[4] == "versions" and NAME.match(parts[5]):
        given["version"] = parts[5]
        parts[5] = "{version}"
    return _VARYING.get((method, "/".join(parts))), given


def methods_of(path: str) -> list[str]:
    """Return the methods that a path has a route for."""
    return [method for method in ("GET", "POST") if find(method, path)[0] is not None]
