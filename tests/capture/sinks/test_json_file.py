# SPDX-License-Identifier: Apache-2.0
"""The log file: a line a record, through rotation and full disks."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import threading

import pytest
from builders import parallel_detail, record, slow_rebuild
from hypothesis import given
from hypothesis import strategies as st
from open_files import open_files

from nova_profiler.capture.sinks import json_file
from nova_profiler.capture.sinks.json_file import (
    LOOK_EVERY_S,
    JsonFileSink,
    line_of,
)
from nova_profiler.record import KINDS, CallTotals, GroupTotals

_text = st.text(max_size=40)
_maybe = st.none() | _text
_ms = st.floats(0, 1e9) | st.integers(0, 1000)
_count = st.integers(0, 10**9)
_name = st.text("abcdefgh_", min_size=1, max_size=12)


@st.composite
def _calls(draw) -> CallTotals:
    ms = draw(_ms)
    count, nested = draw(st.integers(1, 10**6)), draw(st.integers(0, 5))
    # The slowest of one call is that call.
    longest = ms if count == 1 and not nested else draw(_ms)
    return CallTotals(
        draw(_name),
        draw(_text),
        count,
        ms,
        longest,
        draw(st.integers(0, 5)),
        nested,
        draw(st.none() | _ms),
    )


_profiles = st.none() | st.dictionaries(
    _text, _maybe | st.lists(_text), max_size=3
)
_fields = st.fixed_dictionaries(
    {
        **dict.fromkeys(("service", "host", "path", "route"), _text),
        **dict.fromkeys(
            (
                "request_id",
                "global_request_id",
                "action",
                "user_id",
                "project_id",
                "user_name",
                "project_name",
                "user_domain_id",
                "project_domain_id",
                "domain_id",
                "remote_address",
                "error",
                "record_id",
                "parent_id",
                "sent_at",
                "trace_id",
                "span_id",
            ),
            _maybe,
        ),
        "pid": _count,
        "status": st.just(0) | st.integers(100, 999),
        "response_bytes": st.none() | _count,
        "duration_ms": _ms,
        "app_ms": _ms,
        "cpu_ms": st.none() | _ms,
        "wait_ms": st.none() | _ms,
        "kind": st.sampled_from([kind.name for kind in KINDS]),
        "self_ms": _ms,
        "method": st.sampled_from(["GET", "POST", "OTHER"]),
        "outcome": st.sampled_from(["ok", "failed", "aborted", "unanswered"]),
        "dropped_calls": _count,
        "profile": _profiles,
        "groups": st.dictionaries(
            _name, st.builds(GroupTotals, _count, _ms, _ms), max_size=3
        ),
        "breakdown_ms": st.dictionaries(_name, _ms, max_size=4),
        "counts": st.dictionaries(_name, _count, max_size=3),
        "calls": st.lists(_calls(), max_size=4),
    }
)


def _expected(made) -> dict:
    fields = made.to_dict()
    fields.pop("timeline", None)
    fields.pop("statements", None)
    at = {"@timestamp": made.started_at, "@version": "1"}
    return {**fields, **at}


@given(_fields)
def test_a_line_is_the_record_as_json(fields):
    """Put together by hand, and equal to what json makes of to_dict()."""
    made = record(**fields)

    line = line_of(made)

    assert json.loads(line) == json.loads(json.dumps(_expected(made)))
    assert line.isascii()
    assert line.index("\n") == len(line) - 1


@pytest.mark.parametrize("made", [record(), slow_rebuild(), parallel_detail()])
def test_a_line_holds_no_timeline(made):
    """Those of a dump are as long as any other."""
    assert json.loads(line_of(made)) == _expected(made)


def test_odd_characters_are_escaped():
    """Line ends, broken UTF-8 and quotes stay within their string."""
    made = record(path='/a\n\r\u2028"\\', user_name="ä\ud800\0")

    fields = json.loads(line_of(made))

    assert fields["path"] == '/a\n\r\u2028"\\'
    assert fields["user_name"] == "ä\ud800\0"


def test_names_of_calls_are_kept_up_to_a_limit(monkeypatch):
    """More of them cost time, not memory."""
    monkeypatch.setattr(json_file, "_beginnings", {})
    monkeypatch.setattr(json_file, "_MAX_BEGINNINGS", 2)
    calls = [CallTotals("sql", f"SELECT t{n}", 1, 1.0, 1.0) for n in range(5)]

    fields = json.loads(line_of(record(calls=calls)))

    assert [call["name"] for call in fields["calls"]] == [
        c.name for c in calls
    ]
    assert len(json_file._beginnings) == 2


class Ticks:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks(monkeypatch):
    """Replace the sink's clock."""
    clock = Ticks()
    monkeypatch.setattr(json_file, "monotonic", clock)
    return clock


