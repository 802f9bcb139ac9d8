"""What Prometheus and Grafana read: metrics as text, alert rules, a dashboard."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HELP = {
    "modelwright_alarms_lasting": "Alarms that last and nobody acknowledged.",
    "modelwright_alarms_total": "Alarms since the baseline.",
    "modelwright_drift": "Cohen's w of a column against the reference, chance taken out.",
    "modelwright_quality_estimated": "Measure expected without labels, latest window.",
    "modelwright_quality_realised": "Measure on known outcomes, latest window that has any.",
    "modelwright_estimate_is_trusted": "1 while outcomes agree with estimates.",
    "modelwright_outcomes_awaited": "Answers of the latest windows whose outcome is not known.",
    "modelwright_window_rows": "Answers in the latest window.",
    "modelwright_messages_waiting": "Messages not delivered yet.",
    "modelwright_watched_timestamp_seconds": "End of the latest pass.",
}


def metrics(told: Mapping[str, Any]) -> str:
    """Return what a pass saw in Prometheus' text format."""
    model = _label(told["model"])
    lines: list[str] = []

    def add(name: str, value: float | None, **labels: str) -> None:
        if value is None or not math.isfinite(value):
            return
        named = "".join(f',{k}="{_label(v)}"' for k, v in labels.items())
        if not any(line.startswith(f"# HELP {name} ") for line in lines):
            kind = "counter" if name.endswith("_total") else "gauge"
            lines.extend([f"# HELP {name} {HELP[name]}", f"# TYPE {name} {kind}"])
        lines.append(f'{name}{{model="{model}"{named}}} {value:.10g}')

    add("modelwright_alarms_lasting", float(told["n_lasting"]))
    add("modelwright_alarms_total", float(len(told["alarms"])))
    for column in told["drift"]:
        add("modelwright_drift", column["value"], column=column["column"])
    last = told["windows"][-1] if told["windows"] else None
    for name, score in ((last or {}).get("estimated") or {}).items():
        add("modelwright_quality_estimated", score["value"], measure=name)
    known = next((w for w in reversed(told["windows"]) if w.get("realised")), None)
    for name, score in ((known or {}).get("realised") or {}).items():
        add("modelwright_quality_realised", score["value"], measure=name)
    add("modelwright_estimate_is_trusted", float(told["is_trusted"]))
    add("modelwright_outcomes_awaited", float(sum(w["awaited"] for w in told["windows"])))
    add("modelwright_window_rows", float(last["rows"]) if last else 0.0)
    add("modelwright_messages_waiting", float(told["messages_waiting"]))
    add("modelwright_watched_timestamp_seconds", told["time"])
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


RULES = """groups:
  - name: modelwright
    rules:
      - alert: ModelNeedsAttention
        expr: modelwright_alarms_lasting > 0
        labels: {severity: warning}
        annotations:
          summary: "{{ $labels.model }}: {{ $value }} alarms last and nobody acknowledged them"
      - alert: ModelEstimatesNotTrusted
        expr: modelwright_estimate_is_trusted == 0
        labels: {severity: warning}
        annotations:
          summary: "{{ $labels.model }}: outcomes contradict the estimates without labels"
      - alert: ModelNotWatched
        expr: time() - modelwright_watched_timestamp_seconds > 3 * 86400
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.model }}: not watched for three days"
      - alert: ModelAlarmsNotDelivered
        expr: modelwright_messages_waiting > 0
        for: 1h
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.model }}: {{ $value }} messages could not be delivered for an hour"
"""
"""Alert rules for Prometheus."""

_PANELS = (
    ("Alarms that last", 'modelwright_alarms_lasting{model=~"$model"}', "stat"),
    ("Estimates trusted", 'modelwright_estimate_is_trusted{model=~"$model"}', "stat"),
    ("Quality, realised", 'modelwright_quality_realised{model=~"$model"}', "timeseries"),
    ("Quality, estimated without labels", 'modelwright_quality_estimated{model=~"$model"}', "timeseries"),
    ("Drift by column", 'topk(10, modelwright_drift{model=~"$model"})', "timeseries"),
    ("Outcomes awaited", 'modelwright_outcomes_awaited{model=~"$model"}', "timeseries"),
    ("Answers in a window", 'modelwright_window_rows{model=~"$model"}', "timeseries"),
    ("Messages waiting", 'modelwright_messages_waiting{model=~"$model"}', "stat"),
)


def dashboard() -> str:
    """Return a Grafana dashboard as JSON."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    panels = [
        {
            "id": i + 1,
            "title": title,
            "type": kind,
            "datasource": source,
            "gridPos": {"h": 8, "w": 12, "x": 12 * (i % 2), "y": 8 * (i // 2)},
            "targets": [{"refId": "A", "expr": query, "datasource": source}],
        }
        for i, (title, query, kind) in enumerate(_PANELS)
    ]
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        {
            "name": "model",
            "type": "query",
            "datasource": source,
            "query": "label_values(modelwright_alarms_lasting, model)",
            "includeAll": True,
            "multi": True,
        },
    ]
    board = {
        "title": "modelwright",
        "uid": "modelwright",
        "schemaVersion": 39,
        "time": {"from": "now-30d", "to": "now"},
        "templating": {"list": variables},
        "panels": panels,
    }
    return json.dumps(board, indent=2) + "\n"
