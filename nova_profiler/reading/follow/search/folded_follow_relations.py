# SPDX-License-Identifier: Apache-2.0
"""What the lines of a request lead to: other requests, RPC messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.messages import (
    requests_named_in,
    rpc_step_of,
)

_MESSAGE_ID = re.compile(
    rb"(?:msg_id: |unique_id: |'_msg_id': u?')([0-9a-f]{32})"
)


def ids_named_by(lines: Iterable[LogLine], known: list[str]) -> list[str]:
    """Return the ids that lines of the *known* requests lead to."""
    named: dict[str, None] = {}
    for line in lines:
        ids = (line.request_id, line.global_request_id)
        if not any(one in known for one in ids):
            continue
        named.update(dict.fromkeys(one for one in ids if one))
        if line.request_id in known:
            named.update(dict.fromkeys(requests_named_in(line.message)))
    return [one for one in named if one not in known]


def messages_of(lines: Iterable[LogLine]) -> set[str]:
    """Return the ids of RPC messages that these lines send or receive."""
    steps = (rpc_step_of(line.message) for line in lines)
    return {step.message_id for step in steps if step and step.message_id}


def holds_any(
    ids: list[bytes], messages: set[str]
) -> Callable[[bytes], object]:
    """Return what tells a line of these requests or RPC messages."""

    def holds(line: bytes) -> bool:
        if any(one in line for one in ids):
            return True
        found = _MESSAGE_ID.search(line)
        return found is not None and found[1].decode() in messages

    return holds
