# SPDX-License-Identifier: Apache-2.0
"""`export` in formats with times: which requests, with and without stacks."""

from __future__ import annotations

import json

import pytest
from builders import numbered, record, slow_rebuild, written
from profile_builders import (
    API,
    rebuild_samples,
    rebuild_stats,
    timed_session,
    write_session,
    write_stats,
)
from timeline_files import check_firefox_profile, check_trace_events

from nova_profiler.cli import main
from nova_profiler.profiles import stack_tree
from nova_profiler.reading.code.timelines import (
    firefox_tables,
    formats,
    lane_calls,
    lane_room,
    looks,
    trace_events,
)
from nova_profiler.reading.code.timelines.left_out import HEADING
from nova_profiler.record import TimelineEntry

CHECKS = {"firefox": check_firefox_profile, "perfetto": check_trace_events}


@pytest.fixture
def dumps(tmp_path, monkeypatch):
    """Five dumps, the first with samples."""
    paths = written(tmp_path / "d", slow_rebuild(), *map(numbered, range(4)))
    write_session(paths[0].with_suffix(".pyisession"), *rebuild_samples())
    monkeypatch.setenv("NOVA_PROFILER_DUMP_DIR", str(tmp_path / "d"))
    monkeypatch.chdir(tmp_path)
    return paths


def exported(how, *arguments):
    """Return the file of a format, checked."""
    assert main(["export", *arguments, "--format", how, "-o", "out"]) == 0
    with open("out") as file:
        content = json.load(file)
    CHECKS[how](content)
    return content


def test_every_format_has_a_check():
    """A new row of the table needs one."""
    assert CHECKS.keys() == formats.FORMATS.keys()


@pytest.mark.parametrize("how", CHECKS)
def test_one_request_with_its_stacks(dumps, how):
    """Its calls and its stacks are in one file."""
    shown = json.dumps(exported(how, "6ec84648"))

    assert "instance_get_by_uuid" in shown
    assert "nova.compute.api:rebuild" in shown


@pytest.mark.parametrize("how", CHECKS)
def test_a_dump_without_stacks_has_its_calls(dumps, how):
    """Formats of stacks alone refuse it."""
    exported(how, str(dumps[1]))


def test_all_of_a_route(dumps):
    """Each request apart, with the time between them."""
    content = exported("firefox", "--route", "/v2.1/servers")

    began = sorted(
        thread["processStartupTime"] for thread in content["threads"]
    )
    assert began == [0.0, 1000.0, 2000.0, 3000.0]


def test_the_newest_have_room(dumps, monkeypatch, capsys):
    """Of the others there is the number."""
    monkeypatch.setattr(formats, "MOST_REQUESTS", 3)

    content = exported("perfetto")

    processes = {one["pid"] for one in content["traceEvents"]}
    assert len(processes) == 3
    assert "2 requests left out" in capsys.readouterr().err
    monkeypatch.setattr(formats, "MOST_REQUESTS", 4)
    exported("perfetto")
    assert "1 request left out" in capsys.readouterr().err


def test_counted_calls_leave_the_record(dumps, capsys):
    """A file of cProfile has no stacks, which one line says."""
    write_stats(dumps[1].with_suffix(".prof"), rebuild_stats())

    exported("firefox", str(dumps[1]))

    assert "counted calls have no stacks" in capsys.readouterr().err


def test_damaged_files_are_named(dumps, capsys):
    """The others are exported; of damaged ones alone there is an error."""
    dumps[1].write_text("{")
    dumps[0].with_suffix(".pyisession").write_text("[]")

    exported("firefox", str(dumps[0]), str(dumps[1]))
    shown = capsys.readouterr().err
    code = main(["export", str(dumps[1]), "--format", "firefox", "-o", "x"])

    assert shown.count("skipped:") == 2
    assert "not a session" in shown
    assert code == 2


def test_no_such_dumps(dumps, capsys):
    """One line, and no file."""
    code = main(["export", "--route", "/none", "--format", "firefox"])

    assert code == 0
    assert "no dumps of /none in " in capsys.readouterr().err


def lanes_dump(folder, lanes):
    """Write a dump with a long route, each call in a lane of its own."""
    entries = [
        TimelineEntry("sql", "SELECT", lane / 100, 1.0, lane=lane)
        for lane in range(lanes)
    ]
    made = record(route="/" + "r" * 19_000, timeline=entries)
    return written(folder, made)[0]


@pytest.mark.parametrize("how", CHECKS)
def test_a_file_is_not_many_times_its_dump(tmp_path, how):
    """What a dump has once may stand in it for each lane."""
    path = lanes_dump(tmp_path, 4_000)

    made = formats.content_in(how, "t", [path])

    assert len(made.content) < 8 * path.stat().st_size


