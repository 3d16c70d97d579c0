# SPDX-License-Identifier: Apache-2.0
"""One round: a look at each thread that works for a request."""

from __future__ import annotations

from collections.abc import Iterable
from mmap import mmap
from time import monotonic_ns
from typing import NamedTuple

from nova_profiler.capture.profilers.stacks.layouts import (
    GIL_WAITS_FROM,
    GIL_WAITS_UNTIL,
    Layout,
)
from nova_profiler.capture.profilers.stacks.reader.call_paths import (
    Calls,
    Path,
)
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Names
from nova_profiler.capture.profilers.stacks.reader.live_slots import (
    Slot,
    live_slots,
)
from nova_profiler.capture.profilers.stacks.reader.memory import Memory
from nova_profiler.capture.profilers.stacks.reader.pace import LONG_AFTER_NS
from nova_profiler.capture.profilers.stacks.reader.parked import Parked
from nova_profiler.capture.profilers.stacks.reader.seen.all_requests import (
    SeenRequests,
)
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import Look
from nova_profiler.capture.profilers.stacks.reader.stack.known_stack import (
    Counts,
)
from nova_profiler.capture.profilers.stacks.reader.stack.looks import (
    Over,
    ThreadLooks,
)
from nova_profiler.capture.profilers.stacks.reader.stack.walks import Torn
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    RUNS,
    WAITS,
    Times,
    state_of,
)
from nova_profiler.capture.profilers.stacks.reader.threads import (
    Thread,
    Threads,
)
from nova_profiler.capture.profilers.stacks.slot_words import (
    NUMBER,
    REQUEST,
    THREAD,
    TID,
    USED,
    WORDS,
)

# Call paths in mind; past this, and twice what one round needs, the tree is
# begun anew the next second, and past so much at once.
_MOST_PATHS = 4000
_MOST_AT_ONCE = 40_000


class Live(NamedTuple):
    """A piece that is worked at: of which request, and since when."""

    request: int
    began_ns: int


class Target(NamedTuple):
    """The process that is looked at, and what is where in it."""

    pid: int
    layout: Layout
    # Addresses: of the GIL, and of the type of code objects.
    gil: int
    code_type: int
    # Where a greenlet's state has its frame; 0: there are none.
    greenlet_frame: int = 0


