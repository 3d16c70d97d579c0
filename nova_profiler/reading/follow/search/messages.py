# SPDX-License-Identifier: Apache-2.0
"""What log messages name: DB API calls, RPC messages, other requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from nova_profiler.reading.follow.search.hits import LogLine

CALL = "call"
CAST = "cast"
RECEIVED = "received"
REPLY = "reply"
ANSWERED = "answered"
# What became of a call that was not answered in time.
TIMED_OUT = "timed out"
UNDELIVERED = "undelivered"


class DbCall(NamedTuple):
    """One call of a DB API function, and its time."""

    name: str
    ms: float


class RpcStep(NamedTuple):
    """One step of an RPC message: sent, received, replied, answered.

    All steps of a message have its ``message_id``; the lines of the sender
    have the ``topic``.
    """

    step: str
    message_id: str
    topic: str = ""


# `nova.db.main.api.instance_get 0.120 sec`: a line of our log_calls, and the
# form in which nova-api's DB API times were logged by hand since Grizzly.
_DB_CALL = re.compile(
    r"(?:[\w.]{1,100} )?([\w.]{1,200}):? "
    r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(?:s|sec|secs|seconds)\b"
)
# oslo.messaging, and nova's own RPC before it.
_SENT = re.compile(
    r"(CALL msg_id|CAST unique_id): ([0-9a-f]{32}) "
    r"(?:FANOUT |NOTIFY )?(?:exchange '[^']*' )?(?:topic '([^']*)')?"
)
_STEPS = (
    (re.compile(r"received message msg_id: ([0-9a-f]{32})"), RECEIVED),
    (re.compile(r"received message with unique_id: ([0-9a-f]{32})"), RECEIVED),
    (re.compile(r"sending reply msg_id: ([0-9a-f]{32})"), REPLY),
    (re.compile(r"received reply msg_id: ([0-9a-f]{32})"), ANSWERED),
    (re.compile(r"MSG_ID is ([0-9a-f]{32})"), CALL),
    (re.compile(r"'_msg_id': u?'([0-9a-f]{32})'"), RECEIVED),
)
_LATE = (
    (
        re.compile(
            r"waiting for a reply to message ID:? ([0-9a-f]{32})",
            re.IGNORECASE,
        ),
        TIMED_OUT,
    ),
    (re.compile(r"drop reply to ([0-9a-f]{32})"), UNDELIVERED),
    (re.compile(r"The reply ([0-9a-f]{32}) failed"), UNDELIVERED),
    (re.compile(r"waiting for msg_id ?: ([0-9a-f]{32})"), UNDELIVERED),
)
# Lines about a step hold one of these, whatever the message.
RPC_MARKS = (
    b"msg_id: ",
    b"unique_id: ",
    b"'_msg_id': ",
    b"msg_id : ",
    b"reply to ",
    b"The reply ",
)
_MESSAGE_ID = re.compile(
    rb"(?:msg_id ?: |unique_id: |'_msg_id': u?'|reply to (?:message ID:? )?"
    rb"|The reply )([0-9a-f]{32})"
)
_OLD_SENT = re.compile(
    r"Making (?:a )?(synchronous call|asynchronous cast|asynchronous call) "
    r"on ([\w.-]*\w)"
)
# As it stands in lines. In JSON anything may have the name of one.
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_OTHER_REQUEST = re.compile(
    r"(?i)\brequest[-_ ]ids?\b\W{1,6}(req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}"
    r"-[0-9a-f]{12})"
)


def db_call_of(message: str) -> DbCall | None:
    """Return the DB API call that *message* times, None if it is another."""
    match = _DB_CALL.match(message)
    if match is None or "db" not in match[1].split(".")[:-1]:
        return None
    return DbCall(match[1], float(match[2]) * 1000)


def rpc_step_of(message: str) -> RpcStep | None:
    """Return the RPC step that *message* logs, None if it is another."""
    match = _SENT.search(message)
    if match is not None:
        step = CALL if match[1].startswith("CALL") else CAST
        return RpcStep(step, match[2], match[3] or "")
    for pattern, step in _STEPS:
        match = pattern.search(message)
        if match is not None:
            return RpcStep(step, match[1])
    match = _OLD_SENT.search(message)
    if match is not None:
        step = CAST if "cast" in match[1] else CALL
        return RpcStep(step, "", match[2])
    return None


def late_reply_of(message: str) -> RpcStep | None:
    """Return what *message* has of a reply that came late or never."""
    if "reply" not in message and "msg_id" not in message:
        return None
    for pattern, step in _LATE:
        match = pattern.search(message)
        if match is not None:
            return RpcStep(step, match[1])
    return None


def requests_named_in(message: str) -> list[str]:
    """Return the ids of the requests that this one made to other services.

    keystoneauth and nova log them after each call: ``GET call to network
    for http://... used request id req-...``.
    """
    return _OTHER_REQUEST.findall(message)


def ids_named_by(lines: Iterable[LogLine], known: list[str]) -> list[str]:
    """Return the ids that lines of the *known* requests lead to."""
    named: dict[str, None] = {}
    for line in lines:
        ids = (line.request_id, line.global_request_id)
        if not any(one in known for one in ids):
            continue
        named.update(
            dict.fromkeys(one for one in ids if one and _ID.fullmatch(one))
        )
        if line.request_id in known:
            named.update(dict.fromkeys(requests_named_in(line.message)))
    return [one for one in named if one not in known]


def messages_of(lines: Iterable[LogLine]) -> set[str]:
    """Return the ids of RPC messages that these lines send or receive."""
    steps = (
        rpc_step_of(line.message) or late_reply_of(line.message)
        for line in lines
    )
    return {step.message_id for step in steps if step and step.message_id}


def holds_any(
    ids: list[bytes], messages: set[str]
) -> Callable[[bytes], object]:
    """Return the test for lines of these requests or RPC messages."""

    def holds(line: bytes) -> bool:
        if any(one in line for one in ids):
            return True
        found = _MESSAGE_ID.search(line)
        return found is not None and found[1].decode() in messages

    return holds
