# SPDX-License-Identifier: Apache-2.0
"""Looks at threads of this very process, which stand in known stacks."""

from __future__ import annotations

import gc
import mmap
import os
import random
import sys
import threading
import time
from pathlib import Path
from types import CodeType

import pytest
from open_files import open_files

from nova_profiler.capture.profilers.stacks.greenlets import frame_offset
from nova_profiler.capture.profilers.stacks.layouts import (
    gil_here,
    layout_here,
)
from nova_profiler.capture.profilers.stacks.reader import rounds as module
from nova_profiler.capture.profilers.stacks.reader import (
    thread_states,
    threads,
)
from nova_profiler.capture.profilers.stacks.reader.answers import frames_of
from nova_profiler.capture.profilers.stacks.reader.call_paths import (
    Path as CallPath,
)
from nova_profiler.capture.profilers.stacks.reader.memory import Refused
from nova_profiler.capture.profilers.stacks.reader.rounds import (
    Rounds,
    Target,
)
from nova_profiler.capture.profilers.stacks.reader.stack import looks
from nova_profiler.capture.profilers.stacks.reader.stack.copies import Copy
from nova_profiler.capture.profilers.stacks.reader.thread_states import WAITS
from nova_profiler.capture.profilers.stacks.reader.threads import (
    MOST_THREADS,
)
from nova_profiler.capture.profilers.stacks.slot_words import (
    GREENLET,
    HOME,
    REQUEST,
    THREAD,
    TID,
)
from nova_profiler.capture.profilers.stacks.slots import Slots, next_number

# Up to 3.10 each frame is an object of its own: a copy of some thousand takes
# so long that none is shown.
DEPTHS = [10, 150, 900, *([5000] if sys.version_info >= (3, 11) else [])]


@pytest.fixture
def slots():
    slots = Slots(1200)
    yield slots
    slots.close_file()


@pytest.fixture
def rounds(slots):
    layout = layout_here()
    target = Target(os.getpid(), layout, gil_here(layout), id(CodeType))
    rounds = Rounds(target, mmap.mmap(slots.fd, 0))
    yield rounds
    rounds.close()


class Standing:
    """A thread that stands in a slot until it is let go."""

    def __init__(self, slots, function, request=0):
        self.slots = slots
        self.at = slots.take()
        self.request = request
        self._there = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(function,))
        self._thread.start()
        self._there.acquire()
        self._wait_until_it_stands()

    def _wait_until_it_stands(self):
        """Wait until it sleeps on, though it could have the GIL."""
        task = Path("/proc/self/task", str(self._thread.native_id))
        before = None
        while True:
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            turns = (task / "schedstat").read_text().split()[2]
            if state == "S" and turns == before:
                return
            before = turns
            time.sleep(0.0005)

    def _run(self, function):
        words, at = self.slots.words, self.at
        words[at + THREAD], words[at + TID] = self.slots.ids_here()
        words[at + REQUEST], words[at + HOME] = self.request, at
        self.number = words[at] = next_number()
        self.slots.call_of(at)(function, self.stand)
        words[at] = words[at + REQUEST] = 0

    def stand(self):
        self._there.release()
        self._go.acquire()

    def step(self):
        """Let it go on to where it stands next, or to its end."""
        self._go.release()

    def arrived(self):
        self._there.acquire()

    def end(self):
        self._go.release(1000)
        self._thread.join()


@pytest.fixture
def standing(slots):
    made = []

    def make(function, request=0):
        made.append(Standing(slots, function, request))
        return made[-1]

    yield make
    for one in made:
        one.end()


def names_seen(rounds, one):
    """Return the functions of *one*, without those that it waits in."""
    (look,) = [look for slot, look in rounds.last if slot.at == one.at]
    names = [name for name, *_ in frames_of(look.path, layout_here())]
    names = [name.rpartition(".")[2] for name in names]
    return names[: names.index("stand")] if "stand" in names else names


def first(stand):
    second(stand)
    stand()


def second(stand):
    stand()
    for _ in generated(stand):
        stand()


def generated(stand):
    stand()
    yield None


def alone(stand):
    stand()


def deep(depth, stand):
    if depth:
        return deep(depth - 1, stand)
    return stand()


def look_at_standing(rounds):
    """Look until all stand: what has arrived may be on its way to its wait."""
    for _ in range(100_000):
        rounds.look_at_all()
        if all(look.state == WAITS for _, look in rounds.last):
            return
        os.sched_yield()


