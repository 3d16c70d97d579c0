# SPDX-License-Identifier: Apache-2.0
"""The contenders: a row here and an ``install`` function each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.application.workloads import Engines
from benchmarks.running.wsgi_client import App


class Place(NamedTuple):
    """What a contender is installed into."""

    app: App
    engines: Engines
    statsd_port: int
    directory: Path


class Seen(NamedTuple):
    """What a contender recorded since it was last asked."""

    requests: int = 0
    statements: int = 0
    calls: int = 0
    stacks: int = 0


class Installed(NamedTuple):
    """A contender at work.

    ``app`` is what a server would serve. ``seen`` is asked between
    requests only; ``settle`` is called when the checking is over and the
    measuring begins. ``headers`` go into the environ of each request.
    """

    app: App
    seen: Callable[[], Seen]
    settle: Callable[[], None] = lambda: None
    headers: tuple[tuple[str, str], ...] = ()


class Contender(NamedTuple):
    """One row of the price table.

    ``sees`` names the fields of Seen that it fills for a request with
    something of the kind; the others must stay empty.
    """

    name: str
    install: str
    sees: frozenset[str]
    label: str


_ALL = frozenset({"requests", "statements", "calls"})
_NONE: frozenset[str] = frozenset()
_STACKS = frozenset({"stacks"})

REFERENCES = ("baseline", "baseline-2", "baseline-3")

_ROWS = (
    *((name, "bare:nothing", _NONE, "the bare application")
      for name in REFERENCES),
    ("baseline-aa", "bare:nothing", _NONE, "the same again: the noise"),
    ("floor", "floor:install", _ALL, "the same work, by hand"),
    ("ours-off", "ours:off", _NONE, "enabled = false"),
    ("ours", "ours:everything", _ALL, "all hooks, statsd, log_file"),
    ("ours-outside", "ours:outside", _NONE, "hooks on, no request"),
    ("osprofiler-idle", "osprofiler_tracing:idle", _NONE, "no trace header"),
    ("osprofiler", "osprofiler_tracing:tracing", _ALL, "null notifier"),
    ("opentelemetry", "opentelemetry_tracing:install", _ALL,
     "wsgi, sqlalchemy, null exporter"),
    ("werkzeug", "stacks:werkzeug", _STACKS, "cProfile in its middleware"),
    ("cprofile", "stacks:cprofile", _STACKS, "enable() and disable()"),
    ("pyinstrument", "stacks:pyinstrument", _STACKS, "interval 1 ms"),
)  # fmt: skip

CONTENDERS = {row[0]: Contender(*row) for row in _ROWS}


def install(contender: Contender, place: Place) -> Installed:
    """Return *contender*, imported and wrapped around the application."""
    module_name, _, function_name = contender.install.partition(":")
    # Imported here, so that a process holds no other contender's code.
    module = importlib.import_module(f"benchmarks.contenders.{module_name}")
    installed: Installed = getattr(module, function_name)(place)
    return installed
