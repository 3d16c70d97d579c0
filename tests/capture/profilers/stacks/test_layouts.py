# SPDX-License-Identifier: Apache-2.0
"""Which Pythons' stacks are known; a wrong table is refused."""

from __future__ import annotations

import ctypes
import struct
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.stacks import layouts
from nova_profiler.capture.profilers.stacks.child import Child
from nova_profiler.capture.profilers.stacks.layouts import (
    Layout,
    LayoutError,
    layout_here,
    layout_stated,
)
from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.stacks.start_test import try_out

# The others are absent from this Python's layout, or need not be exact.
EXACT = [
    "thread_frame",
    "frame_code",
    "frame_previous",
    "frame_instruction",
    "code_first_line",
    "code_file",
    "code_name",
    "code_lines",
    "code_start",
    "text_ascii",
    "text_other",
    "frame_in_cframe",
    "thread_chunk",
]


def stated(version=0x030D00F0, free_threaded=0, words=range(8, 1000)):
    """Return what _PyRuntime begins with."""
    numbers = [version, free_threaded, *list(words)[:75]]
    return b"xdebugpy" + struct.pack("<77Q", *numbers)


def test_a_layout_is_read_off_the_interpreter():
    """By the places that 3.13's header has for each number."""
    layout = layout_stated(stated(words=range(0, 800, 8)))

    # runtime_state 3, interpreter_state 13, thread_state 9, frame 6, code 10
    assert layout.gil_in_interpreter == 8 * (3 + 8)
    assert layout.thread_frame == 8 * (16 + 4)
    assert layout.frame_code == 8 * (25 + 2)
    assert layout.code_start == 8 * (31 + 9)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "does not state its layout"),
        (stated()[:100], "does not state its layout"),
        (b"x" + stated(), "does not state its layout"),
        (stated(version=0x030E00F0), "not one that is known"),
        (stated(free_threaded=1), "without GIL"),
    ],
)
def test_what_is_not_known_is_refused(raw, why):
    """A later Python may have other places, or none."""
    with pytest.raises(LayoutError, match=why):
        layout_stated(raw)


@given(st.binary(max_size=700))
def test_any_bytes_are_a_layout_or_an_error(raw):
    """Never another error."""
    with suppress(LayoutError):
        assert isinstance(layout_stated(b"xdebugpy" + raw), Layout)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="it states none")
def test_this_python_states_what_its_symbols_are():
    """As ctypes reads it."""
    raw = ctypes.string_at(layouts._runtime(), 700)

    assert layout_stated(raw) == layout_here()


def test_another_implementation_is_refused(monkeypatch):
    """Whatever its version."""
    monkeypatch.setattr(sys, "implementation", type("", (), {"name": "x"}))

    with pytest.raises(LayoutError, match="x of 64 bits"):
        layout_here()


@pytest.mark.slow
@pytest.mark.parametrize("by", [8, -8])
@pytest.mark.parametrize("name", EXACT)
def test_a_wrong_layout_never_passes_the_start_test(name, by):
    """Each number that is off by a word is noticed."""
    layout = layout_here()
    if getattr(layout, name) < (0 if name != "code_start" else 1):
        pytest.skip("this Python has none")
    wrong = layout._replace(**{name: getattr(layout, name) + by})
    slots = Slots(8)
    child = Child(slots, wrong)
    try:
        with pytest.raises(Exception, match=r"it saw|it did not|seems|^$"):
            try_out(child, slots)
    finally:
        child.close()
        slots.close_file()
