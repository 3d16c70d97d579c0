# SPDX-License-Identifier: Apache-2.0
"""Hook that times child processes, privsep's calls and rootwrap's daemon.

Only the program's name is kept, or the function's that privsep calls.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

from nova_profiler.capture.call_names import NamedKeys, dotted
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import (
    active,
    lane_here,
)
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.hooks.processes.program_names import (
    SHELL,
    program_of,
)
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import MIN_WAIT_S, add_wait, call_timed
from nova_profiler.groups import LOCK, PROCESS

_HOOK = "process"
_SSH = "ssh_execute"
_DAEMON = "privsep-daemon"
_TURN = CallKey(LOCK.name, "rootwrap-daemon")

# By lane: since when it has waited for its turn at rootwrap's daemon.
_queueing: dict[Lane, float] = {}

_NameOf = Callable[[tuple[Any, ...], dict[str, Any]], str]


def install() -> Undo:
    """Time what is executed in the current lane; returns what undoes it."""
    timed = functools.partial(_timed, NamedKeys(PROCESS.name))
    point = functools.partial(Point, _HOOK)
    processes = "oslo_concurrency.processutils"
    rootwrap = "oslo_rootwrap.client"
    return patch_when_loaded(
        [
            point(processes, "execute", timed(_program), ("cmd",)),
            point(processes, "ssh_execute", timed(lambda *_: _SSH)),
            point(
                "oslo_privsep.daemon",
                "_ClientChannel.remote_call",
                timed(_function),
                ("name",),
                has_front=True,
            ),
            point(
                "oslo_privsep.priv_context",
                "PrivContext.start",
                timed(lambda *_: _DAEMON),
            ),
            # The inner one first: it is called with the outer in place.
            point(rootwrap, "Client._ensure_initialized", _having_its_turn),
            point(
                rootwrap,
                "Client.execute",
                lambda execute: timed(_command)(_queued(execute)),
                ("cmd",),
            ),
        ]
    )


def _program(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return SHELL if kwargs.get("shell") else program_of(args)


def _command(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return program_of(args[1] if len(args) > 1 else kwargs["cmd"])


def _function(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return dotted(args[1] if len(args) > 1 else kwargs["name"])


def _timed(
    keys: NamedKeys, name_of: _NameOf
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed_call(*args: Any, **kwargs: Any) -> Any:
            lane = None
            try:
                if active:
                    lane = lane_here()
                if lane is not None:
                    key = keys.key(name_of(args, kwargs))
            except Exception as exc:
                HOOK_FAILURES.note("process_hook", exc)
                key = keys.other
            if lane is None:
                return function(*args, **kwargs)
            return call_timed(lane, key, function, args, kwargs)

        return timed_call

    return wrap


def _queued(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Return *execute* of rootwrap's client, which has one command at a time.

    Others wait in it for their turn.
    """

    @functools.wraps(execute)
    def queued_execute(*args: Any, **kwargs: Any) -> Any:
        lane = None
        try:
            lane = lane_here()
            if lane is not None:
                # Read off the stack, as long as the lane stands in it.
                key, queueing = _TURN, _queueing  # noqa: F841
                queueing[lane] = perf_counter()
        except Exception as exc:
            HOOK_FAILURES.note("process_hook", exc)
        try:
            return execute(*args, **kwargs)
        finally:
            try:
                if lane is not None:
                    _queueing.pop(lane, None)
            except Exception as exc:
                HOOK_FAILURES.note("process_hook", exc)
                # Not twice: a lane must not stay.
                _queueing.clear()

    return queued_execute


def _having_its_turn(begin: Callable[..., Any]) -> Callable[..., Any]:
    """Return *begin*, which is what a command does first in its turn."""

    @functools.wraps(begin)
    def begin_in_turn(*args: Any, **kwargs: Any) -> Any:
        try:
            lane = lane_here() if _queueing else None
            if lane is not None:
                since = _queueing.pop(lane, None)
                if since is not None:
                    now = perf_counter()
                    if now - since > MIN_WAIT_S:
                        add_wait(lane, _TURN, since, now)
        except Exception as exc:
            HOOK_FAILURES.note("process_hook", exc)
        return begin(*args, **kwargs)

    return begin_in_turn
