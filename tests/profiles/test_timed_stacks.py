# SPDX-License-Identifier: Apache-2.0
"""When stacks stood where: written and read back, or refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_builders import API, ORM, stacks_session

from nova_profiler.profiles import STACKS
from nova_profiler.profiles.session_files import (
    About,
    SessionError,
    read_session,
    write_session,
)
from nova_profiler.profiles.timed_stacks import (
    MOST_ROWS,
    VERSION,
    TimedStacks,
)

RECORDS = [([API], 0.3), ([API, ORM], 0.1)]
GOOD = {
    "version": VERSION,
    "lane": [0, 1],
    "record": [1, 0],
    "start_us": [5, 7],
    "us": [100, 3],
    "joined": 2,
}


def read(fields):
    content = stacks_session(*RECORDS, number=4)
    content["nova_profiler_timed"] = fields
    return read_session(json.dumps(content).encode())


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5000),
            st.integers(0, len(RECORDS) - 1),
            st.integers(0, 10**12),
            st.integers(0, 10**12),
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 10**6),
)
def test_what_is_written_is_read_back(rows, joined):
    """With each lane, stack and time."""
    timed = TimedStacks(*map(list, zip(*rows, strict=True)), joined)
    about = About(STACKS, "GET /v2.1/servers", 4, 0.01)

    found = read_session(write_session(RECORDS, about, timed=timed)).timed

    assert found == timed
    assert list(found.rows()) == rows


@pytest.mark.parametrize("timed", [None, TimedStacks([], [], [], [])])
def test_without_times_there_is_no_such_field(timed):
    """A file of another engine is as it was."""
    about = About(STACKS, "GET /v2.1/servers", 4, 0.01)

    content = write_session(RECORDS, about, timed=timed)

    assert b"nova_profiler_timed" not in content
    assert read_session(content).timed is None


@pytest.mark.parametrize("fields", [None, {"version": 2, "at": "x"}, {}])
def test_what_a_later_version_writes_is_left_out(fields):
    """The stacks themselves are read."""
    found = read(fields)

    assert found.timed is None
    assert len(found.records) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"lane": [0, -1]},
        {"lane": [0, 10**7]},
        {"lane": [0]},
        {"lane": [0, True]},
        {"lane": [0, 1.0]},
        {"lane": [0, "1"]},
        {"lane": [0, None]},
        {"lane": [0, [1]]},
        {"lane": None},
        {"lane": {"0": 1}},
        {"record": [0, 2]},
        {"record": [0, -1]},
        {"start_us": [5, -7]},
        {"start_us": [5, 10**16]},
        {"us": [100, -3]},
        {"us": [100, 10**400]},
        {"us": [100]},
        {"joined": -1},
        {"joined": "2"},
        {"joined": None},
        {
            name: [0] * (MOST_ROWS + 1)
            for name in ("lane", "record", "start_us", "us")
        },
    ],
)
def test_other_times_are_refused(changed):
    """Negative, too large, too many, of another type, unequally many."""
    assert read(GOOD).timed is not None

    with pytest.raises(SessionError, match="not a session"):
        read({**GOOD, **changed})


@pytest.mark.parametrize("fields", [[], 7, "x", True])
def test_what_is_no_object_is_refused(fields):
    """As a session whose records are none is."""
    with pytest.raises(SessionError, match="its times are none"):
        read(fields)


def test_a_session_without_records_has_no_times():
    """No number names a record that is not there."""
    content = {"frame_records": [], "nova_profiler_timed": GOOD}

    with pytest.raises(SessionError, match="record has what"):
        read_session(json.dumps(content).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON))
def test_any_value_is_read_or_refused(changed):
    """Nothing but SessionError comes of it."""
    with contextlib.suppress(SessionError):
        read({**GOOD, **changed})
