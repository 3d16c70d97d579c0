# SPDX-License-Identifier: Apache-2.0
"""Wraps what oslo.messaging's RPC servers do with a message.

Exceptions of a method end inside, as its reply: a second wrapper, round the
dispatcher, sees them. The endpoints themselves are left alone, since nova
keeps wrappers of their methods.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from nova_profiler.capture.current import current_lane, lane_var, leave
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks import Undo
from nova_profiler.capture.hooks.late_patches import Point, patch_when_loaded
from nova_profiler.capture.served.kinds.messages.message import ServedMessage
from nova_profiler.capture.served.kinds.messages.message_routes import (
    MessageRoutes,
    route_of_unknown,
)
from nova_profiler.capture.served.kinds.serving import Serving
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.settings.options import Settings
from nova_profiler.record import ABORTED, MESSAGE, OK, UNANSWERED

Call = Callable[..., Any]

_DISPATCHER = "oslo_messaging.rpc.dispatcher"


def install(worker: Worker) -> Undo:
    """Have messages timed by *worker*; returns what undoes it."""
    messages = _Messages(worker)
    return patch_when_loaded(
        [
            Point(
                MESSAGE.name,
                "oslo_messaging.rpc.server",
                "RPCServer._process_incoming",
                messages.wrapped,
                ("incoming",),
            ),
            Point(
                MESSAGE.name,
                _DISPATCHER,
                "RPCDispatcher.dispatch",
                messages.noted,
                ("incoming",),
            ),
            # Not of the interface: without it a failure that comes before
            # the method is taken for one of the method.
            Point(
                MESSAGE.name,
                _DISPATCHER,
                "RPCDispatcher._do_dispatch",
                messages.found,
                is_optional=True,
            ),
        ]
    )


class _Messages:
    """Times the messages of all servers in this process."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._serving = Serving(worker, MESSAGE)
        self._routes = MessageRoutes()
        self._sees_dispatch = False
        self._sees_method = False

    def noted(self, dispatch: Call) -> Call:
        """Return *dispatch*, which has its message note what it raises."""
        self._sees_dispatch = True
        return _noting(dispatch, self)

    def found(self, do_dispatch: Call) -> Call:
        """Return *do_dispatch*, which has its message note that it came there.

        An endpoint has the method then.
        """
        self._sees_method = True
        return _noting_method(do_dispatch)

    def note(self, message: ServedMessage, error: BaseException) -> None:
        """Have *message* note what its dispatching raised."""
        module = sys.modules[_DISPATCHER]
        if isinstance(error, module.ExpectedException):
            # nova's ordinary answers, such as InstanceNotFound.
            message.answered_by(error.exc_info[1])
            message.is_dispatched = True
            return
        message.failed_by(error)
        if not self._sees_method and not isinstance(
            error, (module.NoSuchMethod, module.UnsupportedVersion)
        ):
            message.is_dispatched = True

    def wrapped(self, process: Call) -> Call:
        """Return *process*, ``_process_incoming``, with a record of each."""

        @functools.wraps(process)
        def process_timed(*args: Any, **kwargs: Any) -> Any:
            message = None
            token: Any = None
            call = process
            try:
                settings = self._serving.settings()
                if settings is not None:
                    message = self._begun(settings, args, kwargs)
                    watch = message.capture.watch
                    if watch is not None:
                        call = functools.partial(watch.run, process)
                    token = lane_var.set(message.capture.main)
            except Exception as exc:
                self._failed(message, exc)
                message = None
            if message is None or settings is None:
                return process(*args, **kwargs)
            try:
                result = call(*args, **kwargs)
            except BaseException as exc:
                try:
                    self._ended(message, settings, exc)
                except Exception as fault:
                    self._failed(message, fault)
                raise
            finally:
                try:
                    lane_var.reset(token)
                except Exception as exc:
                    leave(token, exc)
            try:
                self._ended(message, settings)
            except Exception as exc:
                self._failed(message, exc)
            return result

        return process_timed

    def _begun(
        self,
        settings: Settings,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> ServedMessage:
        server = args[0]
        batch = args[1] if len(args) > 1 else kwargs["incoming"]
        incoming = batch[0]
        target = server._target
        route, key = self._routes.route_of(target, incoming.message)
        message = ServedMessage(self._worker, incoming, target, route, key)
        # Before it begins: a fault from then on would leave it on for ever.
        is_part = message.is_part_of_kept and self._serving.takes_part()
        capture = self._worker.begin(message, settings, MESSAGE.name)
        message.capture = capture
        if is_part:
            capture.is_kept = True
        return message

    def _ended(
        self,
        message: ServedMessage,
        settings: Settings,
        error: BaseException | None = None,
    ) -> None:
        """End *message*, which *error* may have broken off."""
        stopped = perf_counter()
        if error is not None:
            message.failed_by(error)
            message.outcome = ABORTED
        elif (
            message.outcome == OK
            and self._sees_dispatch
            and not message.is_dispatched
        ):
            # It could not be acknowledged.
            message.outcome = UNANSWERED
        if not self._has_route(message):
            # What asked for it may be anything.
            message.route = route_of_unknown(message.target)
        self._serving.ended(
            message.capture,
            settings,
            stopped,
            message.outcome,
            message.fill,
            message.route,
            message.wait_ms,
        )

    def _has_route(self, message: ServedMessage) -> bool:
        """Return whether its route is one of the few of this process."""
        if not message.is_dispatched and (
            self._sees_dispatch or self._sees_method
        ):
            return False
        # conductor answers by what an object's method raised, whatever it is.
        if message.outcome == OK and message.error is None:
            return self._routes.learn(message.key, message.route)
        return self._routes.learn_failed(message.route)

    def _failed(self, message: ServedMessage | None, exc: Exception) -> None:
        """Count a fault of ours; *message* has no record then."""
        self._worker.failures.note("message", exc)
        capture = getattr(message, "capture", None)
        if capture is not None:
            self._worker.forget(capture)


def _noting(dispatch: Call, messages: _Messages) -> Call:
    @functools.wraps(dispatch)
    def dispatch_noted(*args: Any, **kwargs: Any) -> Any:
        message = None
        try:
            message = _message_of(args, kwargs)
        except Exception as exc:
            HOOK_FAILURES.note("message_hook", exc)
        if message is None:
            return dispatch(*args, **kwargs)
        try:
            result = dispatch(*args, **kwargs)
        except BaseException as exc:
            try:
                messages.note(message, exc)
            except Exception as fault:
                HOOK_FAILURES.note("message_hook", fault)
            raise
        try:
            # Whatever led there.
            message.is_dispatched = True
        except Exception as exc:
            HOOK_FAILURES.note("message_hook", exc)
        return result

    return dispatch_noted


def _noting_method(do_dispatch: Call) -> Call:
    @functools.wraps(do_dispatch)
    def method_noted(*args: Any, **kwargs: Any) -> Any:
        try:
            lane = current_lane()
            served = None if lane is None else lane.capture.served
            # It is what is dispatched: nothing else comes here in between.
            if type(served) is ServedMessage:
                served.is_dispatched = True
        except Exception as exc:
            HOOK_FAILURES.note("message_hook", exc)
        return do_dispatch(*args, **kwargs)

    return method_noted


def _message_of(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> ServedMessage | None:
    """Return what is served here, if it is what is dispatched."""
    lane = current_lane()
    if lane is None:
        return None
    served = lane.capture.served
    incoming = args[1] if len(args) > 1 else kwargs.get("incoming")
    if isinstance(served, ServedMessage) and served.incoming is incoming:
        return served
    return None
