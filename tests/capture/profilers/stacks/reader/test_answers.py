# SPDX-License-Identifier: Apache-2.0
"""What the reader answers of a request: sums, and when each look was."""

from __future__ import annotations

import pytest

from nova_profiler.capture.profilers.stacks.layouts import layout_here
from nova_profiler.capture.profilers.stacks.reader import answers as module
from nova_profiler.capture.profilers.stacks.reader.answers import answer_of
from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Code
from nova_profiler.capture.profilers.stacks.reader.seen.ends import Clocks
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import (
    Look,
    SeenRequest,
)
from nova_profiler.capture.profilers.stacks.reader.seen.stretch_room import (
    Room,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    RUNS,
    WAITS,
)

US = 1000


@pytest.fixture
def seen():
    """Three looks in two lanes; two paths are of one stack."""
    root = Path(None)
    one, other = (Path(root, at, 0, Code(b"")) for at in (1, 2))
    seen = SeenRequest(8, Room({}))
    seen.add(5, 0, Look(100 * US, None, one, RUNS), True)
    seen.add(5, 0, Look(300 * US, None, other, RUNS), True)
    seen.add(7, 0, Look(250 * US, None, one, WAITS))
    seen.end(Clocks(20 * US, 400 * US))
    return seen


def test_each_stretch_names_its_stack(seen):
    """By the piece, in microseconds from the request's begin on."""
    answer = answer_of(seen, layout_here(), 20 * US)

    assert [state for _, state, _, _ in answer["stacks"]] == [RUNS, WAITS]
    assert answer["timed"] == [
        [0, 0, 0, 180],
        [0, 0, 180, 200],
        [7, 1, 0, 380],
    ]
    assert (answer["joined"], answer["untimed"]) == (0, 0)


def test_a_stack_that_has_no_room_has_no_stretch(seen, monkeypatch):
    """Its looks are counted as left out."""
    monkeypatch.setattr(module, "MOST_ENTRIES", 0)

    answer = answer_of(seen, layout_here(), 20 * US)

    assert len(answer["stacks"]) == 1
    assert answer["timed"] == [[0, 0, 0, 180]]
    assert answer["left_out"] == 2


def test_frames_in_common_are_looked_up_once(monkeypatch):
    """Thousands of stacks hundreds deep would take the reader a minute."""
    looked_up = []
    line_of = module._line
    monkeypatch.setattr(
        module, "_line", lambda *of: looked_up.append(of) or line_of(*of)
    )
    deepest = Path(None)
    for at in range(500):
        deepest = Path(deepest, at + 1, 0, Code(b""))
    asked = []
    frames = module._frame
    monkeypatch.setattr(
        module, "_frame", lambda *of: asked.append(of) or frames(*of)
    )
    seen = SeenRequest(8, Room({}))
    for number in range(50):
        path = Path(deepest, 1000 + number, 0, Code(b""))
        seen.add(5, 0, Look(100 * number, None, path, RUNS), True)
    seen.end(Clocks(0, 5000))

    answer_of(seen, layout_here(), 0)
    answer_of(seen, layout_here(), 0)

    assert len(asked) == 2 * 550
    # And a line is decoded once, whatever is asked for.
    assert len(looked_up) == 550


def test_nothing_is_before_the_begin(seen):
    """As where a reader took a thread for working earlier than it did."""
    answer = answer_of(seen, layout_here(), 200 * US)

    assert answer["timed"] == [[0, 0, 0, 200], [7, 1, 0, 200]]