@pytest.fixture
def log_file(tmp_path, ticks):
    """Return a sink and close its file afterwards."""
    sink = JsonFileSink(str(tmp_path / "logs" / "requests.json"))
    yield sink
    if sink._file is not None:
        os.close(sink._file)


def _paths(path) -> list[str]:
    with open(path, encoding="ascii") as lines:
        return [json.loads(line)["path"] for line in lines]


def test_nothing_is_made_before_the_first_record(log_file):
    """A server may fork, or change its user, after it has loaded us."""
    assert log_file._file is None
    assert not os.path.exists(log_file._path)


def test_records_are_appended(log_file):
    """The folder is made; a file that is there goes on."""
    os.makedirs(os.path.dirname(log_file._path))
    with open(log_file._path, "w") as file:
        file.write(line_of(record(path="/before")))

    log_file.emit(record(path="/1"))
    log_file.emit(record(path="/2"))

    assert _paths(log_file._path) == ["/before", "/1", "/2"]


def test_others_cannot_read_it(log_file):
    """Names of users are in it."""
    log_file.emit(record())

    assert os.stat(log_file._path).st_mode & 0o137 == 0


def test_it_is_not_handed_to_programs(log_file, ticks):
    """Neither the first file nor the one after a rotation."""
    log_file.emit(record())
    first = os.get_inheritable(log_file._file)
    os.unlink(log_file._path)
    ticks.now += LOOK_EVERY_S
    log_file.emit(record())

    assert not first
    assert not os.get_inheritable(log_file._file)


def test_rotation_by_renaming_is_noticed_within_a_moment(log_file, ticks):
    """From then on the old file gets nothing more, the new one is made."""
    log_file.emit(record(path="/1"))
    old = log_file._path + ".1"

    os.rename(log_file._path, old)
    ticks.now += LOOK_EVERY_S * 0.9
    log_file.emit(record(path="/2"))
    ticks.now += LOOK_EVERY_S * 0.2
    log_file.emit(record(path="/3"))

    assert _paths(old) == ["/1", "/2"]
    assert _paths(log_file._path) == ["/3"]


def test_no_look_at_the_name_for_each_line(log_file, ticks, monkeypatch):
    """It takes longer than writing the line."""
    looks = []
    moved = JsonFileSink._is_moved
    monkeypatch.setattr(
        JsonFileSink, "_is_moved", lambda sink: looks.append(1) or moved(sink)
    )

    for _ in range(2):
        for _ in range(100):
            log_file.emit(record())
        ticks.now += LOOK_EVERY_S

    assert len(looks) == 1


def test_a_file_put_in_its_place_is_noticed_soon(log_file, ticks):
    """As by logrotate with ``create``; no line is lost."""
    log_file.emit(record(path="/1"))
    log_file.emit(record(path="/2"))
    old = log_file._path + ".1"

    os.rename(log_file._path, old)
    open(log_file._path, "w").close()
    log_file.emit(record(path="/3"))
    ticks.now += LOOK_EVERY_S
    log_file.emit(record(path="/4"))

    assert _paths(old) + _paths(log_file._path) == ["/1", "/2", "/3", "/4"]
    assert _paths(log_file._path)[-1] == "/4"


def test_rotation_keeps_the_number_of_the_file(log_file, ticks):
    """Another thread may be about to write to it."""
    log_file.emit(record(path="/1"))
    number = log_file._file
    files = len(open_files())

    os.unlink(log_file._path)
    ticks.now += LOOK_EVERY_S
    log_file.emit(record(path="/2"))

    assert log_file._file == number
    assert len(open_files()) == files


