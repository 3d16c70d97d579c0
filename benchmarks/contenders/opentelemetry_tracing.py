# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry's instrumentation with an exporter that drops its spans."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import SpanKind

from benchmarks.application import db_api
from benchmarks.contenders import Installed, Place, Seen
from benchmarks.contenders.functions import wrap_functions

_API_PREFIX = "db_api."


class _NullExporter(SpanExporter):
    """Keeps the names of spans until the measuring begins."""

    def __init__(self) -> None:
        self.names: list[tuple[str, SpanKind]] | None = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.names is not None:
            self.names.extend((span.name, span.kind) for span in spans)
        return SpanExportResult.SUCCESS

    def seen(self) -> Seen:
        """Return what the spans since the last look were for."""
        assert self.names is not None
        names, self.names = self.names, []
        calls = sum(name.startswith(_API_PREFIX) for name, _ in names)
        requests = sum(kind is SpanKind.SERVER for _, kind in names)
        statements = sum(
            kind is SpanKind.CLIENT and name != "connect"
            for name, kind in names
        )
        return Seen(requests, statements, calls)

    def settle(self) -> None:
        """Drop spans from now on."""
        self.names = None


def install(place: Place) -> Installed:
    """Return the middleware; spans for statements and DB API calls too."""
    exporter = _NullExporter()
    provider = TracerProvider()
    # Exporting in place is cheaper here than the queue and the thread of
    # the batch processor, when the export itself does nothing.
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    SQLAlchemyInstrumentor().instrument(engines=list(place.engines))
    tracer = trace.get_tracer("benchmarks")

    def spanned(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        span_name = _API_PREFIX + name

        @functools.wraps(function)
        def in_span(*args: Any, **kwargs: Any) -> Any:
            with tracer.start_as_current_span(span_name):
                return function(*args, **kwargs)

        return in_span

    wrap_functions(db_api, spanned)
    app = OpenTelemetryMiddleware(place.app)
    return Installed(app, exporter.seen, exporter.settle)
