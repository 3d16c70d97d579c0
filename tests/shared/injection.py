# SPDX-License-Identifier: Apache-2.0
"""Requests that are served with one fault of ours each, and what is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from types import CodeType
from typing import Any

from faults import Place, failing, places_in
from serving import Profiled, environ_of

from nova_profiler.capture.current import active, current_lane, lane_var
from nova_profiler.capture.hooks import attribute_patches
from nova_profiler.capture.hooks.http import sent_requests
from nova_profiler.capture.hooks.processes import child_processes
from nova_profiler.capture.hooks.rpc import sent_messages
from nova_profiler.capture.served.wsgi_exchange import ENVIRON_KEY

# Calls of the application where that may have been made in C.
_THEIRS = (
    "chunk = next(self._chunks)",
    "chunk = watch.run(next, self._chunks)",
    "close()",
    "sent = self._write(data)",
    "return None if close is None else close()",
)
MOST_MISSED = 0.1
# In between a call of the system and what keeps its result; a sink, or the
# database, may have opened its file anew as well.
FEW = 15
_TESTS = str(Path(__file__).parents[1])
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Exchanged:
    """What a server got from an application, and what that saw meanwhile."""

    def __init__(self) -> None:
        self.status: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.chunks: list[bytes] = []
        self.raised: list[str] = []
        self.seen: list[Any] = []

    def start_response(
        self, status: str, headers: Any, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        self.seen.append(("start_response", exc_info is not None))
        self.status, self.headers = status, headers
        return self.chunks.append

    def facts(self) -> dict[str, Any]:
        """Return all of it."""
        return vars(self)


def exchanged(
    app: Any, environ: dict[str, Any], until: int | None = None
) -> Exchanged:
    """Serve one request by *app*, *until* as many chunks were taken."""
    got = Exchanged()
    environ["test.seen"] = got.seen
    body: Any = None
    try:
        body = app(environ, got.start_response)
        for number, chunk in enumerate(body):
            got.chunks.append(chunk)
            if number + 1 == until:
                break
    except BaseException as exc:
        got.raised.append(f"{type(exc).__name__}: {exc}")
    try:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    except BaseException as exc:
        got.raised.append(f"{type(exc).__name__}: {exc}")
    return got


class Served:
    """An application under the filter, served as often as it takes."""

    def __init__(
        self,
        app: App,
        until: int | None = None,
        environ: dict[str, Any] | None = None,
        sinks: Iterable[Any] = (),
        before: Callable[[Any], None] = lambda worker: None,
        **options: Any,
    ) -> None:
        self._app = app
        self._until = until
        self._before = before
        self._environ = environ or {}
        self.profiled = Profiled(app, *sinks, **options)
        self.latest: Exchanged | None = None

    def plain(self) -> dict[str, Any]:
        """Return what comes without the filter."""
        return exchanged(self._app, self._new(), self._until).facts()

    def once(self) -> None:
        """Serve one request with the filter."""
        environ = self._new()
        self._before(self.profiled.worker)
        self.latest = exchanged(self.profiled.filter, environ, self._until)
        self.latest.seen.append(("kept", ENVIRON_KEY in environ))

    def _new(self) -> dict[str, Any]:
        return environ_of(**self._environ)

    def record(self) -> dict[str, Any]:
        """Return what the newest record has, but for its times."""
        records, self.profiled.records = self.profiled.records, []
        assert len(records) == 1, f"{len(records)} records"
        (record,) = records
        return {
            "groups": {name: one.calls for name, one in record.groups.items()},
            "counts": record.counts,
            "status": record.status,
            "outcome": record.outcome,
            "error": record.error,
            "bytes": record.response_bytes,
        }


def is_theirs(code: CodeType) -> bool:
    """Tell whether *code* is a test's, or of what a hook has replaced."""
    return code.co_filename.startswith(_TESTS) or any(
        getattr(patched.original, "__code__", None) is code
        for patched in attribute_patches._patches.values()
    )


def left() -> dict[str, Any]:
    """Return what a request left behind, but for nothing."""
    until = perf_counter() + 0.05
    # A sampler ends by itself, with its next sample.
    while sys.getprofile() is not None and perf_counter() < until:
        pass
    found = {
        "active": active,
        "lane": current_lane(),
        "called": sent_requests._called.get(),
        "serialising": sent_messages._serialising,
        "queueing": child_processes._queueing,
        "profile": sys.getprofile(),
    }
    return {name: value for name, value in found.items() if value}


def places_of(served: Served) -> list[Place]:
    """Return where a request of *served* may fail, once all is known."""
    for _ in range(3):
        served.once()
    return [
        place
        for place in places_in(served.once, is_theirs)
        if not place.text.startswith(_THEIRS)
    ]


def faults_of(served: Served, places: Sequence[Place]) -> Iterator[str]:
    """Yield a line for each of *places* whose failure anything shows."""
    expected = served.plain()
    expected["seen"].append(("kept", False))
    served.profiled.records.clear()
    served.once()
    record = served.record()
    missed: list[Place] = []
    descriptors = _descriptors()
    for place in places:
        if not failing(place, served.once):
            missed.append(place)
            served.profiled.records.clear()
            continue
        got = served.latest.facts() if served.latest else {}
        for name, value in expected.items():
            if got.get(name) != value:
                yield f"{place}: {name}: {got.get(name)!r}, not {value!r}"
        for name, value in left().items():
            yield f"{place}: left {name}: {value!r}"
        active.clear()
        lane_var.set(None)
        if sys.getprofile() is not None:
            sys.setprofile(None)
        if len(served.profiled.records) > 1:
            yield f"{place}: two records"
        served.profiled.records.clear()
        served.once()
        if len(served.profiled.records) != 1:
            yield f"{place}: then {len(served.profiled.records)} records"
            served.profiled.records.clear()
            continue
        after = served.record()
        for name, value in record.items():
            if after[name] != value:
                yield f"{place}: then {name}: {after[name]!r}, not {value!r}"
    if _descriptors() > descriptors + FEW:
        yield f"{_descriptors() - descriptors} more descriptors are open"
    # Some depend on clocks.
    if len(missed) > FEW + MOST_MISSED * len(places):
        yield f"not reached: {missed}"


def _descriptors() -> int:
    return len(os.listdir("/dev/fd"))
