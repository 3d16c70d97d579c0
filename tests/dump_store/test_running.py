# SPDX-License-Identifier: Apache-2.0
"""The files of requests that are on: whose they are, and what is left."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running_requests import (
    TOKEN,
    ended_process,
    left_behind,
    traces_of,
    unfinished,
)

from nova_profiler.dump_store import DumpError, DumpStore, is_ahead, running
from nova_profiler.dump_store.asking import Listener
from nova_profiler.dump_store.opened import Directory
from nova_profiler.dump_store.processes import this_process
from nova_profiler.dump_store.running import (
    forget,
    opened_running,
    remove_leavings,
    running_folder,
    seen_running,
    service_of,
    taken,
    trace_entries,
    workers_in,
    write_trace,
)
from nova_profiler.trust import folders
from nova_profiler.trust.folders import UntrustedFolder

ELSEWHERE = this_process()._replace(boot="00000000")
CONTAINER = this_process()._replace(space=1)


def age(path, seconds):
    """Let the file seem so old: its ctime cannot be set."""
    now = time.time()
    return lambda: now + seconds


def paths(directory, **more):
    return [trace.path for trace in traces_of(directory, **more)]


def test_a_trace_is_what_an_ended_worker_left(tmp_path):
    """That of a living one is not."""
    left = left_behind(tmp_path)
    on = left_behind(tmp_path, this_process())

    assert paths(tmp_path) == [left]
    assert paths(tmp_path, of_living=True) == [on]


def test_without_a_folder_there_are_none(tmp_path):
    """No worker has served a slow request yet."""
    assert traces_of(tmp_path) == []
    remove_leavings(running_folder(tmp_path))


def test_a_worker_of_another_host_is_given_time(tmp_path, monkeypatch):
    """It writes the file each second; one not written for long is left."""
    left = left_behind(tmp_path, ELSEWHERE)

    assert paths(tmp_path) == []
    monkeypatch.setattr(running.time, "time", age(left, 3600))
    assert paths(tmp_path) == [left]


def test_a_worker_of_another_container_is_known_by_its_socket(tmp_path):
    """Its number names another process here, and its socket is its own."""
    left = left_behind(tmp_path, CONTAINER)
    folder = running_folder(tmp_path)
    listener = Listener(folder, f"{CONTAINER}-{TOKEN}.sock")

    assert paths(tmp_path) == []
    # Killed: the file of the socket stays.
    listener.let_go()
    assert paths(tmp_path) == [left]


def test_one_of_several_workers_takes_a_trace(tmp_path):
    """The file is gone then, and its record is whole."""
    left = left_behind(tmp_path)
    (trace,) = traces_of(tmp_path)

    assert service_of(trace) == "nova-api"
    assert taken(trace) == unfinished()
    assert taken(trace) is None
    assert service_of(trace) is None
    assert not left.exists()
    forget(trace)
    assert list(running_folder(tmp_path).iterdir()) == []


def test_a_trace_whose_taker_was_killed_is_taken_again(tmp_path, monkeypatch):
    """After a minute, which no record takes to be made."""
    left_behind(tmp_path)
    (trace,) = traces_of(tmp_path)
    taken(trace)

    assert traces_of(tmp_path) == []
    monkeypatch.setattr(running.time, "time", age(trace.path, 61))
    (again,) = traces_of(tmp_path)
    assert taken(again) == unfinished()
    forget(again)
    assert list(running_folder(tmp_path).iterdir()) == []


def test_a_file_is_whole_or_as_it_was(tmp_path):
    """It is written aside, and a disk that was full is no matter."""
    path = left_behind(tmp_path)
    path.with_suffix(".new").write_text('{"sch')

    write_trace(path, unfinished(duration_ms=5200.0))

    (trace,) = traces_of(tmp_path)
    assert taken(trace).duration_ms == 5200.0
    assert path.parent.stat().st_mode & 0o777 in (0o700, 0o755)


def test_what_is_written_is_its_users_alone(tmp_path):
    """Ids and paths of requests are not for others."""
    folder = running_folder(tmp_path)
    with opened_running(Directory(tmp_path), make=True):
        path = left_behind(tmp_path)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    """A directory that others may write to could have one prepared."""
    folder = running_folder(tmp_path)
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(folders.os, "geteuid", lambda: 12345)

    with pytest.raises(UntrustedFolder):
        with opened_running(Directory(tmp_path), make=True):
            pass


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path):
    """It could lead anywhere."""
    (tmp_path / "elsewhere").mkdir()
    running_folder(tmp_path).symlink_to(tmp_path / "elsewhere")

    for make in (True, False):
        with pytest.raises(OSError, match="no folder"):
            with opened_running(Directory(tmp_path), make=make):
                pass


def test_no_link_leads_a_reader_out_of_the_folder(tmp_path):
    """Neither in its place nor in the place of what lies in it."""
    outside, given = tmp_path / "outside", tmp_path / "given"
    private = left_behind(outside)
    listener = Listener(running_folder(outside), "private.sock")
    given.mkdir()
    running_folder(given).symlink_to(running_folder(outside))
    foreign = []

    with pytest.raises(NotADirectoryError):
        with seen_running(given):
            pass
    assert trace_entries(given, foreign) == []
    assert foreign == [".running"]

    running_folder(given).unlink()
    running_folder(given).mkdir()
    (running_folder(given) / private.name).symlink_to(private)
    living = f"{this_process()}-{TOKEN}.sock"
    (running_folder(given) / living).symlink_to(
        running_folder(outside) / "private.sock"
    )
    (trace,) = traces_of(given)
    foreign = []
    assert trace_entries(given, foreign) == []
    assert service_of(trace) is taken(trace) is None
    with seen_running(given) as folder:
        assert list(workers_in(folder, foreign)) == []
    assert foreign == [f".running/{private.name}", f".running/{living}"]
    listener.close()


def test_leavings_of_ended_workers_go(tmp_path):
    """Sockets and half written files; a living worker's stay."""
    folder = running_folder(tmp_path)
    folder.mkdir()
    own = f"{this_process()}-{TOKEN}.sock"
    listener = Listener(folder, own)
    other = {"foreign.sock", "other.txt", f"{this_process()}-00000001.sock"}
    kept = {own, *other}
    for name in (
        *other,
        f"{ended_process()}-{TOKEN}.sock",
        f"{ended_process()}-{TOKEN}-7.new",
    ):
        (folder / name).touch()

    remove_leavings(folder)

    assert {path.name for path in folder.iterdir()} == kept
    foreign = []
    assert [name for name, _ in workers_in(folder, foreign)] == [own]
    assert foreign == [f".running/{this_process()}-00000001.sock"]
    listener.close()


