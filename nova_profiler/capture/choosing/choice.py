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
from nova_profiler.capture.choosing.kept_kinds import wanted_of
from nova_profiler.capture.contracts import Served
from nova_profiler.record import RequestRecord
from nova_profiler.trust.signed_headers import (
    OSPROFILER_INFO,
    TRIGGER,
    osprofiler_fault,
    trigger_fault,
)

# As oslo.middleware takes an id from a client.
_GLOBAL_ID = re.compile(
    r"req-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE
)


def is_kept(
    record: RequestRecord,
    dump_when: Collection[str],
    slow_ms: float,
    chosen: bool = True,
) -> bool:
    """Return whether *record* is dumped.

    *dump_when* holds any of slow (at least *slow_ms*), failed, profiled and
    all, of every kind or of one. *chosen* is whether a profile was asked for:
    some engines have one of every request.
    """
    wanted = wanted_of(tuple(dump_when), record.kind)
    return (
        wanted.all
        or (wanted.slow and record.duration_ms >= slow_ms)
        or (wanted.failed and record.is_failed)
        or (wanted.profiled and chosen and record.profile is not None)
    )


def is_logged(
    record: RequestRecord,
    log_requests: bool | tuple[str, ...],
    slow_ms: float,
) -> bool:
    """Return whether *record* has a line in the log."""
    wanted = wanted_of(log_requests, record.kind)
    return (
        wanted.all
        or (wanted.slow and record.duration_ms >= slow_ms)
        or (wanted.failed and record.is_failed)
    )


def is_drawn(request_id: str | None, rate: float, key: str = "") -> bool:
    """Return whether *request_id* is among the share *rate* of all ids.

    It depends on nothing else, so that every service draws the same ids; and
    on the *key* that they share, without which a client could find out
    beforehand which ids these are.
    """
    if request_id is None or rate <= 0:
        return False
    digest = hashlib.blake2b(
        request_id.lower().encode("utf-8", "replace"),
        digest_size=8,
        key=hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        if key
        else b"",
    ).digest()
    return int.from_bytes(digest, "big") < rate * 2**64


# How many requests in a row their ids may choose, and how many times the
# rate in the long run: a client may send one id, or tried ids, ever again.
_MOST_IN_A_ROW = 10.0
_MOST_BY_IDS = 2.0


class Allowance:
    """How many more requests may be chosen by an id that a client sent.

    It grows with all requests. No lock is taken: two threads that count at
    once lose a fraction.
    """

    def __init__(self) -> None:
        self._left = _MOST_IN_A_ROW

    def grow(self, rate: float) -> None:
        """Count a request."""
        self._left = min(_MOST_IN_A_ROW, self._left + _MOST_BY_IDS * rate)

    def take(self) -> bool:
        """Return whether one more may be chosen, and count it."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


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
        self._allowance = Allowance()

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
        if "rate" in profile_when and self._drawn(asked.headers, rate, keys):
            return "rate"
        return None

    def arm(self, method: str, path: str, user: str = "") -> None:
        """Watch the next few requests like the slow one to *path*.

        *user* is a digest of whose that was.
        """
        self._armed.arm(method, path, user)

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

    def is_drawn_late(
        self, record: RequestRecord, rate: float, keys: Sequence[str]
    ) -> bool:
        """Return whether a request is chosen when it is over, by its id."""
        if rate <= 0:
            return False
        overall_id = record.global_request_id
        if overall_id is not None:
            return self._is_drawn_by_client(overall_id, rate, keys)
        # Its own id is nova's, which no client chooses.
        return is_drawn(record.request_id, rate, _first(keys))

    def _drawn(
        self, headers: Mapping[str, Any], rate: float, keys: Sequence[str]
    ) -> bool:
        if rate <= 0:
            return False
        # nova makes its own id later, within the pipeline; it passes that
        # on to other services in this header.
        global_id = headers.get("HTTP_X_OPENSTACK_REQUEST_ID")
        if isinstance(global_id, str) and _GLOBAL_ID.fullmatch(global_id):
            return self._is_drawn_by_client(global_id, rate, keys)
        self._allowance.grow(rate)
        return self._draw() < rate

    def _is_drawn_by_client(
        self, request_id: str, rate: float, keys: Sequence[str]
    ) -> bool:
        self._allowance.grow(rate)
        if not is_drawn(request_id, rate, _first(keys)):
            return False
        # Beyond the allowance chance decides, as for a request without an id.
        return self._allowance.take() or self._draw() < rate


def _first(keys: Sequence[str]) -> str:
    """Return the key that services share, empty where there is none."""
    return next(filter(None, keys), "")
