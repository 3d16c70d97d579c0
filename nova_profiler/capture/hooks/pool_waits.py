# SPDX-License-Identifier: Apache-2.0
"""Hook that names how long work waited for a worker of its executor.

It is a wait of the piece of work, the first thing in its lane. The request
waits for it only as far as its own thread waits meanwhile.
"""

from __future__ import annotations

import functools
from time import perf_counter
from typing import Any

from nova_profiler.capture.call_names import (
    MOST_NAMES,
    NamedKeys,
    without_ids,
)
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import add_wait
from nova_profiler.groups import POOL

# nova names the executor, Python the threads of its own.
_NAMES = ("name", "_thread_name_prefix")

_keys = NamedKeys(POOL.name)
_short_name = functools.lru_cache(MOST_NAMES)(without_ids)
_installers: list[object] = []


def install() -> Undo:
    """Name what the hook ``threads`` takes along; returns what undoes it."""
    installer = object()
    _installers.append(installer)

    def undo() -> None:
        if installer in _installers:
            _installers.remove(installer)

    return undo


def note_submit(call: Any, executor: object) -> None:
    """Have *call*, a LaneCall that *executor* gets now, add its wait."""
    if _installers:
        try:
            key = _keys.key(name_of(executor))
        except Exception as exc:
            # A name that is no text, or raises.
            HOOK_FAILURES.note("pool_hook", exc)
            key = _keys.other
        call.begins = functools.partial(_add, key, perf_counter())


def name_of(executor: object) -> str:
    """Return the name of *executor*, or of its kind, without ids.

    ``cell_worker`` for nova's ``MainProcess.cell_worker``.
    """
    for attribute in _NAMES:
        name = getattr(executor, attribute, None)
        if isinstance(name, str) and name:
            return _short_name(name.rpartition(".")[2])
    return without_ids(type(executor).__name__)


def _add(key: CallKey, since: float, lane: Lane) -> None:
    add_wait(lane, key, since, perf_counter())
