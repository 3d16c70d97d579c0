# SPDX-License-Identifier: Apache-2.0
"""When py-spy records, and which requests get what it recorded.

It runs in one thread of its own, which no request waits for. py-spy gives
its stacks out only at its end, so one recording follows another. The next
begins before the last ends: no request falls into a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

from nova_profiler.capture.profilers.pyspy.attribution import (
    Attribution,
    Recorded,
)
from nova_profiler.capture.profilers.pyspy.pace import LONG_S, Pace
from nova_profiler.capture.profilers.pyspy.result import attach_result
from nova_profiler.capture.profilers.pyspy.waits import Waits
from nova_profiler.capture.profilers.pyspy.watch import PyspyWatch, Watches

# A recording ends at this age, or when a request to keep has been over for
# a little while and the recording is not too young; py-spy's start and end
# take about 0.1 s of a processor.
LONGEST_S = 20.0
SHORTEST_S = 4.0
LINGER_S = 1.0
# This much is enough to know what py-spy costs here.
TRIAL_S = 2.0
# py-spy's --duration: it ends by itself if this process never stops it.
ALLOWED_S = 60
# After the last request py-spy goes on for this long, then rests.
IDLE_S = 10.0
TICK_S = 0.1
# How long to leave py-spy alone after it failed.
_FIRST_RETRY_S = 2.0
_LAST_RETRY_S = 600.0
# This share of the tags must be free, or else a recording ends early.
_FREE_TAGS = 0.25


class Recording(Recorded, Protocol):
    """py-spy at work; the real one is in recording.py."""

    asked: float
    began: float

    def spent_s(self) -> float:
        """Return the processor time that it took since it began."""

    def is_over(self) -> bool:
        """Return whether it ended without being asked."""

    def stop(
        self,
        take_line: Callable[[bytes], None],
        take_running_line: Callable[[bytes], None],
    ) -> bool:
        """End it and hand over the lines; return whether all came."""

    def close(self) -> None:
        """End it and drop the lines."""


class Schedule:
    """Begins and ends recordings as requests come and go."""

    def __init__(
        self,
        start: Callable[[int], Recording],
        watches: Watches,
        note: Callable[..., None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """*start* begins a recording, its argument is looks a second."""
        self._start = start
        self._watches = watches
        self._note = note
        self._clock = clock
        self._recording: Recording | None = None
        self._waits = Waits()
        self.pace = Pace()
        # Whether what is recorded now is for a request that takes long.
        self._is_long = False
        self._ticked_at = 0.0
        self._spent_s = 0.0
        self._retry_at = 0.0
        self._retry_s = _FIRST_RETRY_S
        # Why there are no stacks, where there are none.
        self._trouble = ""

    def tick(self) -> float | None:
        """Do what is due; return in how many seconds to come again.

        None if there is nothing to do before the next request.
        """
        now = self._clock()
        recording = self._recording
        self._watches.let_silent_go(now)
        self._account(recording, now)
        if recording is None:
            if self._is_idle(now):
                self._hand_over(None, now)
                if not self._watches.live:
                    return None
            elif now >= self._retry_at:
                self._recording = self._started(now)
            if self._recording is None:
                self._hand_over(None, now)
        elif recording.is_over():
            self._trouble = "py-spy ended unasked"
            self._note("pyspy_ended")
            self._close(recording, None)
            self._back_off(now)
        elif self._is_due(recording, now):
            self._learn(recording, now)
            following = None if self._is_idle(now) else self._started(now)
            self._close(recording, following)
        return TICK_S

    def end(self) -> None:
        """End what is recorded now; hand over what there is."""
        if self._recording is not None:
            self._close(self._recording, None)
        self._hand_over(None, self._clock(), at_end=True)

    def abandon(self) -> None:
        """End what is recorded now and forget what it had."""
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()

    def _is_idle(self, now: float) -> bool:
        watches = self._watches
        if now - watches.began_at < IDLE_S:
            return False
        return all(watch.ended for watch in list(watches.live.values()))

    def _is_due(self, recording: Recording, now: float) -> bool:
        watches = self._watches
        age = now - recording.began
        pool = watches.pool
        return (
            age >= LONGEST_S
            or self._wants_other_pace(recording, now)
            or (age >= TRIAL_S and pool.left < pool.size * _FREE_TAGS)
            or (
                age >= SHORTEST_S
                and watches.kept_at > 0
                and now >= watches.kept_at + LINGER_S
            )
            or self._is_idle(now)
        )

    def _wants_other_pace(self, recording: Recording, now: float) -> bool:
        has_long = self._watches.has_worthy(now - LONG_S)
        if self._is_long:
            return self.pace.is_used_up() or not has_long
        if has_long and self.pace.is_worth_more():
            return True
        age = now - recording.began
        return age >= TRIAL_S and self.pace.is_wrong(
            recording.rate, recording.spent_s(), age
        )

    def _account(self, recording: Recording | None, now: float) -> None:
        """Take into account what py-spy took since the last time."""
        spent_s = 0.0 if recording is None else recording.spent_s()
        if self._ticked_at:
            self.pace.save(now - self._ticked_at, spent_s - self._spent_s)
        self._ticked_at = now
        self._spent_s = spent_s

    def _learn(self, recording: Recording, now: float) -> None:
        lasted = now - recording.began
        if lasted >= 2 * TICK_S:
            looks = recording.rate * lasted
            self.pace.learn(recording.spent_s(), looks)

    def _started(self, now: float) -> Recording | None:
        is_long = (
            self._watches.has_worthy(now - LONG_S)
            and self.pace.is_worth_more()
        )
        try:
            recording = self._start(self.pace.rate(is_long))
        except Exception as exc:
            self._trouble = getattr(exc, "strerror", None) or "no py-spy"
            if self._recording is None:
                self._note("pyspy", exc)
            else:
                # The one at work shows that py-spy may look. Only one can
                # at a time, and the new one was refused for that.
                self._trouble = "its next recording did not begin"
                self._note("pyspy_late")
            self._back_off(now)
            return None
        self._is_long = is_long
        self._spent_s = 0.0
        self._retry_s = _FIRST_RETRY_S
        self._trouble = ""
        return recording

    def _back_off(self, now: float) -> None:
        self._retry_at = now + self._retry_s
        self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S)

    def _close(
        self, recording: Recording, following: Recording | None
    ) -> None:
        """End *recording*, while *following* is at work already."""
        watches = self._watches
        watches.kept_at = 0.0
        lines = Attribution(watches.live)
        if not recording.stop(lines.take, lines.take_running):
            self._note("pyspy_cut_off")
        self._recording = following
        looked = lines.end(recording, self._waits)
        for watch in list(watches.live.values()):
            watch.cover(looked.since, looked.until)
            if watch.stacks is not None:
                watch.stacks.stand_for(looked.interval_s)
        asked = None if following is None else following.asked
        self._hand_over(asked, self._clock())

    def _hand_over(
        self,
        asked: float | None,
        now: float,
        at_end: bool = False,
    ) -> None:
        """Give the requests that are over their stacks, and free their tags.

        *asked* is when the recording at work now was asked for: a tag that
        was in use since then may turn up in it.
        """
        for watch in list(self._watches.live.values()):
            if watch.is_over(asked):
                if not watch.done and watch.attach_to is not None:
                    self._attach(watch)
                if at_end or watch.is_dropped(now):
                    watch.done = True
                    watch.stacks = None
                if watch.done:
                    self._watches.release(watch)

    def _attach(self, watch: PyspyWatch) -> None:
        watch.done = True
        try:
            attach_result(watch, self._waits, self._trouble)
        except Exception as exc:
            self._note("profile", exc)