def test_a_removed_folder_is_made_again(log_file, ticks):
    """Whoever took it away."""
    log_file.emit(record())
    os.unlink(log_file._path)
    os.rmdir(os.path.dirname(log_file._path))
    ticks.now += LOOK_EVERY_S

    log_file.emit(record(path="/2"))

    assert _paths(log_file._path) == ["/2"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, ticks):
    """And tried again with the next record."""
    (tmp_path / "file").write_text("")
    sink = JsonFileSink(str(tmp_path / "file" / "requests.json"))

    for _ in range(2):
        with pytest.raises(OSError, match="Not a directory|File exists"):
            sink.emit(record())


def test_a_folder_that_became_read_only_is_an_error_each_time(
    log_file, ticks, monkeypatch
):
    """After a rotation into a folder that refuses a new file."""
    log_file.emit(record())
    os.unlink(log_file._path)
    ticks.now += LOOK_EVERY_S

    def refused(*args):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        for _ in range(2):
            with pytest.raises(PermissionError, match="Permission denied"):
                log_file.emit(record())
    log_file.emit(record(path="/after"))

    assert _paths(log_file._path) == ["/after"]


@pytest.fixture
def limited_files():
    """Return a function that limits how long a file may be."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(
        resource.RLIMIT_FSIZE, (size, limits[1])
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_an_error_and_tears_one_line_only(
    log_file, limited_files
):
    """The next record after it starts a line of its own."""
    log_file.emit(record(path="/1"))
    full = os.path.getsize(log_file._path) + 100
    limited_files(full)
    with pytest.raises(OSError, match="only a part of the line"):
        log_file.emit(record(path="/2"))
    with pytest.raises(OSError, match="File too large"):
        log_file.emit(record(path="/3"))

    limited_files(1_000_000)
    log_file.emit(record(path="/4"))
    log_file.emit(record(path="/5"))

    with open(log_file._path, encoding="ascii") as file:
        lines = file.read().splitlines()
    assert [json.loads(lines[n])["path"] for n in (0, 2, 3)] == [
        "/1",
        "/4",
        "/5",
    ]
    assert len(lines) == 4


def test_a_torn_line_in_the_old_file_does_not_reach_the_new(
    log_file, ticks, limited_files
):
    """A new file begins with a record."""
    log_file.emit(record())
    limited_files(os.path.getsize(log_file._path) + 100)
    with pytest.raises(OSError, match="only a part"):
        log_file.emit(record())
    os.unlink(log_file._path)
    ticks.now += LOOK_EVERY_S

    limited_files(1_000_000)
    log_file.emit(record(path="/2"))

    assert _paths(log_file._path) == ["/2"]


def test_threads_write_whole_lines(log_file, ticks):
    """Each line is one write, also while the file is rotated."""
    log_file.emit(record())
    old = []

    def write(thread: int) -> None:
        for n in range(100):
            log_file.emit(record(path=f"/{thread}/{n}"))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for n in range(10):
        old.append(f"{log_file._path}.{n}")
        try:
            os.rename(log_file._path, old[-1])
            ticks.now += LOOK_EVERY_S
        except FileNotFoundError:
            old.pop()
    for thread in threads:
        thread.join()

    log_file.emit(record())
    lines = [path for file in old for path in _paths(file)]
    lines += _paths(log_file._path)
    assert len(lines) == 402


def test_a_pipe_without_a_reader_is_an_error(tmp_path, ticks):
    """And no wait for one."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)

    with pytest.raises(OSError, match="No such device or address"):
        JsonFileSink(path).emit(record())


def test_a_child_process_appends_to_the_same_file(log_file):
    """A worker that was forked after the first record."""
    log_file.emit(record(path="/parent"))

    pid = os.fork()
    if pid == 0:
        try:
            log_file.emit(record(path="/child"))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    log_file.emit(record(path="/again"))

    assert _paths(log_file._path) == ["/parent", "/child", "/again"]
