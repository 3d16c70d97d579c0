# SPDX-License-Identifier: Apache-2.0
"""Which requests the profiler watches, and which records become dumps."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from time import monotonic, time
from typing import Any

from nova_profiler.capture.choosing.armed_routes import Armed
from nova_profiler.capture.lanes import Served
from nova_profiler.record import FAILED, KILLED, RequestRecord
from nova_profiler.signed_headers import (
    OSPROFILER_INFO,
    TRIGGER,
    osprofiler_fault,
    trigger_fault,
)

# As oslo.middleware takes an id from a client.
_GLOBAL_ID = re.compile(
    r"req-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE
)

_FAILED = (FAILED, KILLED)


def is_kept(
    record: RequestRecord,
    dump_when: Collection[str],
    slow_ms: float,
    chosen: bool = True,
) -> bool:
    """Return whether *record* is dumped.

    *dump_when* holds any of slow (at least *slow_ms*), failed, profiled and
    all. *chosen* is whether a profile was asked for: some engines have one
    of every request.
    """
    if "all" in dump_when:
        return True
    return (
        ("slow" in dump_when and record.duration_ms >= slow_ms)
        or ("failed" in dump_when and record.outcome in _FAILED)
        or ("profiled" in dump_when and chosen and record.profile is not None)
    )


def is_drawn(request_id: str | None, rate: float) -> bool:
    """Return whether *request_id* is among the share *rate* of all ids.

    It depends on nothing else, so that every service draws the same ids.
    """
    if request_id is None or rate <= 0:
        return False
    digest = hashlib.blake2b(
        request_id.lower().encode("utf-8", "replace"), digest_size=8
    ).digest()
    return int.from_bytes(digest, "big") < rate * 2**64


class Choice:
    """Chooses the requests that are watched, before they are served."""

    def __init__(
        self,
        count: Callable[[str], None],
        clock: Callable[[], float] = monotonic,
        wall_clock: Callable[[], float] = time,
        draw: Callable[[], float] = random.random,
        directory: str | None = None,
    ) -> None:
        """Count bad triggers by *count*; note in *directory* what is armed."""
        self._count = count
        self._wall_clock = wall_clock
        self._draw = draw
        self._armed = Armed(clock, directory)

    def reason(
        self,
        asked: Served,
        profile_when: Collection[str],
        rate: float,
        keys: Sequence[str],
    ) -> str | None:
        """Return why what *asked* begins is watched, None if it is not."""
        if "always" in profile_when:
            return "always"
        if "signed" in profile_when and self._signed(asked, keys):
            return "signed"
        if "armed" in profile_when and self._is_armed(asked):
            return "armed"
        if "rate" in profile_when and self._drawn(asked.headers, rate):
            return "rate"
        return None

    def arm(self, method: str, path: str) -> None:
        """Watch the next few requests like the slow one to *path*."""
        self._armed.arm(method, path)

    def _is_armed(self, asked: Served) -> bool:
        try:
            return self._armed.take(asked.method, asked.path)
        except OSError:
            self._count("armed")
            return False

    def _signed(self, asked: Served, keys: Sequence[str]) -> bool:
        headers = asked.headers
        header = headers.get(TRIGGER)
        if header is not None:
            fault = trigger_fault(
                header, asked.method, asked.path, keys, self._wall_clock()
            )
        elif OSPROFILER_INFO in headers:
            fault = osprofiler_fault(headers, keys)
        else:
            return False
        if fault is not None:
            self._count(fault)
        return fault is None

    def _drawn(self, headers: Mapping[str, Any], rate: float) -> bool:
        # nova makes its own id later, within the pipeline; it passes that
        # on to other services in this header.
        global_id = headers.get("HTTP_X_OPENSTACK_REQUEST_ID")
        if isinstance(global_id, str) and _GLOBAL_ID.fullmatch(global_id):
            return is_drawn(global_id, rate)
        return self._draw() < rate