def test_traces_are_among_the_dumps(tmp_path):
    """In their places by time, and found by id."""
    store = DumpStore(tmp_path)
    for minute in ("34", "36"):
        began = f"2026-11-21T10:{minute}:00.000000+00:00"
        record = unfinished(started_at=began, outcome="ok", timeline=[])
        record.request_id = f"req-{minute}aaaaaa"
        store.write(record)
    left = left_behind(tmp_path)

    entries = list(store.entries())

    ids = [entry.id_prefix for entry in entries]
    assert ids == ["36aaaaaa", "6ec84648", "34aaaaaa"]
    assert entries[1].path == left
    assert entries[1].started_at == "2026-11-21T10:35:01.123+00:00"
    assert store.read(store.find("6ec8")).outcome == "killed"
    assert store.prune().dumps == []
    assert left.exists()


def test_a_damaged_trace_is_named(tmp_path):
    """As a foreign file in the directory is; no worker makes a record."""
    path = left_behind(tmp_path)
    path.write_text("[" * 100_000)
    foreign = []

    assert list(DumpStore(tmp_path).entries(foreign)) == []
    assert foreign == [f".running/{path.name}"]
    (trace,) = traces_of(tmp_path)
    assert service_of(trace) is None
    assert taken(trace) is None


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80)))
def test_any_name_may_lie_there(tmp_path_factory, names):
    """Files of anything are left alone."""
    folder = running_folder(tmp_path_factory.mktemp("any"))
    folder.mkdir()
    for name in names:
        name = name.replace("/", "").replace("\0", "")[:60]
        if name not in ("", ".", ".."):
            (folder / f"{name}.json").touch()

    assert traces_of(folder.parent) == []
    remove_leavings(folder)


def test_only_so_many_traces_are_looked_at(tmp_path, monkeypatch):
    """A directory that was filled with them must not fill the memory."""
    monkeypatch.setattr(running, "MAX_TRACES", 3)
    for number in range(5):
        left_behind(tmp_path, number=number)

    assert len(traces_of(tmp_path)) == 3


@pytest.mark.parametrize(
    "rows",
    [
        {"open_stacks": [{"thread": "a", "frames": [1]}]},
        {"open_stacks": [{"thread": "a"}]},
        {"open_stacks": [7]},
        {"open_calls": [{"group": "sql", "name": 1}]},
        {"open_calls": 3},
    ],
)
def test_rows_that_are_none_are_a_damaged_record(tmp_path, rows):
    """A file may come from anywhere."""
    path = left_behind(tmp_path)
    path.write_text(json.dumps({**unfinished().to_dict(), **rows}))

    with pytest.raises(DumpError, match="damaged record"):
        DumpStore(tmp_path).read(DumpStore(tmp_path).find(str(path)))
    assert os.path.exists(path)


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_directory_of_others_is_not_looked_at(tmp_path, mode):
    """A trace in there may be anything's; so may what a link leads to."""
    with opened_running(Directory(tmp_path), make=True) as folder:
        assert os.path.samefile(folder, running_folder(tmp_path))

    tmp_path.chmod(mode)

    with pytest.raises(UntrustedFolder):
        with opened_running(Directory(tmp_path)):
            pass


def test_traces_that_none_takes_are_bounded(tmp_path, monkeypatch):
    """By their age, and by their number; the newest are kept."""
    monkeypatch.setattr(running, "MAX_LEFT", 2)
    left = []
    for number in range(5):
        left.append(left_behind(tmp_path, number=number))
        while (
            left[-1].stat().st_ctime_ns
            == left_behind(tmp_path, this_process()).stat().st_ctime_ns
        ):
            pass

    remove_leavings(running_folder(tmp_path), {left[0].name})
    assert paths(tmp_path) == [left[0], left[3], left[4]]

    monkeypatch.setattr(running.time, "time", age(left[0], 8 * 86_400))
    remove_leavings(running_folder(tmp_path), {left[0].name})
    assert paths(tmp_path) == [left[0]]
    # What a worker that lives has written stays.
    assert len(paths(tmp_path, of_living=True)) == 1


def test_a_trace_of_today_is_not_dated_in_the_future(tmp_path):
    """Its name begins with a process, and has no time of day."""
    began = datetime.now(timezone.utc) - timedelta(hours=1)
    left_behind(tmp_path, started_at=began.isoformat(timespec="microseconds"))

    (entry,) = DumpStore(tmp_path).entries()

    assert not is_ahead(entry, time.time())
