# SPDX-License-Identifier: Apache-2.0
"""Tests of the session files that the py-spy engine writes."""

from __future__ import annotations

import json

import pytest
from pyinstrument.renderers import ConsoleRenderer, SpeedscopeRenderer
from pyinstrument.session import Session

from nova_profiler.capture.profilers.pyspy import result
from nova_profiler.capture.profilers.pyspy.result import session_of
from nova_profiler.profiles import PYSPY, WAITING
from nova_profiler.profiles.session_files import About, read_session

ABOUT = About(
    engine=PYSPY,
    title="GET /v2.1/servers/detail",
    samples=60,
    interval_s=0.02,
    started_at=1795000000.5,
    duration_s=1.2,
    cpu_s=0.4,
)
SEEN = {
    b"index (/n/servers.py:10);rows (/n/db.py:5)": 0.6,
    b"index (/n/servers.py:12)": 0.2,
    b"index (/n/servers.py:10);rows (/n/db.py:7)": 0.4,
}


def session(seen=SEEN, waits=lambda leaf: 0.0) -> Session:
    content = session_of(seen, waits, ABOUT)
    return Session.from_json(json.loads(content))


def test_pyinstrument_opens_it():
    """The tree has every sample's time where it belongs."""
    root = session().root_frame()

    assert root.function == "index"
    assert root.time == pytest.approx(1.2)
    rows = next(frame for frame in root.children if frame.time > 0.9)
    assert (rows.function, rows.file_path) == ("rows", "/n/db.py")
    assert rows.time == pytest.approx(1.0)


def test_it_says_what_it_is_of():
    """Start, length and CPU time are those of the request."""
    found = session()

    assert (found.start_time, found.duration) == (1795000000.5, 1.2)
    assert found.cpu_time == 0.4
    assert found.sample_count == 60
    assert "servers/detail" in ConsoleRenderer().render(found)


def test_it_names_its_engine():
    """Readers need not guess whose samples these are."""
    content = session_of(SEEN, lambda leaf: 0.0, ABOUT)

    assert read_session(content).engine == "pyspy"


def test_one_function_is_one_frame_however_many_lines():
    """Its lines are attributes, as in pyinstrument's own files."""
    frames = {
        frame
        for stack, _ in session().frame_records
        for frame in stack
        if "rows" in frame
    }

    assert frames == {
        "rows\x00/n/db.py\x005\x01l5",
        "rows\x00/n/db.py\x005\x01l7",
    }


def test_waiting_is_a_frame_of_its_own():
    """Beneath the function that waits, with its share of the time."""
    found = session(waits=lambda leaf: 0.75 if b"rows" in leaf else 0.0)

    waiting = sum(
        time_s for stack, time_s in found.frame_records if WAITING in stack
    )
    assert waiting == pytest.approx(0.75)
    assert all(
        stack[-2].startswith("rows")
        for stack, _ in found.frame_records
        if WAITING in stack
    )
    text = ConsoleRenderer(show_all=True).render(found)
    assert WAITING in text
    json.loads(SpeedscopeRenderer().render(found))


@pytest.mark.parametrize(("share", "waiting_s"), [(0.01, 0.0), (0.99, 1.2)])
def test_hardly_any_is_none(share, waiting_s):
    """No thread is exactly on or off a processor."""
    found = session(waits=lambda leaf: share)

    waiting = sum(
        time_s for stack, time_s in found.frame_records if WAITING in stack
    )
    assert waiting == pytest.approx(waiting_s)


def test_nothing_but_our_own_frames_is_no_file():
    """There is nothing in it to open."""
    own = f"run (/n/a.py:3);next ({result.__file__}:1)".encode()

    assert session_of({}, lambda leaf: 0.0, ABOUT) == b""
    assert b"next" not in session_of({own: 0.1}, lambda leaf: 0.0, ABOUT)
    own = own.partition(b";")[2]
    assert session_of({own: 0.1}, lambda leaf: 0.0, ABOUT) == b""
