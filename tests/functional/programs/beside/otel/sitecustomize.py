# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry in a nova-api, as ``opentelemetry-instrument`` starts it.

It begins before nova does, and stands round its application. The name of each
span goes to a file.
"""

import os
import sys

if "demo.server.serve" in sys.orig_argv:
    from opentelemetry import trace
    from opentelemetry.instrumentation.sqlalchemy import (
        SQLAlchemyInstrumentor,
    )
    from opentelemetry.instrumentation.threading import ThreadingInstrumentor
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        ConsoleSpanExporter,
        SimpleSpanProcessor,
    )
    from paste import deploy

    provider = TracerProvider()
    provider.add_span_processor(
        SimpleSpanProcessor(
            ConsoleSpanExporter(
                out=open(os.environ["SEEN_BY_AGENT"], "a"),  # noqa: SIM115 - until the process ends
                formatter=lambda span: f"{span.name}\n",
            )
        )
    )
    trace.set_tracer_provider(provider)
    ThreadingInstrumentor().instrument()
    SQLAlchemyInstrumentor().instrument()
    loadapp = deploy.loadapp
    deploy.loadapp = lambda *args, **kwargs: OpenTelemetryMiddleware(
        loadapp(*args, **kwargs)
    )
