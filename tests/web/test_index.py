# SPDX-License-Identifier: Apache-2.0
"""The index has every dump, by its name at once, and follows the files."""

from __future__ import annotations

import threading

from builders import numbered, slow_rebuild, written
from web_pages import still_index

from nova_profiler.dump_store import DumpStore
from nova_profiler.web.index import Index
from nova_profiler.web.rows import DAMAGED, NAMED, READ


def test_names_are_enough_for_a_row(tmp_path):
    """Time, milliseconds and route are there before any file is opened."""
    [path] = written(tmp_path, slow_rebuild())
    path.write_text("not a dump")
    index = Index([DumpStore(tmp_path)])

    index.look_up_names()

    [row] = index.rows
    assert row.state == NAMED
    assert row.duration_ms == 3117
    assert row.title == "POST v2_1_servers_id_action"
    assert index.progress == (True, 1, 0, 0, (), ())
    assert not index.progress.is_done


def test_heads_have_the_rest(tmp_path):
    """Status, user and the parts of the time; damaged ones have a reason."""
    good, bad = written(tmp_path, slow_rebuild(), numbered(1))
    bad.write_text("[" * 100_000)

    index = still_index(tmp_path)

    row, damaged = index.rows
    assert (row.state, row.status) == (READ, 202)
    assert row.title == "POST /v2.1/servers/{id}/action rebuild"
    assert row.part == "waiting"
    assert damaged.state == DAMAGED
    assert damaged.problem.endswith("not a nova-profiler record: too deep")
    assert index.progress.is_done
    assert index.row(row.key) == row
    assert good.stem in row.key


def test_new_and_removed_dumps_are_followed(tmp_path):
    """What was read once is not read again."""
    first, second = written(tmp_path, numbered(1), numbered(2))
    index = still_index(tmp_path)
    kept = index.rows[1]
    second.unlink()
    written(tmp_path, numbered(3))

    index.look_up_names()

    assert [row.entry.id_prefix for row in index.rows] == [
        "00000003",
        "00000001",
    ]
    assert index.rows[1] == kept
    assert index.progress.read == 1
    assert first.exists()


def test_what_is_as_it_was_has_the_same_version(tmp_path):
    """So that a page that was worked out is not worked out again."""
    written(tmp_path, numbered(1))
    index = still_index(tmp_path)
    before = index.version

    index.look_up_names()
    index.read_heads()
    assert index.version == before

    written(tmp_path, numbered(2))
    index.look_up_names()
    assert index.version > before


def test_there_is_a_most(tmp_path):
    """The newest stay, and the others are counted."""
    written(tmp_path, *map(numbered, range(5)))

    index = still_index(tmp_path, most=2)

    assert [row.entry.id_prefix[-1] for row in index.rows] == ["4", "3"]
    assert index.progress.left_out == 3


def test_several_directories_are_one_table(tmp_path):
    """In the order of time; the same dump in two of them is there twice."""
    a, b = tmp_path / "a", tmp_path / "b"
    written(a, numbered(1), numbered(3))
    written(b, numbered(2), numbered(3))

    index = still_index(a, b)

    found = [(row.key[0], row.entry.id_prefix[-1]) for row in index.rows]
    assert found == [("0", "3"), ("1", "3"), ("1", "2"), ("0", "1")]
    assert [index.row(row.key) for row in index.rows] == list(index.rows)


def test_a_directory_that_vanished_is_a_problem(tmp_path):
    """The pages go on, and have the reason."""
    index = still_index(tmp_path / "gone")

    assert len(index.rows) == 0
    assert "no such directory" in index.progress.problems[0]


def test_no_thread_before_the_first_request(tmp_path):
    """Workers fork; each begins its own."""
    before = threading.active_count()

    Index([DumpStore(tmp_path)])

    assert threading.active_count() == before


def test_a_directory_of_strangers_files(tmp_path):
    """Links, folders and pipes with the name of a dump are no rows."""
    [path] = written(tmp_path, numbered(1))
    other = path.name.replace("00000001", "00000002")
    path.with_name(other).symlink_to("/etc/passwd")
    path.with_name(other.replace("00000002", "00000003")).mkdir()

    assert len(still_index(tmp_path).rows) == 1
