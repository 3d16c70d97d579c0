# SPDX-License-Identifier: Apache-2.0
"""Hook that times the messages that oslo.messaging sends.

All of them go through two methods of the transport. Round those, clients and
notifiers turn arguments into what can be sent, and answers back: that is
named apart, since it is work of the request's own thread.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nova_profiler.capture.call_names import NamedKeys
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, lane_here
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.hooks.rpc.message_names import (
    name_of_call,
    name_of_notification,
)
from nova_profiler.capture.hooks.rpc.senders import with_sender
from nova_profiler.capture.lanes import Lane
from nova_profiler.capture.timing import Timing
from nova_profiler.groups import RPC, RPC_SERIALISE

_HOOK = "rpc"
_BIT = CallKey(RPC.name, "").bit
_SERIALISE = CallKey(RPC_SERIALISE.name, "serialise")

# By lane: the stretch of serialising that goes on in it.
_serialising: dict[Lane, Timing] = {}


def install() -> Undo:
    """Time what is sent in the current lane; returns what undoes it."""
    keys = NamedKeys(RPC.name)
    transport = functools.partial(
        Point, _HOOK, "oslo_messaging.transport", has_front=True
    )
    client = functools.partial(
        Point, _HOOK, "oslo_messaging.rpc.client", has_front=True
    )
    notifier = functools.partial(
        Point, _HOOK, "oslo_messaging.notify.notifier", has_front=True
    )
    return patch_when_loaded(
        [
            transport(
                "Transport._send",
                _sent(keys),
                ("target", "message", "wait_for_reply"),
            ),
            transport(
                "Transport._send_notification",
                _notified(keys),
                ("target", "message"),
            ),
            client("_BaseCallContext.call", _serialised, ("method",)),
            client("_BaseCallContext.cast", _serialised, ("method",)),
            notifier("Notifier._notify", _serialised, ("payload",)),
        ]
    )


def _sent(keys: NamedKeys) -> Callable[[Any], Any]:
    def name_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        target, message = _facts(args, kwargs)
        waits = args[4] if len(args) > 4 else kwargs.get("wait_for_reply")
        return name_of_call(target, message, waits)

    return functools.partial(_timed, keys, name_of, has_sender=True)


def _notified(keys: NamedKeys) -> Callable[[Any], Any]:
    def name_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        return name_of_notification(*_facts(args, kwargs))

    return functools.partial(_timed, keys, name_of)


def _facts(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return target and message, which stand behind the transport."""
    return (
        args[1] if len(args) > 1 else kwargs["target"],
        args[3] if len(args) > 3 else kwargs["message"],
    )


def _with_sender(
    args: tuple[Any, ...], kwargs: dict[str, Any], lane: Lane
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments with a context that names the sender."""
    if len(args) > 2:
        ctxt = with_sender(args[2], lane.capture)
        return (*args[:2], ctxt, *args[3:]), kwargs
    if "ctxt" in kwargs:
        ctxt = with_sender(kwargs["ctxt"], lane.capture)
        return args, {**kwargs, "ctxt": ctxt}
    return args, kwargs


def _timed(
    keys: NamedKeys,
    name_of: Callable[..., str],
    send: Callable[..., Any],
    has_sender: bool = False,
) -> Callable[..., Any]:
    @functools.wraps(send)
    def timed_send(*args: Any, **kwargs: Any) -> Any:
        lane = None
        try:
            if active:
                lane = lane_here()
            if lane is not None:
                key = keys.key(name_of(args, kwargs))
        except Exception as exc:
            HOOK_FAILURES.note("rpc_hook", exc)
            key = keys.other
        if lane is None:
            return send(*args, **kwargs)
        return _in_lane(lane, key, send, args, kwargs, has_sender)

    return timed_send


def _in_lane(
    lane: Lane,
    key: CallKey,
    send: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    has_sender: bool,
) -> Any:
    """Return what *send* returns: no serialising goes on meanwhile."""
    outer = timing = error = None
    try:
        outer = _serialising.pop(lane, None)
        if outer is not None:
            outer.end(_SERIALISE)
        timing = Timing(lane, _BIT)
        if has_sender:
            # The call has begun: its message is sent within it, however long
            # this thread waits for a processor here.
            args, kwargs = _with_sender(args, kwargs, lane)
    except Exception as exc:
        HOOK_FAILURES.note("rpc_hook", exc)
    try:
        return send(*args, **kwargs)
    except BaseException as exc:
        error = exc
        raise
    finally:
        try:
            if timing is not None:
                name = None if error is None else type(error).__name__
                timing.end(key, name)
            if outer is not None:
                _serialising[lane] = Timing(lane, _SERIALISE.bit)
        except Exception as exc:
            HOOK_FAILURES.note("rpc_hook", exc)
        # It holds the frame.
        error = None


def _serialised(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def call_with_serialising(*args: Any, **kwargs: Any) -> Any:
        lane = outer = None
        try:
            if active:
                lane = lane_here()
            if lane is not None:
                # An object may ask for more while it is being serialised.
                outer = _serialising.get(lane)
                _serialising[lane] = Timing(lane, _SERIALISE.bit)
        except Exception as exc:
            HOOK_FAILURES.note("rpc_hook", exc)
        if lane is None:
            return call(*args, **kwargs)
        try:
            return call(*args, **kwargs)
        finally:
            try:
                last = _serialising.pop(lane, None)
                if outer is not None:
                    _serialising[lane] = outer
                if last is not None:
                    last.end(_SERIALISE)
            except Exception as exc:
                HOOK_FAILURES.note("rpc_hook", exc)
                # A lane must not stay.
                _serialising.clear()

    return call_with_serialising
