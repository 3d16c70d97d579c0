# SPDX-License-Identifier: Apache-2.0
"""Rooms of frames that lie anywhere, in copies of this very process."""

from __future__ import annotations

import ctypes
import os

import pytest

from nova_profiler.capture.profilers.stacks.layouts import layout_here
from nova_profiler.capture.profilers.stacks.reader.memory import (
    Memory,
    Places,
)
from nova_profiler.capture.profilers.stacks.reader.stack.copies import Copy
from nova_profiler.capture.profilers.stacks.reader.stack.rooms import Rooms

# What is wanted of a frame lies from its 8th to its 40th byte.
FROM, UNTIL = 8, 40
AT, AGAIN = 1000, 2000


class Frames:
    """Memory in which frames lie, and a thread's state at its begin."""

    def __init__(self, number=20):
        self._memory = ctypes.create_string_buffer(
            b"".join(bytes([n]) * 64 for n in range(number)), 64 * number
        )
        self.places = Places(os.getpid(), 10_000, 100)
        self.rooms = Rooms(self.places, self[0], FROM, UNTIL)
        self.rooms.add_first(AT)
        self.rooms.add_again(AGAIN)
        self.rooms.place_all()

    def __getitem__(self, number):
        return ctypes.addressof(self._memory) + 64 * number

    def copied(self, number):
        """Return what a copy now has of a frame, in both places of it."""
        assert self.places.read() == self.places.total
        room = self.rooms.of(self[number])
        if room is None:
            return None
        image = bytes(self.places.view)
        return [
            image[at + room.start : at + room.end]
            for at in (room.at, room.again)
        ]


@pytest.fixture
def frames():
    return Frames()


def test_a_frame_that_was_given_a_room_is_copied_twice(frames):
    """And no other."""
    assert frames.copied(3) is None
    assert frames.rooms.give([frames[3], frames[5], frames[3]], ())

    for number in (3, 5):
        assert frames.copied(number) == [bytes([number]) * 32] * 2
    assert len(list(frames.rooms.used())) == 2


def test_the_oldest_room_is_given_again(frames):
    """Not one of a frame that the stack still has."""
    for number in range(1, 9):
        assert frames.rooms.give([frames[number]], ())
    assert frames.rooms.give([frames[9]], {frames[1]})

    assert frames.copied(2) is None
    assert frames.copied(1) == [bytes([1]) * 32] * 2
    assert frames.copied(9) == [bytes([9]) * 32] * 2


def test_where_there_are_too_few_none_is_given(frames):
    """All places are put in order anew, then."""
    first = [frames[number] for number in range(1, 8)]
    assert frames.rooms.give(first, ())

    assert not frames.rooms.give([frames[8], frames[9]], {*first})
    assert frames.copied(1) == [bytes([1]) * 32] * 2
    assert frames.copied(8) is None


def test_from_a_room_that_was_emptied_on_nothing_is_compared(frames):
    """What is in it was not copied before."""
    frames.rooms.give([frames[1]], ())
    frames.rooms.of(frames[1]).first = 7

    assert frames.rooms.leave_out(frames[1] + FROM)
    assert frames.rooms.stale == 7
    assert not frames.rooms.leave_out(frames[1] + FROM)
    assert frames.copied(1) is None


@pytest.mark.parametrize("torn", [-8, 1, 2**47, 2**64 - 8])
def test_a_pointer_that_was_torn_spoils_no_later_copy(torn):
    """It may be any number, also one that is no address."""
    here = ctypes.pythonapi.PyThreadState_Get
    here.restype = ctypes.c_void_p
    copy = Copy(Memory(os.getpid()), here(), layout_here(), is_green=False)
    # So that there is a piece which is in use.
    memory = ctypes.create_string_buffer(4096)
    frame = ctypes.addressof(memory)
    copy.ask_for([], [frame], is_whole=True)

    copy.ask_for([torn], [frame], is_whole=False)
    # What is not mapped is left out by the first copy, at the latest.
    copy.read()

    assert copy.read()
