# SPDX-License-Identifier: Apache-2.0
"""The lines of a request are found by its id, within bounds."""

from __future__ import annotations

import gzip

from logged import log_file_line, request_id, write_log, wsgi_line

from nova_profiler.reading.logs import Unread
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.lines import (
    LONGEST_LINE,
    MOST_LINES,
    follow_command,
    lines_of,
)


def found(request_id, *paths, duration_ms=101.0, **more):
    """Return what *paths* have of a request."""
    row = Row("", None, 0.0, duration_ms, "", request_id=request_id)
    files = sources_of([str(path) for path in paths], Unread())
    return lines_of(row, files, **more)


def test_lines_of_all_files_are_found(tmp_path):
    """Packed ones, too, each with the name of its file."""
    plain = write_log(tmp_path / "a.log", wsgi_line(1), wsgi_line(2))
    packed = tmp_path / "b.log.gz"
    text = f"first\n{request_id(2)} in another service"
    packed.write_bytes(gzip.compress(text.encode()))

    lines, record, is_whole = found(request_id(2), plain, packed)

    assert [(line.file, line.text) for line in lines] == [
        (str(plain), wsgi_line(2)),
        (str(packed), f"{request_id(2)} in another service"),
    ]
    assert record is None
    assert is_whole


def test_a_line_of_log_file_is_the_record(tmp_path):
    """That of the same request and time; others with its id are lines."""
    line = log_file_line(1, breakdown_ms={"sql": 9.0})
    other = log_file_line(1, duration_ms=5.0)
    log = write_log(tmp_path / "a", "{damaged 00000001", other, line)
    _, record, _ = found("00000001-1", log)
    row_id = record.request_id if record else None

    lines, record, _ = found(_id_in(line), log)

    assert row_id is None
    assert record.breakdown_ms == {"sql": 9.0}
    assert len(lines) == 2


def _id_in(line):
    return line.partition('"request_id": "')[2].partition('"')[0]


def test_there_is_a_most(tmp_path):
    """Of lines, of their length, and of the time that is taken."""
    text = f"{request_id(1)} {'x' * 10_000}"
    log = write_log(tmp_path / "a.log", *[text] * (MOST_LINES + 1))
    clock = iter([0.0, 100.0])

    lines, _, is_whole = found(request_id(1), log)
    quick = found(request_id(2), log, clock=lambda: next(clock))

    assert len(lines) == MOST_LINES
    assert {len(line.text) for line in lines} == {LONGEST_LINE}
    assert not is_whole
    assert quick == ([], None, False)


def test_a_request_without_an_id_has_no_lines(tmp_path):
    """Every line has an empty text."""
    log = write_log(tmp_path / "a.log", wsgi_line(1))

    assert found("", log) == ([], None, True)


def test_a_log_that_vanished_has_no_lines(tmp_path):
    """And is no failure."""
    log = write_log(tmp_path / "a.log", wsgi_line(1))
    files = sources_of([str(log)], Unread())
    log.unlink()
    row = Row("", None, 0.0, 1.0, "", request_id=request_id(1))

    assert lines_of(row, files).lines == []


def test_the_command_is_quoted():
    """A name of a file may be anything."""
    assert follow_command("req-1", ["a b", "$(x)"]) == (
        "nova-profiler follow req-1 'a b' '$(x)'"
    )
