"""Traces name routes and statuses, follow the caller's, and hold no cell."""

import pytest

pytest.importorskip("opentelemetry.sdk")


def test_a_request_is_a_span_of_its_callers_trace(desk):
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from modelwright.service.tracing import Tracer

    kept = InMemorySpanExporter()
    desk.app._tracer = Tracer(SimpleSpanProcessor(kept))
    parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    status, _, _ = desk.ask(
        "POST", "/predict", {"records": [{"contract": "secret"}]}, headers=[(b"traceparent", parent)]
    )
    assert status == 200
    assert desk.ask("POST", "/predict", {"records": "secret"})[0] == 422
    first, second = kept.get_finished_spans()
    assert first.name == "POST predict"
    assert f"{first.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert first.attributes["http.response.status_code"] == 200
    assert "secret" not in first.to_json() + second.to_json()
