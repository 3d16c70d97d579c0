# SPDX-License-Identifier: Apache-2.0
"""One message while it is served, and what its record has of it.

Its context has tokens in clear, and its arguments have what users sent: of
both, fields are taken one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.hooks.rpc.senders import KEPT, sender_of
from nova_profiler.capture.hooks.rpc.senders import KEY as SENDER
from nova_profiler.capture.served.kinds.messages.message_routes import Key
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.served.wsgi_facts import checked_id, printable
from nova_profiler.record import FAILED, MESSAGE, OK, RequestRecord
from nova_profiler.record.trace_parents import KEY, trace_of

_IDENTITY = (
    "user_id",
    "project_id",
    "user_name",
    "project_name",
)
# A day: no message waits that long in a process.
_LONGEST_WAIT_S = 86400.0
_CALL, _CAST, _EITHER = MESSAGE.methods
_NO_HEADERS: Mapping[str, Any] = {}
_MISSING: Any = object()


class ServedMessage:
    """A message that a worker of an RPC server has begun with.

    Implements Served for its own capture.
    """

    capture: Capture

    __slots__ = (
        "_ctxt",
        "_worker",
        "capture",
        "error",
        "incoming",
        "is_dispatched",
        "key",
        "outcome",
        "path",
        "route",
        "target",
        "wait_ms",
    )

    def __init__(
        self,
        worker: Worker,
        incoming: Any,
        target: Any,
        route: str,
        key: Key,
    ) -> None:
        self._worker = worker
        self.incoming = incoming
        # The server's own: a message does not name its topic.
        self.target = target
        ctxt = incoming.ctxt
        self._ctxt: Mapping[str, Any] = ctxt if isinstance(ctxt, dict) else {}
        # What it asks for has no more of a path than that.
        self.route = self.path = route
        self.key = key
        self.wait_ms = _waited_ms(incoming)
        # Whether an endpoint has its method, and what came of that.
        self.is_dispatched = False
        self.outcome = OK
        self.error: str | None = None

    @property
    def method(self) -> str:
        """Whether its sender waits for an answer: CALL or CAST."""
        return _kind_of(self.incoming)

    @property
    def is_part_of_kept(self) -> bool:
        """Whether its sender says that the sender's record is kept."""
        # Asked for each message: most have no such mark.
        mark = self._ctxt.get(SENDER)
        return (
            type(mark) is dict
            and KEPT in mark
            and sender_of(self._ctxt, time()).is_kept
        )

    @property
    def headers(self) -> Mapping[str, Any]:
        """The id by which all services choose the same requests."""
        ctxt = self._ctxt
        found = ctxt.get("global_request_id") or ctxt.get("request_id")
        if not isinstance(found, str):
            return _NO_HEADERS
        return {"HTTP_X_OPENSTACK_REQUEST_ID": found}

    @property
    def trace_id(self) -> str | None:
        """The trace that came in with it, or with what sent it."""
        found = trace_of(self._ctxt.get(KEY))
        if found is not None:
            return found[0]
        return sender_of(self._ctxt, time()).trace_id

    @property
    def lookout(self) -> object:
        """What keeps track of it while it is on, None if nothing does."""
        return self._worker.lookout

    def request_id(self) -> None:
        """Return None: by its id a thread would not know which message.

        All messages of a request have the same one, and several may be
        served here at once.
        """
        return

    def answered_by(self, answer: BaseException) -> None:
        """Note that its method raised what it declares as an answer."""
        self.error = type(answer).__name__

    def failed_by(self, error: BaseException) -> None:
        """Note that its method raised *error*."""
        self.outcome = FAILED
        self.error = type(error).__name__

    def describe(self, record: RequestRecord) -> None:
        """Fill in what is known by now; called in another thread."""
        record.kind = MESSAGE.name
        record.route = self.route
        record.wait_ms = self.wait_ms
        self.fill(record)

    def fill(self, record: RequestRecord) -> None:
        """Fill in its sender, and the user that it serves."""
        ctxt = self._ctxt
        record.method = self.method
        # Without the first word.
        record.path = self.route.partition(" ")[2]
        record.error = self.error
        record.request_id = checked_id(ctxt.get("request_id"))
        record.global_request_id = checked_id(ctxt.get("global_request_id"))
        for name in _IDENTITY:
            value = ctxt.get(name)
            if value is not None:
                setattr(record, name, printable(value))
        record.remote_address = printable(ctxt.get("remote_address"))
        trace = ctxt.get(KEY)
        if trace is not None:
            record.trace_id, record.span_id = trace_of(trace) or (None, None)
        sender = sender_of(ctxt, time())
        record.parent_id = sender.record_id
        if sender.sent is not None:
            record.sent_at = self._worker.recorder.iso(sender.sent)
        if record.trace_id is None:
            record.trace_id = sender.trace_id


def _kind_of(incoming: Any) -> str:
    """Return whether its sender waits for an answer."""
    # oslo.messaging's drivers have one of these; without it, it is not known.
    for name in ("orig_msg_id", "_reply_q"):
        found = getattr(incoming, name, _MISSING)
        if found is not _MISSING:
            return _CALL if found else _CAST
    return _EITHER


def _waited_ms(incoming: Any) -> float | None:
    """Return how long it waited for a worker; None where none knows."""
    stopwatch = getattr(incoming, "stopwatch", None)
    if stopwatch is None:
        return None
    waited_s = stopwatch.elapsed()
    if type(waited_s) is not float or not 0 <= waited_s < _LONGEST_WAIT_S:
        return None
    return waited_s * 1000