class Rounds:
    """All that is looked at in one process."""

    def __init__(self, target: Target, slots: mmap) -> None:
        self.words = memoryview(slots).cast("Q")
        self._target = target
        self._memory = Memory(target.pid)
        self.names = Names(self._memory, target.layout, target.code_type)
        self._calls = Calls()
        self.counts = Counts()
        self._root = Path(None)
        self._is_new_tree, self._most_paths = False, _MOST_PATHS
        self._parked = Parked(
            self._memory,
            target.layout,
            target.greenlet_frame,
            self.names,
            self._calls,
            self.counts,
        )
        self._threads = Threads(target.pid, self._new_looks)
        self.requests = SeenRequests()
        # Pieces that were live in the last round, and when that was.
        self._live: dict[int, Live] = {}
        self._round_ns = monotonic_ns()
        # Whether a request that takes long was on then.
        self.has_long = False
        # What was seen in the last round, for the start test.
        self.last: list[tuple[Slot, Look]] = []
        # Looks that found none of the requests any more.
        self.over = 0

    def live_slots(self) -> list[Slot]:
        """Return the pieces that are worked at now."""
        return live_slots(self.words)

    def look_at_all(self, only_long: bool = False) -> int:
        """Look once at each thread that works for a request.

        With *only_long*, for one that has been on for a while. Returns how
        many pieces were live. Raises Gone or Refused.
        """
        slots = self.live_slots()
        self._note_live(slots)
        words, live = self.words, self._live
        threads: dict[tuple[int, int], list[Slot]] = {}
        before = monotonic_ns() - LONG_AFTER_NS
        is_long = False
        for slot in slots:
            if live[slot.number].began_ns < before:
                is_long = True
            elif only_long and not slot.greenlet:
                continue
            key = words[slot.at + THREAD], words[slot.at + TID]
            threads.setdefault(key, []).append(slot)
        self.has_long = is_long
        self.last = []
        self._threads.next_round()
        for key, of_thread in threads.items():
            self._look(key, of_thread)
        if not only_long:
            self._note_paths()
        return len(slots)

    def _note_paths(self) -> None:
        paths = self.counts.paths
        if self._is_new_tree:
            # A thousand threads have more paths than are kept of a few.
            self._is_new_tree = False
            self._most_paths = max(_MOST_PATHS, 2 * paths)
        elif paths >= max(_MOST_AT_ONCE, 2 * self._most_paths):
            # Stacks so deep that a second would be too long.
            self._forget_paths()

    def begin_anew(self) -> None:
        """Take what is found next for begun now, as after a sleep."""
        self._round_ns = monotonic_ns()

    def _note_live(self, slots: Iterable[Slot]) -> None:
        """Note which pieces began and ended since the last round.

        When that was is not known: halfway, in the mean.
        """
        now_ns = monotonic_ns()
        between_ns = (self._round_ns + now_ns) // 2
        before = self._live
        live: dict[int, Live] = {}
        for slot in slots:
            known = before.pop(slot.number, Live(slot.request, between_ns))
            live[slot.number] = known
        for number, (request, _) in before.items():
            seen = self.requests.get(request)
            if seen is not None:
                seen.end_piece(number, between_ns)
        self._live, self._round_ns = live, now_ns

    def _look(self, key: tuple[int, int], slots: list[Slot]) -> None:
        is_green = bool(slots[0].greenlet)
        thread = self._threads.of(key, is_green)
        if thread is None:
            return
        try:
            times = thread.files.times()
            at_ns, paths = monotonic_ns(), self.counts.paths
            if not self._has_stood(thread, times, slots):
                thread.seen = None
                state = state_of(thread.files.call(), *self._gil)
                by_mark = {slot.mark: slot for slot in slots}
                thread.seen = thread.looks.look(
                    lambda: self._still(by_mark), is_green
                )
                thread.state = state
                thread.times = times
                thread.number = by_mark[thread.seen.mark].number
        except Over:
            self.over += 1
        except Torn:
            thread.seen = None
        except (ProcessLookupError, ValueError):
            # The thread has ended.
            self._threads.forget(key)
            return
        for slot in slots:
            if slot.number == thread.number and thread.seen is not None:
                path, _, is_sure = thread.seen
                own = None if slot.greenlet else times
                new = self.counts.paths - paths
                look = Look(at_ns, own, path, thread.state, is_sure, new)
                self._add(slot, look)
            elif slot.greenlet and self._parked.is_known:
                self._look_at_parked(slot)

    def _look_at_parked(self, slot: Slot) -> None:
        """Look at a greenthread that is not on its thread's stack."""
        by_mark, paths = {slot.mark: slot}, self.counts.paths
        try:
            seen = self._parked.look(
                slot.greenlet, lambda: self._still(by_mark), self._root
            )
        except (Over, Torn):
            # It has ended, or runs by now.
            return
        path, _, is_sure = seen
        new = self.counts.paths - paths
        look = Look(monotonic_ns(), None, path, WAITS, is_sure, new)
        self._add(slot, look)

    def _add(self, slot: Slot, look: Look) -> None:
        self.last.append((slot, look))
        if slot.request:
            seen = self.requests.of(slot.request, slot.home)
            began_ns = self._live[slot.number].began_ns
            seen.add(slot.number, began_ns, look, slot.at == slot.home)

    def _still(self, by_mark: dict[int, Slot]) -> set[int]:
        """Return the marks whose pieces are still those that they were."""
        words = self.words
        return {
            mark
            for mark, slot in by_mark.items()
            if words[slot.at + NUMBER] == slot.number
        }

    def _has_stood(
        self, thread: Thread, times: Times, slots: list[Slot]
    ) -> bool:
        """Return whether the thread has not run since the last look."""
        return (
            thread.seen is not None
            and thread.state != RUNS
            and times == thread.times
            and any(
                slot.number == thread.number
                and self.words[slot.at + NUMBER] == slot.number
                for slot in slots
            )
        )

    @property
    def _gil(self) -> tuple[int, int]:
        gil = self._target.gil
        return gil + GIL_WAITS_FROM, gil + GIL_WAITS_UNTIL

    def _new_looks(self, address: int, is_green: bool) -> ThreadLooks:
        return ThreadLooks(
            self._memory,
            address,
            self._target.layout,
            self.names,
            self._calls,
            self.counts,
            self._root,
            is_green,
        )

    def tidy(self, is_asleep: bool = False) -> None:
        """Do what is due once a second: check names, forget what is over.

        Names can wait while it *is_asleep*: no stack is read by them.
        """
        words = self.words
        live = {
            words[at + REQUEST]
            for at in range(WORDS, words[USED] * WORDS, WORDS)
        }
        self.requests.forget_ended(live, monotonic_ns())
        if is_asleep:
            return
        self._threads.tidy()
        self._parked.tidy()
        changed = self.names.verify()
        if self.names.is_full or self.counts.paths >= self._most_paths:
            self._forget_paths()
        elif changed:
            self._calls.forget_of(changed)
            self._parked.forget_unsure()
            for thread in self._threads:
                if thread.looks.forget_unsure():
                    thread.seen = None

    def _forget_paths(self) -> None:
        """Begin the tree anew: paths seen so far keep their names."""
        self._root.cut()
        self._root = Path(None)
        self._is_new_tree = True
        self.counts.paths = 0
        self.names.forget()
        self._calls.forget()
        self._parked.forget()
        for thread in self._threads:
            thread.looks.renew(self._root)
            thread.seen = None

    def close(self) -> None:
        """Close all files of threads."""
        self._threads.close()
