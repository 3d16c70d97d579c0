# SPDX-License-Identifier: Apache-2.0
"""One application beside another agent, with the filter and without.

    beside_agent.py AGENT alone|agent-first|filter-first

Prints what came of each way to work, as JSON: errors, results, what the agent
has seen, statements in the record. First with the agent, then with the agent
gone as far as it goes, then with the filter gone as well.
"""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
import json
import os
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.pool import ThreadPool
from typing import Any

warnings.simplefilter("ignore")

import futurist
import sqlalchemy as sa
from sqlalchemy.engine import default
from sqlalchemy.pool import impl

WAIT_S = 60
seen: list[Any] = []
errors: list[str] = []
# One for each statement that was executed.
queries: list[int] = []


class Plugin:
    """What timed_callables names."""

    def method(self, value: int) -> list[Any]:
        return [type(self).__name__, value]

    @staticmethod
    def static(value: int) -> list[Any]:
        return ["static", value]

    @classmethod
    def of_class(cls, value: int) -> list[Any]:
        return [cls.__name__, value]


class Derived(Plugin):
    """Binds what it inherits."""


class MyThread(threading.Thread):
    def run(self) -> None:
        query()


engine: Any = None


def query(value: int = 1) -> int:
    queries.append(value)
    with engine.connect() as connection:
        found: int = connection.execute(sa.text("SELECT 1")).scalar()
    return found + value - 1


def in_transaction(name: str) -> Any:
    """Return what an agent puts round a request, once there is one."""
    return nullcontext()


# -- agents: what to wrap, and how ----------------------------------------

METHODS = (
    (threading.Thread, "start"),
    (threading.Thread, "run"),
    (concurrent.futures.ThreadPoolExecutor, "submit"),
    (futurist.ThreadPoolExecutor, "submit"),
    (ThreadPool, "apply_async"),
    (ThreadPool, "_map_async"),
    (default.DefaultDialect, "do_execute"),
    (default.DefaultDialect, "do_rollback"),
    (impl.QueuePool, "_do_get"),
    (sa.engine.Engine, "connect"),
    (Plugin, "method"),
    (Plugin, "static"),
    (Plugin, "of_class"),
)


def named(value: Any) -> str:
    """Return what an agent would call *value*."""
    return str(getattr(value, "__name__", value.__class__.__name__))


def note(name: str, instance: Any, args: Any, kwargs: Any) -> None:
    if threading.current_thread().name.startswith("outside"):
        return
    of = instance.__name__ if isinstance(instance, type) else named(instance)
    if isinstance(instance, threading.Thread):
        of = type(instance).__name__
    seen.append([name, of, [named(arg) for arg in args], sorted(kwargs)])


def _wrapt() -> Callable[[], None]:
    import wrapt

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        note(wrapped.__name__, instance, args, kwargs)
        return wrapped(*args, **kwargs)

    for owner, name in METHODS:
        wrapt.wrap_function_wrapper(owner, name, wrapper)

    def unwrap() -> None:
        for owner, name in METHODS:
            # As OpenTelemetry does.
            found = getattr(owner, name, None)
            if isinstance(found, wrapt.ObjectProxy):
                setattr(owner, name, found.__wrapped__)

    return unwrap


def _by_function(looks_alike: bool) -> Callable[[], None]:
    """Wrap methods by functions, as most agents do, and put them back."""
    before = []
    for owner, name in METHODS:
        raw = inspect.getattr_static(owner, name)
        if isinstance(raw, (staticmethod, classmethod)):
            continue
        before.append((owner, name, raw, name in vars(owner)))

        def wrapper(
            self: Any,
            *args: Any,
            _found: Any = getattr(owner, name),  # noqa: B008 - bound as it is now
            _name: str = name,
            **kwargs: Any,
        ) -> Any:
            note(_name, self, args, kwargs)
            return _found(self, *args, **kwargs)

        if looks_alike:
            wrapper = functools.wraps(getattr(owner, name))(wrapper)
        setattr(owner, name, wrapper)
        ours = wrapper
        before[-1] = (*before[-1], ours)

    def unwrap() -> None:
        for owner, name, raw, own, ours in before:
            if vars(owner).get(name) is not ours:
                continue
            if own:
                setattr(owner, name, raw)
            else:
                delattr(owner, name)

    return unwrap