def test_each_place_that_a_thread_comes_to_is_seen(rounds, standing):
    """Through calls, generators and returns."""
    one = standing(first)
    seen = []
    for _ in range(4):
        look_at_standing(rounds)
        seen.append(names_seen(rounds, one))
        one.step()
        if len(seen) < 4:
            one.arrived()

    root = ["_trampoline", "first"]
    assert seen == [
        [*root, "second"],
        [*root, "second", "generated"],
        [*root, "second"],
        root,
    ]
    assert all(look.state == WAITS for _, look in rounds.last)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_stack_has_all_its_frames(rounds, standing, depth):
    """More than one chunk of the interpreter's stack, and many."""
    before = sys.getrecursionlimit()
    threading.stack_size(256 << 20)
    sys.setrecursionlimit(20_000)
    try:
        one = standing(lambda stand: deep(depth, stand))
        for _ in range(3):
            rounds.look_at_all()
            assert names_seen(rounds, one).count("deep") == depth + 1
    finally:
        one.end()
        sys.setrecursionlimit(before)
        threading.stack_size(0)


@pytest.mark.parametrize("renewed_after", [0, 1, 2, 7])
def test_a_thread_is_seen_wherever_it_goes_after_it_was_renewed(
    rounds, standing, monkeypatch, renewed_after
):
    """What is forgotten of a stack now and then hides no later one."""
    monkeypatch.setattr(looks, "_RENEW", renewed_after)
    chance = random.Random(renewed_after)
    depths = [chance.choice([0, 3, 30, 80, 200]) for _ in range(60)]

    def run(stand):
        for depth in depths:
            deep(depth, stand)

    one = standing(run)
    for number, depth in enumerate(depths):
        if number:
            one.step()
            one.arrived()
        look_at_standing(rounds)
        assert names_seen(rounds, one).count("deep") == depth + 1
    assert not rounds.counts.torn


def test_a_look_that_failed_lets_the_next_one_begin_anew(
    rounds, standing, monkeypatch
):
    """Whatever was wrong in what was learnt of a thread is gone then."""
    one = standing(first)
    look_at_standing(rounds)
    (spoiled,) = [thread.looks._copy._reach for thread in rounds._threads]
    monkeypatch.setattr(
        Copy, "is_below_top", lambda copy, frame: copy._reach is spoiled
    )
    one.step()
    one.arrived()

    look_at_standing(rounds)
    assert (rounds.last, rounds.counts.torn) == ([], 1)
    look_at_standing(rounds)

    assert names_seen(rounds, one)[-1] == "generated"


def test_what_has_not_run_since_is_not_read_again(rounds, standing):
    """The same stack is counted, and no copy made."""
    standing(first, request=7)
    rounds.look_at_all()
    copies, looks = rounds.counts.copies, rounds.requests.get(7).looks

    for _ in range(5):
        rounds.look_at_all()

    assert rounds.counts.copies == copies
    assert rounds.requests.get(7).looks == looks + 5


def test_a_thousand_threads_are_seen(rounds, standing):
    """Each once a round, in its own stack."""
    all_of_them = [standing(first, n + 1) for n in range(1000)]
    files = len(open_files())

    rounds.look_at_all()

    assert len(rounds.last) == len(all_of_them)
    for one in all_of_them[::100]:
        assert names_seen(rounds, one) == ["_trampoline", "first", "second"]
    assert len(open_files()) <= files + 2 * MOST_THREADS


def test_threads_without_room_take_none_of_others(
    rounds, standing, monkeypatch
):
    """Each round would find none of them known otherwise."""
    monkeypatch.setattr(threads, "MOST_THREADS", 5)
    for number in range(7):
        standing(first, number + 1)
    rounds.look_at_all()
    known = list(rounds._threads)

    for _ in range(3):
        rounds.look_at_all()
        rounds.tidy()

    assert list(rounds._threads) == known
    assert len(rounds.last) == 5


def test_threads_that_were_not_needed_lately_go(rounds, standing, monkeypatch):
    """Where there are many; those that were needed stay."""
    monkeypatch.setattr(threads, "KEPT_THREADS", 2)
    gone = [standing(first, number + 1) for number in range(4)]
    rounds.look_at_all()
    for one in gone:
        one.end()
    stays = [standing(first, 9 + number) for number in range(3)]
    files = len(open_files())
    for _ in range(3):
        rounds.look_at_all()
    rounds.tidy()

    assert len(rounds._threads) == len(stays)
    assert len(open_files()) == files + 2 * (len(stays) - len(gone))


