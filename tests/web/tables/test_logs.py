# SPDX-License-Identifier: Apache-2.0
"""Requests of logs are rows: read once, kept, and read anew when they grow."""

from __future__ import annotations

import gzip
import sqlite3

import pytest
from logged import log_file_line, request_id, write_log, wsgi_line

from nova_profiler.reading.logs import ReadError
from nova_profiler.web.index import Index
from nova_profiler.web.rows import READ
from nova_profiler.web.tables import logs as module
from nova_profiler.web.tables.kept import Keeper
from nova_profiler.web.tables.logs import LogSource


class Clock:
    """Time that only a test moves."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def index_of(tmp_path, clock):
    def made(path, **more):
        def source(number, names, keeper):
            return LogSource(number, [str(path)], names, keeper, clock=clock)

        keeper = Keeper(str(tmp_path / "cache"))
        return Index([], more=[source], keeper=keeper, **more)

    return made


def read(index):
    """Return *index* after all was read."""
    index.look_up_names()
    index.read_heads()
    return index


def test_a_line_is_a_row(tmp_path, index_of):
    """It began when its line was written less its time."""
    log = write_log(tmp_path / "a.log", wsgi_line(5, 1500.0, 503))

    [row] = read(index_of(log)).rows

    assert row.entry is None
    assert row.started_at == "2026-11-10T10:00:03.500+00:00"
    assert (row.duration_ms, row.status, row.state) == (1500.0, 503, READ)
    assert (row.title, row.kind) == ("GET /v2.1/servers/detail", "request")
    assert (row.service, row.request_id) == ("nova-api", request_id(5))
    assert row.is_failed
    assert row.key == f"0/log/0.{request_id(5)}"


def test_a_record_brings_its_parts(tmp_path, index_of):
    """As the option log_file writes it; the largest first."""
    parts = {"sql": 20.0, "python": 70.0}
    log = write_log(tmp_path / "a", log_file_line(1, breakdown_ms=parts))

    [row] = read(index_of(log)).rows

    assert row.parts == (("python", 70.0), ("sql", 20.0))
    assert row.part == "python"
    assert row.started_at == "2026-11-10T08:00:01.000+00:00"


def test_rows_are_newest_first_and_are_found_by_their_keys(tmp_path, index_of):
    """A log that was rotated has other numbers: the id finds the row."""
    lines = [wsgi_line(number) for number in (1, 3, 2)]
    log = write_log(tmp_path / "a.log", *lines)
    index = read(index_of(log))
    keys = [row.key for row in index.rows]
    write_log(log, *lines[1:], wsgi_line(9))

    later = read(index_of(log))

    assert keys == [
        f"0/log/{at}.{request_id(number)}"
        for at, number in ((1, 3), (2, 2), (0, 1))
    ]
    assert [index.row(key).key for key in keys] == keys
    found = [later.row(key) for key in keys]
    assert found[0].request_id == request_id(3)
    assert found[1].request_id == request_id(2)
    assert found[2] is None


@pytest.mark.parametrize(
    "key",
    ["0/log/9", "0/log/x", "0/log/-1", "0/other/0", "0/log/" + "9" * 40,
     "7/log/0", "x/log/0", "9" * 5000 + "/log/0", "0/log/0.req-other"],
)  # fmt: skip
def test_other_keys_have_no_row(tmp_path, index_of, key):
    """Whatever stands in the URL."""
    log = write_log(tmp_path / "a.log", wsgi_line(1))

    assert read(index_of(log)).row(key) is None


def test_a_second_start_reads_no_line(tmp_path, index_of):
    """What was kept is there once the file was looked at."""
    log = write_log(tmp_path / "a.log", wsgi_line(1), wsgi_line(2))
    first = read(index_of(log))

    second = index_of(log)
    second.look_up_names()

    assert list(second.rows) == list(first.rows)
    assert second.progress.is_done


def test_a_log_that_grew_is_read_again_after_a_while(
    tmp_path, index_of, clock
):
    """So often that this is a small part of the time."""
    log = write_log(tmp_path / "a.log", wsgi_line(1))
    index = index_of(log)
    source = index.sources[0]
    read(index)
    source._read_next = clock.now + 10
    write_log(log, wsgi_line(1), wsgi_line(2))

    read(index)
    before = len(index.rows)
    assert not index.progress.is_done
    clock.now += 10
    read(index)

    assert (before, len(index.rows)) == (1, 2)
    assert index.progress.is_done


def test_a_folder_of_packed_and_plain_logs(tmp_path, index_of):
    """As report reads it: each request once."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_log(folder / "a.log", wsgi_line(1), wsgi_line(2))
    text = f"{wsgi_line(2)}\n{wsgi_line(3)}\n".encode()
    (folder / "a.log.1.gz").write_bytes(gzip.compress(text))

    ids = [row.request_id for row in read(index_of(folder)).rows]

    assert ids == [request_id(3), request_id(2), request_id(1)]


def test_the_newest_requests_stay_where_there_are_too_many(tmp_path, index_of):
    """The others are counted."""
    log = write_log(tmp_path / "a.log", *map(wsgi_line, range(9)))

    index = read(index_of(log, most_records=3))

    ids = [row.request_id for row in index.rows]
    assert ids == [request_id(8), request_id(7), request_id(6)]
    assert index.progress.left_out == 6
    assert index.row(index.rows[2].key) == index.rows[2]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no such file"),
        (b"", "no timed requests found"),
        (b"\0\1\2" * 5000, "binary file"),
        (b"nothing of ours\n", "nothing of ours"),
        (b'{"schema": 1, "duration_ms": "x"}\n', "a.log"),
    ],
)
def test_a_log_without_requests_is_a_problem(
    tmp_path, index_of, content, problem
):
    """The pages go on, and have the reason."""
    log = tmp_path / "a.log"
    if content is not None:
        log.write_bytes(content)

    index = read(index_of(log))

    assert len(index.rows) == 0
    assert problem in " ".join(index.progress.problems)
    assert index.progress.is_done


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ReadError("a reading process was killed"), "process was killed"),
        (sqlite3.OperationalError("full"), "cannot be read: OperationalError"),
    ],
)
def test_reading_that_fails_is_a_problem(
    tmp_path, index_of, clock, monkeypatch, error, problem
):
    """Rows stay as they were, and it is tried again later."""
    log = write_log(tmp_path / "a.log", wsgi_line(1))
    index = read(index_of(log))
    write_log(log, wsgi_line(1), wsgi_line(2))

    def fail(*args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "entries_of_sources", fail)
        clock.now += 100
        read(index)

    assert len(index.rows) == 1
    assert problem in index.progress.problems[0]
    clock.now += 100
    assert len(read(index).rows) == 2
    assert index.progress.problems == ()


def test_what_lines_name_fits_the_columns(tmp_path, index_of):
    """A time that cannot be is no time; a long name is cut."""
    name = "x" * 5000
    log = write_log(
        tmp_path / "a",
        log_file_line(1, user_name=name, request_id=name, status=12345),
    )

    [row] = read(index_of(log)).rows

    assert (len(row.user), len(row.request_id)) == (200, 64)
    assert row.status == 9999