class Binding:
    """A descriptor of nobody's kind: bound, it is a partial."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        bound = self.found.__get__(instance, owner)

        def call(*args: Any, **kwargs: Any) -> Any:
            of, rest = instance, args
            if of is None and args:
                # By way of the class, which wrapt takes so, too.
                of, *rest = args
            note(bound.__name__, of, rest, kwargs)
            return bound(*args, **kwargs)

        return functools.partial(call)


def _descriptor() -> Callable[[], None]:
    for owner, name in METHODS:
        setattr(owner, name, Binding(inspect.getattr_static(owner, name)))
    return lambda: None


def _otel() -> Callable[[], None]:
    from opentelemetry import trace
    from opentelemetry.instrumentation.sqlalchemy import (
        SQLAlchemyInstrumentor,
    )
    from opentelemetry.instrumentation.threading import ThreadingInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
        InMemorySpanExporter,
    )

    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    ThreadingInstrumentor().instrument()
    SQLAlchemyInstrumentor().instrument()

    @contextmanager
    def transaction(name: str) -> Iterator[None]:
        spans.clear()
        with trace.get_tracer("test").start_as_current_span("root") as root:
            yield
        ours = root.get_span_context().trace_id
        for span in spans.get_finished_spans():
            seen.append([span.name, span.context.trace_id == ours])

    global in_transaction
    in_transaction = transaction

    def unwrap() -> None:
        ThreadingInstrumentor().uninstrument()
        SQLAlchemyInstrumentor().uninstrument()

    return unwrap


def _sentry() -> Callable[[], None]:
    import sentry_sdk
    from sentry_sdk.transport import Transport

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            for item in envelope.items:
                event = item.get_transaction_event() or item.get_event()
                if event is not None:
                    ops = [span["op"] for span in event.get("spans", ())]
                    seen.append([event.get("transaction"), sorted(ops)])

    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        traces_sample_rate=1.0,
        transport=Kept,
        shutdown_timeout=0,
    )

    @contextmanager
    def transaction(name: str) -> Iterator[None]:
        with sentry_sdk.start_transaction(name=name):
            yield

    global in_transaction
    in_transaction = transaction
    return lambda: None


def _ddtrace() -> Callable[[], None]:
    os.environ["DD_TRACE_AGENT_URL"] = "http://127.0.0.1:9"
    os.environ["DD_INSTRUMENTATION_TELEMETRY_ENABLED"] = "false"
    os.environ["DD_REMOTE_CONFIGURATION_ENABLED"] = "false"
    import ddtrace
    from ddtrace.trace import TraceFilter, tracer

    class Kept(TraceFilter):
        def process_trace(self, trace: Any) -> None:
            seen.extend([span.name] for span in trace)

    tracer.configure(trace_processors=[Kept()])
    ddtrace.patch(sqlalchemy=True, futures=True, sqlite3=True)

    @contextmanager
    def transaction(name: str) -> Iterator[None]:
        with tracer.trace("root"):
            yield

    def unwrap() -> None:
        from ddtrace.contrib.internal.futures.patch import unpatch

        unpatch()

    global in_transaction
    in_transaction = transaction
    return unwrap


def _elastic() -> Callable[[], None]:
    import elasticapm

    client = elasticapm.Client(
        service_name="test",
        server_url="http://127.0.0.1:9",
        central_config=False,
        metrics_interval="0s",
    )
    # Otherwise it would wait for a server.
    client.queue = lambda kind, data, flush=False: seen.append(
        [kind, data.get("name")] if kind == "span" else [kind]
    )
    elasticapm.instrument()

    @contextmanager
    def transaction(name: str) -> Iterator[None]:
        client.begin_transaction("request")
        yield
        client.end_transaction(name, "ok")

    global in_transaction
    in_transaction = transaction
    return elasticapm.uninstrument


def _newrelic() -> Callable[[], None]:
    os.environ["NEW_RELIC_DEVELOPER_MODE"] = "true"
    os.environ["NEW_RELIC_LICENSE_KEY"] = "0" * 40
    os.environ["NEW_RELIC_APP_NAME"] = "test"
    os.environ["NEW_RELIC_LOG"] = os.devnull
    import newrelic.agent

    newrelic.agent.initialize()
    application = newrelic.agent.register_application(timeout=10.0)

    @contextmanager
    def transaction(name: str) -> Iterator[None]:
        with newrelic.agent.BackgroundTask(application, name):
            yield

    global in_transaction
    in_transaction = transaction
    return lambda: None


AGENTS: dict[str, Callable[[], Callable[[], None]]] = {
    "none": lambda: lambda: None,
    "wrapt": _wrapt,
    "functools": lambda: _by_function(True),
    "closures": lambda: _by_function(False),
    "descriptors": _descriptor,
    "otel": _otel,
    "sentry": _sentry,
    "ddtrace": _ddtrace,
    "elastic": _elastic,
    "newrelic": _newrelic,
}


# -- ways to work ----------------------------------------------------------


def started(thread: threading.Thread) -> list[Any]:
    thread.start()
    thread.join(WAIT_S)
    return [thread.is_alive(), named(thread.run)]


def twice() -> str:
    thread = threading.Thread(target=query)
    thread.start()
    thread.join(WAIT_S)
    return refused(thread.start)


def refused(call: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    try:
        return named(call(*args, **kwargs))
    except (TypeError, RuntimeError) as exc:
        return f"{type(exc).__name__}: {exc}"


def submitted() -> list[Any]:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [
            pool.submit(query, 2).result(WAIT_S),
            pool.submit(query, value=3).result(WAIT_S),
            *pool.map(query, [4]),
            pool.submit(functools.partial(query, 5)).result(WAIT_S),
        ]


def submitted_wrongly() -> list[Any]:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answers = [refused(pool.submit), refused(pool.submit, fn=query)]
        nothing = pool.submit(None)  # type: ignore[arg-type]
        return [*answers, named(nothing.exception(WAIT_S))]


def by_futurist() -> list[Any]:
    pool = futurist.ThreadPoolExecutor(1)
    answers = [
        pool.submit(query).result(WAIT_S),
        pool.submit(fn=query).result(WAIT_S),
    ]
    # Its worker looks once a second whether it is to end.
    pool.shutdown(wait=False)
    return answers


def by_thread_pool() -> list[Any]:
    with ThreadPool(2) as pool:
        return [
            pool.apply(query, [2]),
            *pool.map(query, [1, 2]),
            *pool.imap(query, [3]),
            *pool.starmap(query, [(4,)]),
            pool.apply_async(func=query).get(WAIT_S),
        ]


def plugins() -> list[Any]:
    one = Derived()
    return [
        one.method(1),
        Plugin.method(one, 2),
        one.static(3),
        Plugin.static(4),
        one.of_class(5),
        Derived.of_class(6),
        refused(one.method),
    ]


WAYS: dict[str, Callable[[], Any]] = {
    "direct": query,
    "thread": lambda: started(threading.Thread(target=query)),
    "subclass": lambda: started(MyThread()),
    "timer": lambda: started(threading.Timer(0, query)),
    "twice": twice,
    "submit": submitted,
    "futurist": by_futurist,
    "ThreadPool": by_thread_pool,
    "plugins": plugins,
}
# Some agents themselves fail at these.
STRICT = {"submit, wrong": submitted_wrongly}
LENIENT = ("otel", "ddtrace")


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    way = WAYS[environ["PATH_INFO"][1:]]
    try:
        with in_transaction(environ["PATH_INFO"]):
            result = way()
    except Exception as exc:
        result = None
        errors.append(f"{type(exc).__name__}: {exc}")
    start_response("200 OK", [])
    return [json.dumps(result).encode()]


def served(application: Any, log: str) -> dict[str, Any]:
    """Return what comes of each way, in requests and outside."""
    found: dict[str, Any] = {}
    for name, way in WAYS.items():
        errors.clear()
        seen.clear()
        queries.clear()
        environ = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": f"/{name}",
        }
        body = application(environ, lambda status, headers, exc_info=None: 0)
        found[name] = {
            "result": json.loads(b"".join(body)),
            "errors": list(errors),
            "seen": sorted(seen, key=repr),
            "queries": len(queries),
            "statements": statements_in(log),
        }
        errors.clear()
        outside = json.loads(json.dumps(way()))
        found[f"{name}, outside"] = {"result": outside, "errors": errors[:]}
    return found


def statements_in(log: str) -> int | None:
    if not os.path.exists(log):
        return None
    with open(log) as lines:
        groups = json.loads(lines.readlines()[-1])["groups"]
    statements: int = groups.get("sql", {}).get("calls", 0)
    return statements


def main(agent: str, order: str) -> None:
    global engine
    if agent not in LENIENT:
        WAYS.update(STRICT)
    module = sys.modules["plugins"] = types.ModuleType("plugins")
    vars(module)["Plugin"] = Plugin
    threading.excepthook = lambda hook: errors.append(
        f"{hook.exc_type.__name__}: {hook.exc_value}"
    )
    folder = tempfile.mkdtemp()
    # Names of spans have the path of the database.
    os.chdir(folder)
    log = f"{folder}/records.jsonl"
    stop = AGENTS[agent]() if order != "filter-first" else None
    application: Any = app
    if order != "alone":
        from nova_profiler.factory import filter_factory

        names = ("method", "static", "of_class")
        application = filter_factory(
            {},
            log_file=log,
            log_requests="false",
            timed_callables=",".join(f"plugins:Plugin.{n}" for n in names),
        )(app)
    if stop is None:
        stop = AGENTS[agent]()
    engine = sa.create_engine(
        "sqlite:///x.db",
        poolclass=impl.QueuePool,
        connect_args={"check_same_thread": False},
    )
    found = {"beside": served(application, log)}
    stop()
    found["agent gone"] = served(application, log)
    if order != "alone":
        application.worker.undo()
    found["both gone"] = served(app, "")
    print(json.dumps(found))
    sys.stdout.flush()
    # Agents have threads that would wait for their servers.
    os._exit(0)


main(*sys.argv[1:])
