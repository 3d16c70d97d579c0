# SPDX-License-Identifier: Apache-2.0
"""Which threads work for which requests, in memory that the reader shares.

Each slot has a trampoline of its own, whose code is the mark at which the
request's part of a stack begins.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import count
from types import FunctionType
from typing import Any, TypeVar
from weakref import WeakSet

from nova_profiler.capture.greenthreads import (
    lock_of_system,
    thread_local,
)
from nova_profiler.capture.profilers.stacks.slot_words import (
    MARK,
    SLOT_BYTES,
    USED,
    WORDS,
)

Result = TypeVar("Result")

# Pieces of work at one time, and those whose slots are made at once.
MOST_SLOTS = 2048
_FIRST_SLOTS = 32

# Returns a number that it does not return again in this process.
next_number = count(1).__next__
_open: WeakSet[Slots] = WeakSet()


class Slots:
    """The slots of one reader, as its worker writes them."""

    def __init__(self, size: int = MOST_SLOTS) -> None:
        """May raise OSError, where no file or memory is left."""
        self.fd = os.memfd_create("nova-profiler-slots", os.MFD_CLOEXEC)
        try:
            os.ftruncate(self.fd, size * SLOT_BYTES)
            self._map = mmap.mmap(self.fd, size * SLOT_BYTES)
        except BaseException:
            os.close(self.fd)
            raise
        _forget_in_children()
        _open.add(self)
        self.words = memoryview(self._map).cast("Q")
        self._size = size
        self._free: list[int] = []
        self._lock = lock_of_system()
        self._made = 1
        self.words[USED] = 1
        self._calls: list[Callable[..., Any]] = [_trampoline] * size
        # Of each thread: its ids_here(), once they were asked for.
        self.local = thread_local()
        for _ in range(min(_FIRST_SLOTS, size - 1)):
            self.give_back(self._new())

    def take(self) -> int:
        """Return the first word of a free slot, 0 if there is none."""
        try:
            return self._free.pop()
        except IndexError:
            return self._new()

    def _new(self) -> int:
        # Held for moments: a slot is made once.
        with self._lock:
            number = self._made
            if number >= self._size:
                return 0
            self._made = number + 1
            call = self._calls[number] = _new_trampoline()
            self.words[number * WORDS + MARK] = id(call.__code__)
            self.words[USED] = number + 1
            return number * WORDS

    def give_back(self, at: int) -> None:
        """Make the slot at *at* free for others."""
        self._free.append(at)

    def call_of(self, at: int) -> Callable[..., Any]:
        """Return the trampoline of the slot at *at*."""
        return self._calls[at // WORDS]

    def ids_here(self) -> tuple[int, int]:
        """Return this thread's state and its number in the kernel."""
        try:
            ids: tuple[int, int] = self.local.ids
        except AttributeError:
            here = ctypes.pythonapi.PyThreadState_Get
            here.restype = ctypes.c_void_p
            ids = self.local.ids = (here(), threading.get_native_id())
        return ids

    def forget(self) -> None:
        """Write nothing that a reader sees from here on, as after a fork.

        Pieces of work that go on write to memory of this process alone.
        """
        self.words = memoryview(bytearray(self._size * SLOT_BYTES)).cast("Q")
        self._lock = lock_of_system()
        self.close_file()

    def close_file(self) -> None:
        """Close the file; what is mapped stays."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


@cache
def _forget_in_children() -> None:
    """Have processes forked from now on write to no slot of this one."""
    os.register_at_fork(after_in_child=_forget_all)


def _forget_all() -> None:
    for slots in list(_open):
        with suppress(OSError):
            slots.forget()
    _open.clear()


def _trampoline(
    function: Callable[..., Result], /, *args: Any, **kwargs: Any
) -> Result:
    return function(*args, **kwargs)


def _new_trampoline() -> Callable[..., Any]:
    return FunctionType(_trampoline.__code__.replace(), {"__name__": __name__})
