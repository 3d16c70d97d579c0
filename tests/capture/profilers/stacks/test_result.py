# SPDX-License-Identifier: Apache-2.0
"""What a dump gets of an answer."""

from __future__ import annotations

import json

import pytest

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.profilers.stacks import result as module
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    RUNS,
    WAITS,
)
from nova_profiler.capture.profilers.stacks.result import attach_result
from nova_profiler.capture.profilers.stacks.watch import About
from nova_profiler.profiles import (
    IN_LINE,
    RAN_UNSEEN,
    WAITED_UNSEEN,
    WAITING,
    WAITING_FOR_GIL,
)
from nova_profiler.profiles.frames import frame_text

MS = 1_000_000
ANSWER = {
    "request": 5,
    "frames": [
        [-1, "run", OWN_FOLDER + "x.py", 1, 2],
        [0, "f", "/a.py", 3, 4],
        [1, "g", "/b.py", 5, 6],
    ],
    "stacks": [
        [1, RUNS, 3, 30 * MS],
        [2, WAITS, 2, 20 * MS],
        [2, GIL, 1, 10 * MS],
        [0, RUNS, 1, 5 * MS],
    ],
    "looks": 7,
    "left_out": 0,
    "seen_ns": 100 * MS,
    "ran_ns": 35 * MS,
    "queued_ns": 25 * MS,
    "ran_unseen_ns": 0,
    "waited_unseen_ns": 4 * MS,
}
F, G = frame_text("f", "/a.py", 3, 4), frame_text("g", "/b.py", 5, 6)


class Watch:
    """A request that was kept."""

    def __init__(self):
        self.about = About(
            "GET", "/r", "2026-11-21T10:00:00+00:00", 100.0, 35.0, None
        )
        self.profile = {"chosen_by": "always"}
        self.unseen = 0
        self.lanes = {}
        self.attached = []
        self.attach_to = self.attach

    def attach(self, *what):
        self.attached.append(what)


def attached(answer, is_green=False, notes=(), watch=None):
    """Return the session's fields and the profile."""
    watch = watch or Watch()
    attach_result(watch, answer, is_green, notes)
    ((_, content, profile),) = watch.attached
    return json.loads(content or "null"), profile


def test_each_stack_has_its_time_and_what_it_waited_for():
    """Our own frames are left out; what has no place is by itself."""
    session, profile = attached(ANSWER)

    assert session["frame_records"] == [
        [[F], 0.03],
        [[F, G, WAITING_FOR_GIL], 0.01],
        [[F, G, WAITING], 0.02],
        [[IN_LINE], 0.025],
        [[WAITED_UNSEEN], 0.004],
    ]
    assert session["sample_count"] == 7
    assert profile["chosen_by"] == "always"
    assert profile["ran_ms"] == 35
    assert profile["in_line_ms"] == 25
    assert profile["waited_ms"] == 40
    assert RAN_UNSEEN not in str(session)


def test_a_file_has_room_for_those_with_most_time(monkeypatch):
    """All others have no place, and are in the sums all the same."""
    whole, _ = attached(ANSWER)
    monkeypatch.setattr(module, "MOST_TEXT", len(F) + 1)

    session, profile = attached(ANSWER)

    assert module.NO_ROOM.format(stacks=2) in profile["notes"]
    assert session["frame_records"] == [
        [[F], 0.03],
        [[IN_LINE], 0.025],
        [[WAITED_UNSEEN], pytest.approx(0.034)],
    ]
    total_s = sum(seconds for _, seconds in whole["frame_records"])
    assert sum(seconds for _, seconds in session["frame_records"]) == (
        pytest.approx(total_s)
    )


def test_each_stretch_has_its_lane_and_its_record():
    """Of our own frames alone there is none; unknown pieces come behind."""
    watch = Watch()
    watch.lanes = {31: 2, 32: 1}
    timed = [
        [0, 0, 100, 30_000],
        [31, 1, 50, 20_000],
        [0, 3, 30_100, 5_000],
        [77, 2, 70, 10_000],
    ]

    session, _ = attached({**ANSWER, "timed": timed, "joined": 2}, watch=watch)

    assert session["nova_profiler_timed"] == {
        "version": 1,
        "lane": [2, 3, 0],
        "record": [2, 1, 0],
        "start_us": [50, 70, 100],
        "us": [20_000, 10_000, 30_000],
        "joined": 2,
    }


def test_without_a_stretch_a_session_has_its_sums():
    """As where there were too many."""
    session, _ = attached({**ANSWER, "timed": [], "untimed": 7})

    assert "nova_profiler_timed" not in session
    assert session["frame_records"]


def test_a_machine_that_is_full_has_a_note():
    """Where a thread stood in line is not known."""
    _, profile = attached(ANSWER)

    assert profile["notes"][0].startswith(
        "it stood in line for a processor for 25% of the time"
    )
    _, profile = attached({**ANSWER, "queued_ns": 0})
    assert profile["notes"] == []


def test_greenthreads_have_no_clocks_of_their_own():
    """Sums of their thread are none of theirs."""
    _, profile = attached(ANSWER, is_green=True)

    assert "ran_ms" not in profile
    assert profile["notes"] == []


def test_what_was_not_seen_is_noted():
    """Looks for which there was no room, threads without a slot."""
    watch = Watch()
    watch.unseen = 2

    _, profile = attached(
        {
            **ANSWER,
            "queued_ns": 0,
            "left_out": 3,
            "joined": 5,
            "untimed": 4,
        },
        watch=watch,
    )

    assert [
        next(word for word in note.split() if word.isdigit())
        for note in profile["notes"]
    ] == ["3", "5", "4", "2"]


@pytest.mark.parametrize("notes", [[], ["it ended"]])
def test_no_stack_is_a_note_and_no_file(notes):
    """With the reason."""
    session, profile = attached({}, notes=notes)

    assert session is None
    assert profile["samples"] == 0
    (note,) = profile["notes"]
    assert note in notes or "it did not look" in note


@pytest.mark.parametrize("last", [-1, 3, 10**9])
def test_an_entry_that_is_not_there_is_no_stack(last):
    """Nor is one whose caller comes after it."""
    session, _ = attached({**ANSWER, "stacks": [[last, RUNS, 1, MS]]})

    assert session is None
    loop = [[0, "f", "/a.py", 1, 1]]
    session, _ = attached({**ANSWER, "frames": loop})
    assert len(session["frame_records"][0][0]) == 1