@pytest.mark.parametrize("how", CHECKS)
def test_a_file_is_not_many_times_its_stacks(tmp_path, how):
    """A few letters of a session name a lane."""
    content = timed_session(*[(lane, [API], 0.0, 1.0) for lane in range(9000)])
    paths = [tmp_path / f"{number}.pyisession" for number in range(20)]
    for path in paths:
        path.write_text(json.dumps(content))

    made = formats.content_in(how, "t", paths)

    assert len(made.content) < 2 * sum(path.stat().st_size for path in paths)


def test_lanes_without_room_are_counted(tmp_path, capsys, monkeypatch):
    """As requests and calls are."""
    monkeypatch.chdir(tmp_path)
    path = lanes_dump(tmp_path, 2_003)

    exported("firefox", str(path))

    assert "3 lanes left out, with 3 calls" in capsys.readouterr().err


def crowded(folder):
    """Write a dump of calls in three lanes, and stacks in two others."""
    entries = [
        TimelineEntry("sql", "SELECT", float(at), 20.0, lane=at % 3)
        for at in range(40)
    ]
    [path] = written(folder, record(timeline=entries))
    stretches = [
        (lane, [API, f"f{at}\x00/x/a.py\x003"], 10.0 * at, 5.0)
        for lane in (0, 9)
        for at in range(4)
    ]
    session = path.with_suffix(".pyisession")
    session.write_text(json.dumps(timed_session(*stretches)))
    return session


# Each bound of a file: the format, where it stands, and the words about it.
BOUNDS = [
    ("firefox", lane_calls, "MOST_CALLS", 30, "10 calls left out"),
    ("firefox", lane_room, "MOST_LANES", 2, "2 lanes left out, with 13 calls"),
    ("firefox", looks, "MOST_FRAMES", 13, "2 stacks left without a lane"),
    ("firefox", firefox_tables, "MOST_STACKS", 3, "4 stacks end at a caller"),
    ("perfetto", lane_calls, "MOST_CALLS", 30, "10 calls left out"),
    ("perfetto", lane_room, "MOST_LANES", 2, "2 lanes left out, with 13"),
    ("perfetto", lane_calls, "MOST_ROWS", 3, "calls left out: Perfetto has"),
    ("perfetto", looks, "MOST_FRAMES", 13, "2 stacks left without a lane"),
    ("perfetto", trace_events, "MOST_SLICES", 7, "5 stacks end at a caller"),
]


@pytest.mark.parametrize(
    ("how", "place", "name", "most", "words"),
    BOUNDS,
    ids=[f"{how}-{name}" for how, _, name, *_ in BOUNDS],
)
def test_what_has_no_room_is_named_in_the_file_and_by_the_command(
    tmp_path, monkeypatch, capsys, how, place, name, most, words
):
    """Whichever bound it is: where a program shows facts, and on stderr."""
    monkeypatch.chdir(tmp_path)
    path = crowded(tmp_path / "d")
    whole = formats.content_in(how, "t", [path])
    monkeypatch.setattr(place, name, most)

    content = exported(how, str(path))

    [line] = formats.content_in(how, "t", [path]).left_out
    assert words in line
    assert not [one for one in whole.left_out if words in one]
    assert capsys.readouterr().err == f"skipped: {line}\n"
    assert facts_of(how, content) == [line, line]


def facts_of(how, content):
    """Return what a file is known to lack: as a whole, by its request."""
    if how == "perfetto":
        [about] = [
            one["args"][HEADING]
            for one in content["traceEvents"]
            if one["ph"] == "X" and HEADING in one["args"]
        ]
        return [content["otherData"][HEADING], about]
    texts = content["shared"]["stringArray"]
    [about] = [
        texts[payload[HEADING]]
        for thread in content["threads"]
        for payload in thread["markers"]["data"]
        if HEADING in payload
    ]
    [of_file, *_] = content["meta"]["extra"]
    assert of_file["label"] == HEADING
    return [of_file["entries"][0]["value"], about]


@pytest.mark.parametrize("how", CHECKS)
def test_stacks_of_too_many_functions_are_counted(tmp_path, how):
    """As pages bound them; what the caller knows comes first."""
    path = crowded(tmp_path)

    made = formats.content_in(how, "t", [path], 3, ["it is late"])

    first, second = made.left_out[:2]
    assert first == "it is late"
    assert second == (
        "2 stacks end at a caller: a file has room for 3 functions"
    )
    assert facts_of(how, json.loads(made.content))[0].startswith("it is late;")


def test_stacks_added_up_name_what_was_cut(tmp_path, monkeypatch, capsys):
    """In formats without a place for it, too."""
    monkeypatch.chdir(tmp_path)
    path = crowded(tmp_path / "d")
    words = ["export", str(path), "--format", "collapsed", "-o", "out"]
    assert main(words) == 0
    whole = capsys.readouterr().err
    monkeypatch.setattr(stack_tree, "MOST_NODES", 3)

    assert main(words) == 0

    assert whole == ""
    assert "skipped: more functions than have room here" in (
        capsys.readouterr().err
    )