def test_a_tree_too_large_for_a_second_is_cut_at_once(
    rounds, standing, monkeypatch
):
    """As where stacks of thousands of frames change all the time."""
    monkeypatch.setattr(module, "_MOST_AT_ONCE", 2)
    rounds._most_paths = 1
    one = standing(first, request=7)

    rounds.look_at_all()

    assert rounds.counts.paths == 0
    rounds.look_at_all()
    assert names_seen(rounds, one) == ["_trampoline", "first", "second"]


def test_a_tree_that_each_round_needs_is_kept(rounds, standing, monkeypatch):
    """It would be made anew each second, and each time by another read."""
    for name in ("_MOST_AT_ONCE", "_MOST_PATHS"):
        monkeypatch.setattr(module, name, 2)
    rounds._most_paths = 2
    for number in range(5):
        standing(first, number + 1)
    for _ in range(2):
        rounds.look_at_all()
        rounds.tidy()
    needed, copies = rounds.counts.paths, rounds.counts.copies
    assert needed >= 5 * 3

    for _ in range(5):
        rounds.look_at_all()
        rounds.tidy()

    assert (rounds.counts.paths, rounds.counts.copies) == (needed, copies)


def test_names_are_not_checked_while_nothing_is_looked_at(rounds, monkeypatch):
    """What is over is forgotten all the same."""
    checked, forgotten = [], []
    monkeypatch.setattr(
        rounds.names, "verify", lambda: checked.append(1) or set()
    )
    monkeypatch.setattr(
        rounds.requests, "forget_ended", lambda *of: forgotten.append(of)
    )

    rounds.tidy(is_asleep=True)
    assert (len(checked), len(forgotten)) == (0, 1)
    rounds.tidy()
    assert (len(checked), len(forgotten)) == (1, 2)


def test_a_thread_that_ended_without_a_word_is_skipped(rounds, slots):
    """Its slot still has its number: no look, no error."""
    one = Standing(slots, first)
    number = one.number
    rounds.look_at_all()
    one.end()
    slots.words[one.at] = number

    rounds.look_at_all()
    rounds.look_at_all()

    assert rounds.last == []


def test_a_process_that_proc_hides_is_refused(
    rounds, standing, monkeypatch, tmp_path
):
    """Not taken for one whose threads have all ended."""
    standing(first)
    monkeypatch.setattr(thread_states, "PROC", str(tmp_path))

    with pytest.raises(Refused, match="does not show it"):
        rounds.look_at_all()


def test_a_slot_that_was_given_on_is_not_taken_for_the_former(
    rounds, standing, slots, monkeypatch
):
    """Its number changes while the copy is made: that look is nobody's."""
    one = standing(first, request=7)
    copy_type = type(rounds._memory._place)
    read = copy_type.read

    def read_and_change(places):
        got = read(places)
        slots.words[one.at] = next_number()
        return got

    monkeypatch.setattr(copy_type, "read", read_and_change)
    rounds.look_at_all()

    assert rounds.last == []
    assert rounds.over == 1
    assert rounds.requests.get(7) is None


@pytest.mark.parametrize("word", [THREAD, TID])
def test_words_that_are_none_are_harmless(rounds, standing, slots, word):
    """Of a slot that is being written, or that something overwrote."""
    one = standing(first)
    before = slots.words[one.at + word]
    for value in (0, 1, 4096, 2**47 - 8, 2**64 - 1):
        slots.words[one.at + word] = value
        rounds.look_at_all()
        assert rounds.last == []
    slots.words[one.at + word] = before
    rounds.look_at_all()

    assert len(rounds.last) == 1


def test_a_function_that_changed_has_a_path_of_its_own(rounds, standing):
    """What was seen before keeps its name, with doubt; others go on."""
    changed = standing(first, request=7)
    other = standing(alone, request=8)
    rounds.look_at_all()
    known = rounds.names._known[id(second.__code__)]
    # As it was when another function was there.
    known.raw = bytes(len(known.raw))
    rounds.tidy()
    rounds.look_at_all()

    before, after = (key[0] for key in rounds.requests.get(7).paths)
    named = [one.code for one in before.frames()]
    again = [one.code for one in after.frames()]
    assert [one.is_sure for one in named[:4]] == [True, True, False, True]
    assert all(one.is_sure for one in again)
    assert named[2].name == again[2].name == "second"
    assert len(rounds.requests.get(8).paths) == 1
    root = ["_trampoline", "first", "second"]
    assert names_seen(rounds, changed) == root
    assert names_seen(rounds, other) == ["_trampoline", "alone"]


