# SPDX-License-Identifier: Apache-2.0
"""The reader process: looks when it is time, answers what it is asked.

It ends when its pipe does, and within half a second of its worker.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import sys
from collections.abc import Callable
from mmap import mmap
from time import monotonic, process_time
from typing import Any

from nova_profiler.capture.profilers.stacks.layouts import Layout
from nova_profiler.capture.profilers.stacks.reader.answers import (
    answer_of,
    frames_of,
)
from nova_profiler.capture.profilers.stacks.reader.live_slots import Slot
from nova_profiler.capture.profilers.stacks.reader.memory import (
    Gone,
    Refused,
)
from nova_profiler.capture.profilers.stacks.reader.pace import Pace
from nova_profiler.capture.profilers.stacks.reader.rounds import (
    Rounds,
    Target,
)
from nova_profiler.capture.profilers.stacks.reader.seen.ends import Clocks
from nova_profiler.capture.profilers.stacks.reader.seen.far_pieces import (
    piece_clocks,
)
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import Look
from nova_profiler.capture.profilers.stacks.reader.thread_states import WAITS
from nova_profiler.capture.profilers.stacks.slot_words import (
    ASLEEP,
    GO_ON,
    INTERVAL_US,
)

# Without work for so long it sleeps until it is woken, and then looks this
# often whether its worker is still there.
_IDLE_S = 1.0
_ASLEEP_S = 0.5
_TIDY_S = 1.0
# A round that is so late finds requests of which nothing is known.
_LATE_S = 1.0
# Multiples of it are spread evenly between whole numbers.
_GOLDEN = 0.6180339887
# Longest line that it is sent.
_MOST_INPUT = 1 << 20
# How long a start test's threads may keep it from seeing each state.
_STATES_S = 0.2


class Reader:
    """One worker's reader, between its pipes."""

    def __init__(self, rounds: Rounds, layout: Layout, asks: int) -> None:
        """*asks* is the file that the worker writes to."""
        self._rounds = rounds
        self._layout = layout
        self._asks = asks
        self._rest = b""
        self._poll = select.poll()
        self._poll.register(asks, select.POLLIN)
        self.pace = Pace()
        self._worker = os.getppid()
        now = monotonic()
        self._round_at = self._long_at = self._busy_at = self._tidy_at = now
        self._last_round = now
        # At the end of the last round, and since then on all but looks.
        self._spent_s, self._besides_s = process_time(), 0.0
        self._turn = 0.0

    def run(self) -> None:
        """Look and answer until the worker is gone."""
        while self._wait():
            interval_us = self._rounds.words[INTERVAL_US]
            self.pace.interval_s = interval_us / 1e6
            now = monotonic()
            if now >= self._round_at:
                if now - self._round_at > _LATE_S:
                    # It was stopped: what it finds did not begin meanwhile.
                    self._rounds.begin_anew()
                self._round(now, False)
            elif self._rounds.has_long and now >= self._long_at:
                self._round(now, True)
            if now >= self._tidy_at:
                self._tidy_at = now + _TIDY_S
                is_asleep = bool(self._rounds.words[ASLEEP])
                self._besides(self._rounds.tidy, is_asleep)

    def _round(self, now: float, is_long: bool) -> None:
        if self._rounds.look_at_all(only_long=is_long):
            self._busy_at = now
        # All since the last round: to wake up costs about as much as a look.
        spent_s, besides_s = process_time(), self._besides_s
        cost_s = spent_s - self._spent_s - besides_s
        self.pace.spent(is_long, cost_s, now - self._last_round, besides_s)
        self._spent_s, self._besides_s, self._last_round = spent_s, 0.0, now
        # Never in step with what the worker does again and again.
        self._turn = (self._turn + _GOLDEN) % 1.0
        around = 0.5 + self._turn
        self._long_at = now + self.pace.long_s() * around
        if not is_long:
            self._round_at = now + self.pace.steady_s() * around

    def _besides(self, do: Callable[..., None], *args: Any) -> None:
        """Have *do* called, whose price is not that of a look."""
        began_s = process_time()
        do(*args)
        self._besides_s += process_time() - began_s

    def _wait(self) -> bool:
        """Wait until something is due; return False if all is over."""
        words = self._rounds.words
        now = monotonic()
        if now - self._busy_at > _IDLE_S:
            # First this, then a look: a request that begins does it the
            # other way round, so that one of the two sees the other.
            words[ASLEEP] = 1
            if not self._rounds.live_slots():
                return self._sleep()
            words[ASLEEP] = 0
        due = self._round_at
        if self._rounds.has_long:
            due = min(due, self._long_at)
        if self._poll.poll(max(0.0, due - now) * 1000):
            return self._take()
        return True

    def _sleep(self) -> bool:
        if self._poll.poll(_ASLEEP_S * 1000):
            self._awake()
            return self._take()
        if os.getppid() != self._worker:
            return False
        if self._rounds.live_slots():
            self._awake()
        return True

    def _awake(self) -> None:
        self._rounds.words[ASLEEP] = 0
        self._rounds.begin_anew()
        self._round_at = self._busy_at = self._tidy_at = monotonic()

    def _take(self) -> bool:
        """Take what was asked; return False at the end of the pipe."""
        got = os.read(self._asks, 1 << 16)
        if not got or len(self._rest) > _MOST_INPUT:
            return False
        *lines, self._rest = (self._rest + got).split(b"\n")
        for line in lines:
            asked = json.loads(line or b'["wake"]')
            if asked[0] == "end":
                return False
            self._answer(asked)
        return True

    def _answer(self, asked: list[Any]) -> None:
        what, *values = asked
        if what == "keep":
            self._besides(self._answer_kept, *values)
        elif what in ("stands", "states"):
            is_standing = what == "stands"
            send(
                {
                    what: self._standing()
                    if is_standing
                    else self._states(values)
                }
            )
            # Looked at as often as can be, for the start test: the requests
            # after it would have to save that up.
            self._spent_s, self._besides_s = process_time(), 0.0
            self._last_round = monotonic()
        elif what == "counts":
            send({"counts": self._counts()})

    def _answer_kept(self, request: int, *known: Any) -> None:
        send({"request": request, **self._kept(request, *known)})

    def _kept(
        self, request: int, pieces: list[list[int]], *clocks: int
    ) -> dict[str, Any]:
        seen = self._rounds.requests.take(request)
        if seen is None:
            return {"looks": 0}
        seen.end(Clocks(*clocks), piece_clocks(pieces, clocks[0]))
        return answer_of(seen, self._layout, clocks[0])

    def _standing(self) -> list[Any]:
        """Return what stands in each slot now, for the start test."""
        rounds = self._rounds
        # Twice: the first look at a thread learns where its frames lie. One
        # that has asked may be on its way to where it waits.
        rounds.look_at_all()
        until = monotonic() + _STATES_S
        while rounds.look_at_all() and monotonic() < until:
            if all(one.state == WAITS for _, one in rounds.last):
                break
        return [self._shown(slot, look) for slot, look in rounds.last]

    def _shown(self, slot: Slot, look: Look) -> list[Any]:
        frames = frames_of(look.path, self._layout)
        return [slot.number, look.state, look.is_sure, frames]

    def _states(self, numbers: list[int]) -> list[Any]:
        """Return each state and stack that was seen of *numbers*.

        Looks until both were seen in a state other than the other's.
        """
        rounds = self._rounds
        found: dict[str, Any] = {}
        until = monotonic() + _STATES_S
        while (
            monotonic() < until and len({one[1] for one in found.values()}) < 2
        ):
            rounds.look_at_all()
            for slot, look in rounds.last:
                if slot.number in numbers:
                    one = self._shown(slot, look)
                    found[str(one[:2])] = one
        rounds.words[GO_ON] = 1
        return list(found.values())

    def _counts(self) -> dict[str, float]:
        rounds = self._rounds
        return {
            **vars(rounds.counts),
            "over": rounds.over,
            "requests": len(rounds.requests),
            "crowded_out": rounds.requests.crowded_out,
            "cpu_s": process_time(),
        }


def send(answer: dict[str, Any]) -> None:
    """Write one line to the worker; raises OSError once it is gone."""
    content = json.dumps(answer, separators=(",", ":")).encode() + b"\n"
    while content:
        content = content[os.write(1, content) :]


def main(about: str, slots: int) -> int:
    """Read the worker that *about* describes until it is gone.

    Its lines come as the standard input, and the answers go out as the
    standard output; *slots* is the file of its slots.
    """
    pid, layout, *addresses = json.loads(about)
    # One thread of the worker needs two files.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    target = Target(pid, Layout(*layout), *addresses)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    reader = Reader(
        Rounds(target, mmap(slots, 0)), target.layout, sys.stdin.fileno()
    )
    os.close(slots)
    try:
        reader.run()
    except Refused as exc:
        send({"refused": str(exc)})
        return 1
    except (Gone, BrokenPipeError):
        return 0
    except Exception as exc:
        # A fault of ours: the worker's log has what it was, and where.
        trace = exc.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        line = 0 if trace is None else trace.tb_lineno
        send({"failed": f"{type(exc).__name__} in line {line}"})
        return 1
    return 0
