# SPDX-License-Identifier: Apache-2.0
"""An engine of tests, its watch, and the filter with it."""

from __future__ import annotations

from serving import Profiled

ALWAYS = {"profiler": "stacks", "profile_when": ("always",)}


class FakeWatch:
    """Calls what it is given, between the marks of its engine."""

    def __init__(self, engine) -> None:
        self.engine = engine

    def run(self, function, /, *args):
        self.engine.seen.append("in")
        try:
            return function(*args)
        finally:
            self.engine.seen.append("out")

    def spawned(self, function):
        def call(*args, **kwargs):
            self.engine.seen.append("spawned")
            return function(*args, **kwargs)

        return call

    def finish(self, record) -> None:
        self.engine.seen.append("finish")
        record.profile = {"engine": "stacks", "file": None, "notes": []}


class FakeEngine:
    """An engine that keeps what was asked of it."""

    def __init__(self, name="stacks", watch=FakeWatch, watches_all=False):
        self.name = name
        self.watches_all = watches_all
        self.seen: list[str] = []
        self.asked: list[tuple[bool, float]] = []
        self.closed = 0
        self._watch = watch

    def watch(self, capture, chosen, interval_ms):
        self.asked.append((chosen, interval_ms))
        return self._watch(self)

    def close(self) -> None:
        self.closed += 1


def app(environ, start_response):
    """Answer with a list."""
    start_response("200 OK", [])
    return [b"ok"]


def profiled(application=app, engine=None, **options):
    """Return the filter with *engine* over *application*."""
    engine = engine or FakeEngine()
    options = {**ALWAYS, **options}
    return Profiled(application, load=lambda *_: engine, **options), engine
