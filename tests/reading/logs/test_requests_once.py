# SPDX-License-Identifier: Apache-2.0
"""From paths to entries, on one core or several."""

from __future__ import annotations

import gzip

import form_lines as forms
import pytest

from nova_profiler.reading.logs import Unread, entries_of, parts
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.parts import ReadError, read_in_parts


def counted(lines, unread):
    """Return how many lines a part has: what the processes run."""
    return sum(part.block.count(b"\n") for part in lines)


def killed(lines, unread):
    """End the process that reads, as the kernel does without memory."""
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def small_parts(monkeypatch):
    """Many parts of little text, so that processes are worth it."""
    monkeypatch.setattr(parts, "_PART_BYTES", 2_000)
    monkeypatch.setattr(parts, "_WORTH_PROCESSES", 3_000)


def test_every_form_in_one_file(tmp_path):
    """Chosen line by line; the request with two lines counts once."""
    path = tmp_path / "nova-api.log"
    lines = [*forms.EXPECTED, forms.STARTING_UP]
    path.write_text("\n".join(lines) + "\n")
    unread = Unread()

    found = list(entries_of([str(path)], unread))

    assert [round(one.ms, 4) for one in found] == [
        expected[5]
        for line, expected in forms.EXPECTED.items()
        if line != forms.UWSGI
    ]
    assert {kind.kind: kind.count for kind in unread} == {
        "further line about a request, merged": 1,
        "log line without a request": 1,
    }


def test_several_processes_give_the_same(tmp_path, small_parts):
    """In the order of the files, and of the lines in them."""
    lines = [
        forms.HAVANA.replace("138.5970151", f"{number}.25")
        for number in range(200)
    ]
    half = "\n".join(lines[:100]) + "\n"
    (tmp_path / "1.log").write_text(half)
    (tmp_path / "2.log.gz").write_bytes(
        gzip.compress("\n".join(lines[100:]).encode())
    )
    heard: list[int] = []

    found = list(entries_of([str(tmp_path)], Unread(), heard.append))

    assert [one.ms for one in found] == [
        number * 1000 + 250 for number in range(200)
    ]
    assert sum(heard) >= len(half)


def test_two_processes_count_what_one_counts(tmp_path, small_parts):
    """Each part once, in whichever process."""
    path = tmp_path / "log"
    path.write_bytes(b"0123456789\n" * 5_000)
    sources = sources_of([str(path)], Unread())

    counts = [
        sum(read_in_parts(counted, sources, Unread(), None, processes))
        for processes in (1, 2)
    ]

    assert counts == [5_000, 5_000]


def test_a_process_that_was_killed(tmp_path, small_parts):
    """One line that says so, and no wait without an end."""
    path = tmp_path / "log"
    path.write_bytes(b"0123456789\n" * 5_000)
    sources = sources_of([str(path)], Unread())

    with pytest.raises(ReadError, match="a reading process was killed"):
        list(read_in_parts(killed, sources, Unread(), None, 2))


def test_a_binary_file_among_many_parts(tmp_path, small_parts):
    """It is named once, and none of its parts is read."""
    path = tmp_path / "core"
    path.write_bytes(b"\0\1\2\n" * 10_000)
    unread = Unread()

    assert list(entries_of([str(path)], unread)) == []

    assert [(kind.kind, kind.count) for kind in unread] == [("binary file", 1)]


def test_nothing_at_all():
    """No paths, no entries."""
    assert list(entries_of([], Unread())) == []
