"""Traces: one OpenTelemetry span a request, where the extra is installed and an address is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.errors import MissingLibrary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager


class Tracer:
    """Makes spans; they hold routes and statuses, never rows. Made in each worker, after it was forked.

    Args:
        processor: Takes finished spans; None sends them to OTEL_EXPORTER_OTLP_ENDPOINT in batches.
    """

    def __init__(self, processor: Any = None) -> None:
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            fix = "pip install 'modelwright[trace]'"
            raise MissingLibrary("traces need OpenTelemetry", where="--trace", got=str(error), fix=fix) from error
        self._provider = TracerProvider(resource=Resource.create({"service.name": "modelwright"}))
        self._provider.add_span_processor(processor or _exporting())
        self._tracer = self._provider.get_tracer("modelwright")
        self._propagator = TraceContextTextMapPropagator()

    def span(self, route: str, headers: Mapping[bytes, bytes]) -> AbstractContextManager[Any]:
        """Return the span of a request, a child of the caller's where it sent a ``traceparent``."""
        parent = headers.get(b"traceparent")
        carrier = {} if parent is None else {"traceparent": parent.decode("latin-1")}
        context = self._propagator.extract(carrier)
        from opentelemetry.trace import SpanKind

        span: AbstractContextManager[Any] = self._tracer.start_as_current_span(
            f"POST {route}",
            context=context,
            kind=SpanKind.SERVER,
            attributes={"http.route": route},
            record_exception=False,
        )
        return span

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _exporting() -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())
