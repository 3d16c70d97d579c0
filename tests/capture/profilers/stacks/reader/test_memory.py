# SPDX-License-Identifier: Apache-2.0
"""Reads of another process, tried on this one."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.stacks.reader.memory import (
    Gone,
    Memory,
    Places,
    Refused,
)


def test_places_come_in_one_copy():
    """Each where it was asked to be."""
    texts = [ctypes.create_string_buffer(b"%d" % n * 4, 4) for n in range(9)]
    places = Places(os.getpid(), 100, 10)
    for n, text in enumerate(texts):
        assert places.add(ctypes.addressof(text), 4, 4 * n)

    assert places.read() == 36
    assert bytes(places.view[:36]) == b"".join(one.raw for one in texts)


def test_a_place_that_is_not_mapped_ends_the_copy():
    """What it is can be asked."""
    text = ctypes.create_string_buffer(8)
    places = Places(os.getpid(), 100, 10)
    places.add(ctypes.addressof(text), 8, 0)
    places.add(4096, 16, 8)
    places.add(ctypes.addressof(text), 8, 24)

    got = places.read()

    assert got == 8
    assert places.first_missing(got) == 4096


def test_there_is_room_for_so_much_only():
    """Neither more places nor more bytes."""
    places = Places(os.getpid(), 16, 2)

    assert not places.add(4096, 17, 0)
    assert places.add(4096, 8, 0)
    assert places.add(4096, 8, 8)
    assert not places.add(4096, 1, 0)


@given(st.integers(0, 2**64 - 1), st.integers(-1, 2**21))
def test_any_address_and_length_is_harmless(address, size):
    """A torn pointer is one."""
    found = Memory(os.getpid()).content(address & ~0xFFFF_0000_0000, size)

    assert len(found) <= max(0, size)


def test_a_process_that_ended_is_gone():
    """Not refused."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    with pytest.raises(Gone):
        Memory(process.pid).word(4096)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another")
def test_a_process_of_another_user_is_refused():
    """With the kernel's words."""
    text = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from nova_profiler.capture.profilers.stacks.reader import memory
os.setuid(65534)
try:
    memory.Memory(os.getppid()).word(4096)
except memory.Refused as exc:
    print(exc)
"""
    said = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, check=True
    )

    assert said.stdout == b"Operation not permitted\n"
    assert issubclass(Refused, Exception)
