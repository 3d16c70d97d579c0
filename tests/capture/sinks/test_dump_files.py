# SPDX-License-Identifier: Apache-2.0
"""Dumps: each record that has its timeline becomes a file."""

from __future__ import annotations

import pytest
from builders import dump_files, record, slow_rebuild

from nova_profiler.capture.sinks.dump_files import DumpSink
from nova_profiler.dump_store import DumpStore


@pytest.fixture
def directory(tmp_path):
    """Return where the dumps go; not made yet."""
    return tmp_path / "dumps"


@pytest.fixture
def sink(directory):
    """Return a sink with limits that are far away."""
    return DumpSink(DumpStore(directory, 100, 100, 100_000))


def test_a_record_with_a_timeline_is_a_dump(sink, directory):
    """Whole, under the name of its request."""
    sink.emit(slow_rebuild())

    assert dump_files(directory) == [
        "2026-11-21/103501.123-3117ms-POST-v2_1_servers_id_action-"
        "6ec84648-ued5276.json"
    ]


def test_a_record_without_one_is_none(sink, directory):
    """The recorder fills it for those that are to be kept."""
    sink.emit(record())

    assert not directory.exists()


def test_an_empty_timeline_is_one(sink, directory):
    """A request that called nothing may be slow, too."""
    sink.emit(record(timeline=[], statements=[]))

    assert len(dump_files(directory)) == 1


def test_a_directory_that_cannot_be_is_an_error(tmp_path):
    """The caller counts it and goes on."""
    (tmp_path / "file").write_text("")
    sink = DumpSink(DumpStore(tmp_path / "file" / "dumps", 100, 100, 100))

    with pytest.raises(OSError, match="Not a directory|File exists"):
        sink.emit(slow_rebuild())
