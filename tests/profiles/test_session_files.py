# SPDX-License-Identifier: Apache-2.0
"""A session is read as it was written; all else is refused, harmlessly."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import TESTS
from profile_builders import (
    API,
    pyspy_session,
    rebuild_samples,
    session,
    stacks_session,
)
from pyinstrument import Profiler

from nova_profiler.profiles import PYINSTRUMENT, PYSPY, STACKS
from nova_profiler.profiles.session_files import (
    About,
    Session,
    SessionError,
    read_session,
    write_session,
)

# Made by the release before writer and reader stood in one module.
WRITTEN_BEFORE = TESTS / "written_before" / "sessions"


def read(fields: object):
    return read_session(json.dumps(fields).encode())


def test_a_session_of_pyinstrument_itself(tmp_path):
    """What pyinstrument saves is read as it is."""
    profiler = Profiler(interval=0.0001)
    with profiler:
        sum(json.dumps([number]) != "" for number in range(20_000))
    saved = profiler.last_session
    assert saved is not None
    saved.save(tmp_path / "a.pyisession")

    read = read_session((tmp_path / "a.pyisession").read_bytes())

    assert read.engine == PYINSTRUMENT
    assert read.sample_count == len(read.records) == len(saved.frame_records)
    assert [stack for stack, _ in read.records] == [
        list(stack) for stack, _ in saved.frame_records
    ]


@given(
    records=st.lists(
        st.tuples(
            st.lists(st.text(max_size=20), max_size=5), st.floats(0, 1e9)
        ),
        max_size=10,
    ),
    engine=st.sampled_from([PYINSTRUMENT, PYSPY]),
    samples=st.integers(0, 2**40),
    of_this_process=st.booleans(),
)
def test_what_is_written_is_read_back(
    records, engine, samples, of_this_process
):
    """Each stack and time, the engine, the number of samples."""
    about = About(engine, "GET /v2.1/servers", samples, 0.01)

    content = write_session(records, about, of_this_process=of_this_process)

    assert read_session(content) == Session(
        records, engine, samples, sum(seconds for _, seconds in records)
    )


@pytest.mark.parametrize(
    ("name", "engine", "records", "waiting_s"),
    [
        ("pyspy", PYSPY, 4, 0.85),
        ("pyinstrument", PYINSTRUMENT, 3, 0.0),
        ("exported", PYSPY, 4, 0.85),
        ("timed", STACKS, 4, 0.25),
    ],
)
def test_sessions_written_before_are_read(name, engine, records, waiting_s):
    """Dumps are kept for days, exports for ever."""
    content = (WRITTEN_BEFORE / f"{name}.pyisession").read_bytes()

    found = read_session(content)

    assert (found.engine, found.sample_count) == (engine, 60)
    assert len(found.records) == records
    waiting = sum(s for stack, s in found.records if stack[-1] == "[waiting]")
    assert waiting == pytest.approx(waiting_s)


def test_times_written_before_are_read():
    """Each stack in its lane; what is left is a sum."""
    content = (WRITTEN_BEFORE / "timed.pyisession").read_bytes()

    timed = read_session(content).timed

    assert list(timed.rows()) == [
        (0, 0, 0, 350_000),
        (1, 1, 120_000, 250_000),
        (0, 2, 350_000, 250_000),
    ]
    assert timed.joined == 0


def test_samples_of_pyspy_stand_for_many():
    """A record of pyspy has all samples that are alike, by their time."""
    found = read(pyspy_session(([API], 0.3), ([API, "x"], 0.1), number=20))

    assert found.engine == PYSPY
    assert [found.samples_of(one) for _, one in found.records] == [15.0, 5.0]


@pytest.mark.parametrize("named", ["other", 7, [], {}])
def test_an_engine_that_is_none_is_not_taken(named):
    """The sessions of others are pyinstrument's."""
    found = read(session(*rebuild_samples(), nova_profiler_engine=named))

    assert found.engine == PYINSTRUMENT


def test_texts_are_bounded():
    """A stack ends before the first that has no room, with all its time."""
    stacks = [(["a", "b"], 0.1), (["a", "c", "b"], 0.2), (["b", "a"], 0.3)]
    content = json.dumps(stacks_session(*stacks, number=3)).encode()

    found = read_session(content, most_texts=2)

    assert found.records == [
        (["a", "b"], 0.1),
        (["a"], 0.2),
        (["b", "a"], 0.3),
    ]
    assert (found.cut, read_session(content).cut) == (1, 0)
    assert found.total_s == pytest.approx(0.6)


def test_a_sample_that_waits_in_part_is_one_all_the_same():
    """It is in two records: less than one sample each."""
    found = read(pyspy_session(([API], 0.03), ([API, "x"], 0.01), number=1))

    assert sum(found.samples_of(one) for _, one in found.records) == 1.0


def test_records_of_pyinstrument_are_samples():
    """However long a sample took it is one."""
    found = read(session(*rebuild_samples()))

    assert {found.samples_of(seconds) for _, seconds in found.records} == {1}


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        7,
        {},
        {"frame_records": {}},
        {"frame_records": [1]},
        {"frame_records": [[["f"]]]},
        {"frame_records": [[["f"], "1"]]},
        {"frame_records": [[["f"], True]]},
        {"frame_records": [[["f"], 1e300]]},
        {"frame_records": [["f", 1]]},
        {"frame_records": [[[1], 1]]},
        {"frame_records": [[[["f"]], 1]]},
        {"frame_records": [[[{}], 1]]},
        {"frame_records": [[["f" * 5000], 1]]},
        {"frame_records": [[["f"] * 10_001, 1]]},
        {"frame_records": [], "sample_count": "many"},
        {"frame_records": [], "sample_count": 10**400},
    ],
)
def test_other_contents_are_refused(fields):
    """What is JSON but no session is not taken."""
    with pytest.raises(SessionError):
        read(fields)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"frame_records": [[["f"], NaN]]}',
        b'{"frame_records": [[["f"], 1e999]]}',
        b"[" * 100_000,
        b'{"frame_records": ' + b"[" * 100_000,
        b'{"frame_records": [[["f"], ' + b"9" * 5000 + b"]]}",
    ],
)
def test_what_is_no_json_is_refused(text):
    """Truncated, too deep, too long a number: refused, no more."""
    with pytest.raises(SessionError):
        read_session(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=3), JSON)
def test_any_json_is_read_or_refused(records, count):
    """Nothing but SessionError comes of what is no session."""
    with contextlib.suppress(SessionError):
        read({"frame_records": records, "sample_count": count})
