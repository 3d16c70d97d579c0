# SPDX-License-Identifier: Apache-2.0
"""The profilers that watch every function and record stacks alone."""

from __future__ import annotations

import cProfile
import io
import pstats
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.contenders import Installed, Place, Seen


def werkzeug(place: Place) -> Installed:
    """Return werkzeug's middleware, printing nothing while it is measured."""
    from werkzeug.middleware.profiler import ProfilerMiddleware

    report = io.StringIO()
    middleware = ProfilerMiddleware(place.app, stream=report)

    def seen() -> Seen:
        stacks = report.getvalue().count("\n")
        report.truncate(0)
        return Seen(stacks=stacks)

    def settle() -> None:
        middleware._stream = None

    return Installed(middleware, seen, settle)


def cprofile(place: Place) -> Installed:
    """Return the application between enable() and disable()."""
    last: list[cProfile.Profile] = []

    def app(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        profile = cProfile.Profile()
        profile.enable()
        try:
            return place.app(environ, start_response)
        finally:
            profile.disable()
            last[:] = [profile]

    def seen() -> Seen:
        stats = pstats.Stats(last.pop()).stats if last else {}
        return Seen(stacks=len(stats))

    return Installed(app, seen)


def pyinstrument(place: Place) -> Installed:
    """Return the application between start() and stop(), each 1 ms."""
    from pyinstrument import Profiler

    stopped: list[Any] = []

    def app(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        profiler = Profiler(interval=0.001)
        profiler.start()
        try:
            return place.app(environ, start_response)
        finally:
            stopped[:] = [profiler.stop()]

    def seen() -> Seen:
        return Seen(stacks=len(stopped.pop().frame_records) if stopped else 0)

    return Installed(app, seen)
