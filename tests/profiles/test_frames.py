# SPDX-License-Identifier: Apache-2.0
"""The texts of frames mean what they were made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.profiles.frames import (
    Frame,
    Frames,
    frame_text,
    identifier_of,
)
from nova_profiler.profiles.functions import Function

NAMES = st.text(
    st.characters(exclude_characters="\x00\x01"), max_size=20
).filter(lambda text: not text.startswith("np_request_"))
FILES = NAMES.filter(lambda text: text not in ("", "<thread>"))
LINES = st.integers(0, 999_999_999)


@given(name=NAMES, file=FILES, first=LINES, line=LINES)
def test_a_text_is_read_as_what_it_was_made_of(name, file, first, line):
    """Name, file, where the function begins and where it had come to."""
    text = frame_text(name, file, first, line)

    found = Frames(has_first_lines=True).frame(text)

    assert found == Frame(Function(file, first, name), line or None)
    assert identifier_of(text) == frame_text(name, file, first)


@pytest.mark.parametrize(
    "text",
    ["[waiting]", "MainThread\x00<thread>\x001", "np_request_7\x00f\x001"],
)
def test_marks_are_no_functions(text):
    """Threads, waiting, and the trampolines that name a request."""
    assert Frames(has_first_lines=True).frame(text) is None


def test_without_first_lines_the_first_that_was_seen_stands_for_it():
    """Each of py-spy's sessions has another one for the same function."""
    frames = Frames(has_first_lines=False)

    frame = frames.frame(frame_text("rows", "/n/db.py", 7, 9))
    other = frames.frame(frame_text("rows", "/n/db.py", 5, 5))

    assert frame.function == other.function
    assert frames.placed(frame.function) == Function("/n/db.py", 5, "rows")
