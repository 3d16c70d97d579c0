# SPDX-License-Identifier: Apache-2.0
"""Calls of the groups beside the database's, timed without their inner ones.

The calls of a lane lie within each other and never across, so that each
moment belongs to the innermost one. ``Timing`` takes what was named inside
a call off its own time while the request goes on; nothing is left to guess
when the record is made. The database's hooks, which are the quickest, keep
sums of their own that this module reads.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

from nova_profiler.capture.calls import CallKey, Calls
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.lanes import NEVER, Lane

Result = TypeVar("Result")

# Hooks of what is called often name only waits longer than this.
MIN_WAIT_S = 0.0001


def call_timed(
    lane: Lane,
    key: CallKey,
    function: Callable[..., Result],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Result:
    """Return ``function(*args, **kwargs)``, a call of *key* in *lane*."""
    timing = None
    try:
        timing = Timing(lane, key.bit)
    except Exception as exc:
        HOOK_FAILURES.note("hook", exc)
    try:
        result = function(*args, **kwargs)
    except BaseException as exc:
        try:
            if timing is not None:
                timing.end(key, type(exc).__name__)
        except Exception as fault:
            HOOK_FAILURES.note("hook", fault)
        raise
    try:
        if timing is not None:
            timing.end(key)
    except Exception as exc:
        HOOK_FAILURES.note("hook", exc)
    return result


class Timing:
    """A call that goes on; its name may be known only at its end.

    The CPU clock is not asked while it does, since what it waits has its
    name, and is read once a millisecond at most. Written out where a call of
    ours would cost a tenth of it all.
    """

    __slots__ = (
        "_cpu_due",
        "_cpu_named_s",
        "_driver_s",
        "_in_db_api",
        "_named_s",
        "_open_groups",
        "lane",
        "start",
    )

    def __init__(self, lane: Lane, bit: int) -> None:
        """Begin it in *lane* now; *bit* is that of the key at its end."""
        self.lane = lane
        self._open_groups = open_groups = lane.open_groups
        lane.open_groups = open_groups | bit
        self._in_db_api = in_db_api = lane.in_db_api
        self._driver_s = lane.driver_s
        # As _named_s() has it.
        named_s = lane.driver_s + lane.other_s
        if not in_db_api:
            named_s += (
                lane.db_api_s - lane.db_api_driver_s - lane.db_api_other_s
            )
        self._named_s = named_s
        self.start = start = perf_counter()
        # Inside a statement the clock is not asked: its time so far gets its
        # name at its end.
        if lane.executing is not None:
            self._cpu_due = NEVER
            return
        if start > lane.cpu_due:
            lane.read_cpu(start, in_db_api)
        self._cpu_due = lane.cpu_due
        self._cpu_named_s = lane.cpu_named_s
        lane.cpu_due = NEVER

    def end(
        self,
        key: CallKey,
        error: str | None = None,
        figure: Any = 0,
        ended: float = 0.0,
    ) -> Calls | None:
        """End the call as one of *key*; return the calls that it joins.

        *error* is the class of its exception, *figure* what its group keeps
        of each call, *ended* when it was over if that is not now. None if
        the request ended before: then the call is in no figure of the record.
        """
        lane = self.lane
        start = self.start
        end = ended or perf_counter()
        in_db_api = self._in_db_api
        open_groups = lane.open_groups = self._open_groups
        cpu_due = self._cpu_due
        if cpu_due != NEVER:
            # All but what the driver had, which read_cpu() takes off itself.
            # Waits inside that were named afterwards are part of it.
            driver_s = lane.driver_s - self._driver_s
            lane.cpu_named_s = self._cpu_named_s - (end - start - driver_s)
            lane.cpu_due = cpu_due
            if end > cpu_due:
                lane.read_cpu(end, in_db_api)
        if lane.closed:
            return None
        # As _named_s() has it.
        named_s = lane.driver_s + lane.other_s
        if not in_db_api:
            named_s += (
                lane.db_api_s - lane.db_api_driver_s - lane.db_api_other_s
            )
        own_s = end - start - (named_s - self._named_s)
        lane.other_s += own_s
        if in_db_api:
            lane.db_api_other_s += own_s
        others_s = lane.others_s
        group = key.group
        if others_s is None:
            lane.others_s = {group: own_s}
        else:
            others_s[group] = others_s.get(group, 0.0) + own_s
        if open_groups & key.bit:
            key = key.nested
        calls = lane.add(key, (start, end, figure))
        if error is not None:
            calls.failed(start, error, lane.capture)
        return calls


def add_wait(
    lane: Lane, key: CallKey, start: float, end: float, inside_s: float = 0.0
) -> None:
    """Add a call of *key* that only waited, and has ended by now.

    For hooks that learn by its length whether a wait is worth a name.
    *inside_s* of it was named meanwhile.
    """
    if lane.closed:
        return
    own_s = end - start - inside_s
    lane.other_s += own_s
    if lane.in_db_api:
        lane.db_api_other_s += own_s
    # The clock of waiting ran on: this part of it has a name.
    lane.cpu_named_s -= own_s
    _add_own(lane, key.group, own_s)
    lane.add(key, (start, end, 0))


def _add_own(lane: Lane, group: str, own_s: float) -> None:
    others_s = lane.others_s
    if others_s is None:
        others_s = lane.others_s = {}
    others_s[group] = others_s.get(group, 0.0) + own_s


def named_s(lane: Lane) -> float:
    """Return how much of *lane*'s time has a name, for a difference later."""
    return _named_s(lane, lane.in_db_api)


def _named_s(lane: Lane, in_db_api: bool) -> float:
    """Return how much of *lane*'s time calls that ended have claimed.

    Inside a DB API call that goes on, its own time is not among it.
    """
    if in_db_api:
        return lane.driver_s + lane.other_s
    return (
        lane.driver_s
        + lane.other_s
        + (lane.db_api_s - lane.db_api_driver_s - lane.db_api_other_s)
    )
