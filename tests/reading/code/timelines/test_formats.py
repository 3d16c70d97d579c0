# SPDX-License-Identifier: Apache-2.0
"""`export` in formats with times: which requests, with and without stacks."""

from __future__ import annotations

import json

import pytest
from builders import numbered, slow_rebuild, written
from profile_builders import (
    rebuild_samples,
    rebuild_stats,
    write_session,
    write_stats,
)
from timeline_files import check_firefox_profile, check_trace_events

from nova_profiler.cli import main
from nova_profiler.reading.code.timelines import formats

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
