# SPDX-License-Identifier: Apache-2.0
"""A profile of the Firefox Profiler, against what its types ask for."""

from __future__ import annotations

import json

from builders import numbered, parallel_detail, record, slow_rebuild
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_builders import (
    API,
    CONTROLLER,
    DISPATCH,
    EXECUTE,
    ORM,
    rebuild_samples,
    session,
    timed_session,
)
from timeline_files import check_firefox_profile, rows_of

from nova_profiler.profiles.session_files import Session, read_session
from nova_profiler.reading.code.timelines import firefox_tables
from nova_profiler.reading.code.timelines.firefox import firefox_profile
from nova_profiler.reading.code.timelines.tracks import Source, timelines_of
from nova_profiler.record import TimelineEntry


def profile_of(*sources):
    """Return the profile of pairs of a record and its samples, checked."""
    made = firefox_profile(
        "a title",
        timelines_of(
            [
                Source(
                    "a.json",
                    one,
                    samples
                    and Session(
                        session(*samples)["frame_records"],
                        "pyinstrument",
                        len(samples),
                        1.0,
                    ),
                )
                for one, samples in sources
            ]
        ),
    )
    profile = json.loads(made.content)
    check_firefox_profile(profile)
    return profile


def text_in(profile, place):
    return profile["shared"]["stringArray"][place]


def test_each_call_is_a_marker_in_the_colour_of_its_group():
    """Its payload has the statement and the DB API function."""
    profile = profile_of((slow_rebuild(), None))

    [thread] = profile["threads"]
    markers = rows_of(thread["markers"])
    categories = profile["meta"]["categories"]
    request, *calls = markers
    assert text_in(profile, request["name"]) == "request"
    assert len(calls) == len(slow_rebuild().timeline)
    for call in calls:
        category = categories[call["category"]]
        assert category["name"] == text_in(profile, call["name"])
        assert category["color"] in ("lightblue", "magenta")
    sql = [one for one in calls if text_in(profile, one["name"]) == "sql"]
    texts = {text_in(profile, one["data"]["statement"]) for one in sql}
    assert any(text.startswith("SELECT anon_1") for text in texts)


def test_each_lane_is_a_thread_and_each_request_a_process():
    """Their threads keep the order of the lanes."""
    profile = profile_of((parallel_detail(), None), (numbered(2), None))

    threads = profile["threads"]
    names = [one["name"] for one in threads if one["pid"] == "1"]
    assert names[:2] == ["the request's own thread", "lane 1"]
    assert [one["isMainThread"] for one in threads].count(True) == 2
    assert threads[-1]["processName"] == "2: GET /v2.1/servers, 102.0 ms"


def timed_profile_of(one, *stretches, **fields):
    content = json.dumps(timed_session(*stretches, **fields)).encode()
    source = Source("a.json", one, read_session(content))
    made = firefox_profile("t", timelines_of([source]))
    profile = json.loads(made.content)
    check_firefox_profile(profile)
    return profile


def looks_in(profile, thread):
    """Return innermost function, time and weight of each sample."""
    shared = profile["shared"]
    stacks, frames = (
        rows_of(shared["stackTable"]),
        rows_of(shared["frameTable"]),
    )
    functions = rows_of(shared["funcTable"])

    def name_of(stack):
        function = functions[frames[stacks[stack]["frame"]]["func"]]
        return text_in(profile, function["name"]).rpartition(":")[2]

    return [
        (
            None if one["stack"] is None else name_of(one["stack"]),
            one["time"],
            one["weight"],
        )
        for one in rows_of(thread["samples"])
    ]


def test_each_lane_is_one_track_of_calls_and_stacks():
    """A stack begins and ends where it was seen; between there is none."""
    profile = timed_profile_of(
        parallel_detail(),
        (0, [DISPATCH, CONTROLLER], 10.0, 20.0),
        (1, [API, ORM], 5.0, 7.0),
        (0, [DISPATCH, EXECUTE], 30.0, 4.0),
        (0, [DISPATCH, CONTROLLER], 40.0, 2.0),
    )

    names = [thread["name"] for thread in profile["threads"]]
    assert names[:2] == ["the request's own thread", "lane 1"]
    assert not any("order is not" in name for name in names)
    own, lane = profile["threads"][:2]
    assert own["markers"]["length"] > 1
    assert lane["markers"]["length"] > 0
    assert [one for one in looks_in(profile, own) if one[0]] == [
        ("_action", 10.0, 10.0),
        ("_action", 30.0, 10.0),
        ("do_execute", 30.0, 2.0),
        ("do_execute", 34.0, 2.0),
        ("_action", 40.0, 1.0),
        ("_action", 42.0, 1.0),
    ]
    gaps = [one[1] for one in looks_in(profile, own) if not one[0]]
    assert gaps[:6] == [0.0, 0.0, 10.0, 34.0, 40.0, 42.0]
    assert [one[1:] for one in looks_in(profile, lane) if one[0]] == [
        (5.0, 3.5),
        (12.0, 3.5),
    ]