def test_paths_are_bounded(rounds, standing):
    """Past that many the tree begins anew, and what is seen is the same."""
    one = standing(first, request=7)
    rounds.look_at_all()
    rounds._most_paths = 1
    rounds.tidy()
    assert rounds.counts.paths == 0
    rounds.look_at_all()

    assert len(rounds.requests.get(7).paths) == 2
    assert names_seen(rounds, one) == ["_trampoline", "first", "second"]


def test_a_tree_that_begins_anew_leaves_nothing(rounds, standing):
    """Nothing waits for the collector; what a request has seen is kept."""
    standing(first, request=7)
    gc.collect()
    gc.disable()
    try:
        before = paths_in_memory()
        for _ in range(50):
            rounds.look_at_all()
            rounds._most_paths = 1
            rounds.tidy()
        seen = rounds.requests.get(7)
        kept = sum(len(path.frames()) + 1 for path, _ in seen.paths)
        del seen
        # The tree that has begun is one more.
        assert 50 < paths_in_memory() - before <= kept + 1

        rounds.requests.take(7)
        # Those of the last look.
        assert paths_in_memory() - before < 20
    finally:
        gc.enable()


def paths_in_memory():
    return sum(type(one) is CallPath for one in gc.get_objects())


def test_a_request_is_forgotten_once_its_slot_is_free(rounds, standing):
    """A while after: it may be asked for."""
    one = standing(first, request=7)
    rounds.look_at_all()
    rounds.tidy()
    assert not rounds.requests.get(7).ended_ns

    one.end()
    rounds.look_at_all()
    rounds.tidy()

    assert rounds.requests.get(7).ended_ns
    assert not rounds.requests.get(7).pieces


@pytest.fixture
def green_rounds(slots):
    """Return rounds that see parked greenlets, and greenlet."""
    greenlet = pytest.importorskip("greenlet")
    layout = layout_here()
    target = Target(
        *(os.getpid(), layout, gil_here(layout), id(CodeType)),
        frame_offset(greenlet, layout),
    )
    rounds = Rounds(target, mmap.mmap(slots.fd, 0))
    yield rounds, greenlet
    rounds.close()


def in_slot(slots, greenlet, function, *args):
    """Have a new greenlet in a slot of its own call *function*."""
    at = slots.take()
    words = slots.words
    made = greenlet.greenlet(slots.call_of(at))
    words[at + THREAD], words[at + TID] = slots.ids_here()
    words[at + GREENLET] = id(made)
    words[at] = next_number()
    made.switch(function, *args)
    return at, made


def test_each_parked_greenlet_is_seen_where_it_waits(green_rounds, slots):
    """Through a generator, at any depth; none is another one's."""
    rounds, greenlet = green_rounds
    here = greenlet.getcurrent()
    made = [
        in_slot(slots, greenlet, deep, depth, lambda: first(here.switch))
        for depth in (0, 3, 200)
    ]
    for name in ("second", "generated", "second", "first"):
        rounds.look_at_all()
        for (at, one), depth in zip(made, (0, 3, 200), strict=True):
            (look,) = [look for slot, look in rounds.last if slot.at == at]
            names = [n for n, *_ in frames_of(look.path, layout_here())]
            assert names.count("deep") == depth + 1
            assert names[-1].rpartition(".")[2] == name
            assert look.state == WAITS
            assert look.times is None
            one.switch()
    assert all(one.dead for _, one in made)


def test_a_greenlet_that_is_gone_is_not_seen(green_rounds, slots):
    """Its slot still has its number."""
    rounds, greenlet = green_rounds
    here = greenlet.getcurrent()
    at, one = in_slot(slots, greenlet, first, here.switch)
    rounds.look_at_all()
    assert len(rounds.last) == 1
    del one
    for _ in range(100):
        greenlet.greenlet(lambda: None).switch()

    rounds.look_at_all()

    assert rounds.last == []
    slots.words[at] = 0


def test_where_the_frame_is_cannot_be_found_in_another_library():
    """Then parked greenlets are not looked at."""

    class Other:
        """One whose greenlets have no frames."""

        def getcurrent(self):
            return self

        parent = None

        def greenlet(self, function):
            return self

        gr_frame = None

        def switch(self):
            """Go nowhere."""

    assert frame_offset(Other(), layout_here()) == 0
