# SPDX-License-Identifier: Apache-2.0
"""What the fast tests share: a clock, a sink, WSGI applications, a guard."""

from __future__ import annotations

import concurrent.futures
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import settings

from nova_profiler.record import RequestRecord

# These set the width of pages. readline, which pytest imports, sets them
# for every process that it starts, such as those that share the tests.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)

# A busy machine is no reason to fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class FakeClock:
    """A clock in seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class SinkList:
    """A sink that keeps the records it is given."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []

    def emit(self, record: RequestRecord) -> None:
        self.records.append(record)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sink() -> SinkList:
    return SinkList()


@pytest.fixture
def wsgi_app() -> Callable[..., Any]:
    """Return a builder of small WSGI applications.

    ``before_body`` is called before start_response, ``in_body`` before
    each chunk; with ``streaming`` the chunks come from a generator.
    """

    def build(
        chunks: Iterable[bytes] = (b"ok",),
        status: str = "200 OK",
        before_body: Callable[[], object] | None = None,
        in_body: Callable[[], object] | None = None,
        streaming: bool = False,
    ) -> Callable[..., Iterable[bytes]]:
        def body() -> Iterator[bytes]:
            for chunk in chunks:
                if in_body is not None:
                    in_body()
                yield chunk

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            if before_body is not None:
                before_body()
            start_response(status, [("Content-Type", "text/plain")])
            return body() if streaming else list(body())

        return app

    return build


def _patch_points() -> dict[str, object]:
    """Return the attributes that hooks replace, of the modules loaded."""
    points: dict[str, object] = {
        "Thread.start": threading.Thread.start,
        "Thread.run": threading.Thread.run,
        "ThreadPoolExecutor.submit": (
            concurrent.futures.ThreadPoolExecutor.submit
        ),
    }
    for module_name, class_name, name in (
        ("futurist", "ThreadPoolExecutor", "submit"),
        ("futurist", "GreenThreadPoolExecutor", "submit"),
        ("keystoneauth1.session", "Session", "request"),
        ("requests.sessions", "Session", "send"),
        ("dogpile.cache.region", "CacheRegion", "set"),
        ("sqlalchemy.engine.cursor", "CursorFetchStrategy", "fetchone"),
        ("sqlalchemy.engine.cursor", "CursorFetchStrategy", "fetchmany"),
        ("sqlalchemy.engine.cursor", "CursorFetchStrategy", "fetchall"),
    ):
        owner = getattr(sys.modules.get(module_name), class_name, None)
        if owner is not None:
            points[f"{module_name}.{class_name}.{name}"] = vars(owner).get(
                name
            )
    return points


@pytest.fixture(autouse=True)
def _leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread running or a hook installed."""
    threads = set(threading.enumerate())
    points = _patch_points()
    yield
    if request.node.get_closest_marker("functional"):
        return
    left = [
        thread
        for thread in set(threading.enumerate()) - threads
        if thread.is_alive() and not _ends_soon(thread)
    ]
    assert not left, f"threads left running: {left}"
    after = _patch_points()
    patched = [name for name in points if after[name] is not points[name]]
    assert not patched, f"still patched: {patched}"


def _ends_soon(thread: threading.Thread) -> bool:
    """Return whether a thread ends within a moment."""
    thread.join(timeout=2.0)
    return not thread.is_alive()