def test_a_lane_without_calls_is_a_track_that_says_so():
    """The waterfall has no such lane."""
    profile = timed_profile_of(slow_rebuild(), (3, [API], 10.0, 20.0))

    threads = {one["name"]: one for one in profile["threads"]}
    assert list(threads) == [
        "the request's own thread",
        "lane 3, without calls",
    ]
    assert threads["lane 3, without calls"]["markers"]["length"] == 0


def test_stacks_weigh_the_time_that_they_stand_for():
    """In a thread whose name says that their order means nothing."""
    profile = profile_of((slow_rebuild(), rebuild_samples()))

    thread = profile["threads"][-1]
    samples = rows_of(thread["samples"])
    frames = rows_of(profile["shared"]["frameTable"])
    stacks = rows_of(profile["shared"]["stackTable"])
    categories = profile["meta"]["categories"]
    weights: dict[str, float] = {}
    for sample in samples:
        if sample["stack"] is None:
            continue
        frame = frames[stacks[sample["stack"]]["frame"]]
        state = categories[frame["category"]]["name"]
        weights[state] = weights.get(state, 0.0) + sample["weight"]
    assert thread["name"] == "stacks: widths are time, their order is not"
    assert {name: round(ms) for name, ms in weights.items()} == {
        "running": 800,
        "waiting": 200,
    }
    assert samples[-1]["time"] - samples[0]["time"] == 1000.0


def test_a_frame_has_its_line_and_its_file():
    """As the Firefox Profiler shows them beside the function."""
    profile = profile_of((None, rebuild_samples()))

    shared = profile["shared"]
    functions = rows_of(shared["funcTable"])
    lines = {
        (text_in(profile, functions[frame["func"]]["name"]), frame["line"])
        for frame in rows_of(shared["frameTable"])
    }
    files = {
        text_in(profile, one["filename"]) for one in rows_of(shared["sources"])
    }
    assert ("nova.compute.api:rebuild", 3540) in lines
    assert "nova/compute/api.py" in files


def test_stacks_past_the_bound_end_at_a_frame_that_is_there(monkeypatch):
    """Their time stays with it."""
    monkeypatch.setattr(firefox_tables, "MOST_STACKS", 2)

    profile = profile_of((None, rebuild_samples()))

    assert profile["shared"]["stackTable"]["length"] == 2
    weights = profile["threads"][-1]["samples"]["weight"]
    assert round(sum(weights)) == 1000


def test_names_of_others_are_texts_and_nothing_else():
    """Whatever a client or a damaged file named."""
    name = '</script>"\u202e\x1b[2J' + "x" * 30_000
    hostile = slow_rebuild()
    hostile.route = hostile.user_name = name
    hostile.timeline = [TimelineEntry(name, name, 0.0, 1.0, error=name)]

    profile = profile_of((hostile, [([f"{name}\x00{name}\x001", ORM], 1.0)]))

    texts = profile["shared"]["stringArray"]
    assert max(map(len, texts)) < 25_000
    assert not any("\u202e" in text or "\x1b" in text for text in texts)


numbers = st.floats(-1e15, 1e15) | st.integers(-(10**15), 10**15)
entries = st.builds(
    TimelineEntry,
    group=st.sampled_from(["sql", "db_api", "other", "running", "\ud800"]),
    name=st.text(max_size=5),
    start_ms=numbers,
    ms=numbers,
    lane=st.integers(-3, 3) | numbers,
    rows=st.none() | numbers,
    statement=st.none() | numbers,
    id=st.none() | st.integers(0, 5),
    parent=st.none() | st.integers(0, 5),
)


@settings(max_examples=40)
@given(st.lists(entries, max_size=8), numbers)
def test_any_record_that_can_be_read_becomes_a_profile(timeline, duration):
    """Numbers without sense, parents in circles, lanes of all kinds."""
    made = record(timeline=timeline, duration_ms=duration, statements=[])

    profile_of((made, None))
