# SPDX-License-Identifier: Apache-2.0
"""The worker's side of the shared slots."""

from __future__ import annotations

import os
import threading

from open_files import open_files

from nova_profiler.capture.profilers.stacks.slot_words import MARK, USED, WORDS
from nova_profiler.capture.profilers.stacks.slots import Slots


def test_slots_are_taken_given_back_and_taken_again():
    """As many as there are, and no more; slot 0 is none."""
    slots = Slots(5)

    taken = [slots.take() for _ in range(5)]

    assert sorted(taken) == [0, WORDS, 2 * WORDS, 3 * WORDS, 4 * WORDS]
    slots.give_back(taken[0] or taken[1])
    assert slots.take()
    assert not slots.take()
    slots.close_file()


def test_each_slot_has_a_trampoline_that_marks_it():
    """It only calls on; its code is one of its own."""
    slots = Slots(40)
    taken = [slots.take() for _ in range(39)]
    marks = {slots.words[at + MARK] for at in taken}

    assert len(marks) == 39
    for at in taken:
        call = slots.call_of(at)
        assert slots.words[at + MARK] == id(call.__code__)
        assert call(lambda *args, **kwargs: (args, kwargs), 1, two=2) == (
            (1,),
            {"two": 2},
        )
    assert slots.words[USED] == 40
    slots.close_file()


def test_threads_that_take_at_once_never_share_a_slot():
    """However many, and as they come."""
    slots = Slots(2000)
    taken = []

    def take():
        taken.extend(slots.take() for _ in range(200))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(taken)) == 1600
    assert slots.words[USED] == 1601
    slots.close_file()


def test_a_forked_process_writes_to_no_slot_of_its_parent():
    """The reader would take its stacks for the parent's."""
    slots = Slots(5)
    at = slots.take()
    slots.words[at] = 1
    pid = os.fork()
    if not pid:
        try:
            slots.words[at] = 2
            is_closed = slots.fd == -1
            os._exit(0 if is_closed and slots.take() else 1)
        except BaseException:
            os._exit(2)

    assert os.waitpid(pid, 0)[1] == 0
    assert slots.words[at] == 1
    slots.close_file()


def test_no_file_is_left_open():
    """Not after the end, and not where memory is used up."""
    before = open_files()
    Slots(5).close_file()

    assert open_files() == before
