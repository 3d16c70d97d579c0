# SPDX-License-Identifier: Apache-2.0
"""What was read of dumps is kept between starts, and never trusted."""

from __future__ import annotations

import os

import numpy as np
import pytest
from builders import numbered, slow_rebuild, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web_pages import StillIndex

from nova_profiler.dump_store import DumpStore
from nova_profiler.web.rows import NAMED, READ, Row
from nova_profiler.web.tables import kept as module
from nova_profiler.web.tables.columns import Columns
from nova_profiler.web.tables.kept import Keeper, folder_of_user
from nova_profiler.web.tables.names import Names


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def dumps(tmp_path):
    return tmp_path / "dumps"


def started(dumps, cache, is_read=False):
    """Return the index of a start; its dumps are read if *is_read*."""
    index = StillIndex([DumpStore(dumps)], keeper=Keeper(str(cache)))
    index.look_up_names()
    if is_read:
        index.read_heads()
    return index


def states(index):
    """Return how far each row is known, newest first."""
    return [row.state for row in index.rows]


def test_a_second_start_reads_no_dump_again(dumps, cache):
    """Its rows are those of the first, once the names are known."""
    written(dumps, slow_rebuild(), numbered(1))
    first = started(dumps, cache, is_read=True)

    second = started(dumps, cache)

    assert list(second.rows) == list(first.rows)
    assert second.progress.is_done


def test_only_its_user_may_read_what_is_kept(dumps, cache):
    """And nothing is written beside the dumps."""
    written(dumps, numbered(1))
    before = sorted(dumps.rglob("*"))
    started(dumps, cache, is_read=True)

    [file] = cache.iterdir()

    assert file.stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700
    assert sorted(dumps.rglob("*")) == before


def test_a_changed_dump_is_read_again(dumps, cache):
    """Its inode and its time of change are another; new ones are read."""
    changed, replaced, same = written(dumps, *map(numbered, range(3)))
    started(dumps, cache, is_read=True)
    os.utime(changed, ns=(1, 1))
    replaced.with_suffix(".new").write_bytes(replaced.read_bytes())
    replaced.with_suffix(".new").rename(replaced)
    written(dumps, numbered(3))

    index = started(dumps, cache)

    assert same.exists()
    assert states(index) == [NAMED, READ, NAMED, NAMED]


def test_removed_dumps_are_no_rows(dumps, cache):
    """Whatever is kept of them."""
    first, _ = written(dumps, numbered(1), numbered(2))
    started(dumps, cache, is_read=True)
    first.unlink()

    assert states(started(dumps, cache)) == [READ]


def test_another_version_keeps_its_own(dumps, cache, monkeypatch):
    """Its rows may mean something else."""
    written(dumps, numbered(1))
    started(dumps, cache, is_read=True)
    monkeypatch.setattr(module, "__version__", "99")

    assert states(started(dumps, cache)) == [NAMED]
    assert states(started(dumps, cache, is_read=True)) == [READ]
    assert states(started(dumps, cache)) == [READ]


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_damaged_file_is_made_anew(dumps, cache, data):
    """Whatever is in it: rows are right, or the dumps are read again."""
    if not dumps.exists():
        written(dumps, slow_rebuild(), numbered(1))
    whole = started(dumps, cache, is_read=True)
    [file] = cache.iterdir()
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)

    index = started(dumps, cache, is_read=True)

    assert list(index.rows) == list(whole.rows)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("title", 10**6),
        ("title", -1),
        ("state", 9),
        ("duration_ms", float("nan")),
        ("duration_ms", -1.0),
        ("duration_ms", 1e300),
        ("part_ms", float("inf")),
        ("part_ms", 1e300),
        ("epoch_ms", 2**63 - 1),
        ("epoch_ms", -(2**63)),
        ("request_id", b"\xff"),
        ("status", -4),
    ],
)
def test_numbers_that_cannot_be_are_not_read(cache, column, value):
    """Even where the file itself is sound."""
    columns = Columns(Names())
    columns.add([Row("", None, 1.0, 2.0, "GET /", parts=(("sql", 1.0),))])
    columns.view()[column][...] = value
    if column == "title":
        # What a file has is made of texts; there it is put in afterwards.
        columns.view()[column][...] = 0
    keeper = Keeper(str(cache))
    keeper.keep_rows("a", columns)
    if column == "title":
        _change(next(cache.iterdir()), column, value)

    assert keeper.rows("a", Names()) is None


def _change(file, column, value):
    with np.load(file) as found:
        arrays = dict(found)
    arrays[column][...] = value
    with open(file, "wb") as to:
        np.savez(to, **arrays)


@pytest.mark.parametrize("how", ["compressed", "pickled", "fifo", "link"])
def test_what_is_no_file_of_ours_is_not_read(cache, tmp_path, how):
    """No bomb grows, no pickle runs, no pipe waits, no link is followed."""
    keeper = Keeper(str(cache))
    columns = Columns(Names())
    columns.add([Row("", None, 1.0, 2.0, "GET /")])
    keeper.keep_rows("a", columns)
    [file] = cache.iterdir()
    with np.load(file) as found:
        arrays = dict(found)
    file.unlink()
    if how == "compressed":
        with open(file, "wb") as to:
            np.savez_compressed(to, **arrays)
    elif how == "pickled":
        arrays["title"] = np.array([print], dtype=object)
        with open(file, "wb") as to:
            np.savez(to, **arrays)
    elif how == "fifo":
        os.mkfifo(file)
    else:
        file.symlink_to(tmp_path / "elsewhere")

    assert keeper.rows("a", Names()) is None


def test_the_folder_is_bounded(cache, monkeypatch):
    """What was used longest ago goes first."""
    monkeypatch.setattr(module, "_MOST_FILES", 2)
    keeper = Keeper(str(cache))
    for number, name in enumerate("abc"):
        keeper.keep_rows(name, Columns(Names()))
        for file in cache.iterdir():
            if file.stat().st_mtime_ns > 10**12:
                os.utime(file, ns=(number, number))

    kept = [keeper.rows(name, Names()) is not None for name in "abc"]

    assert kept == [False, True, True]


def test_a_folder_that_others_may_write_is_not_used(dumps, cache):
    """The dumps are read, and nothing is kept."""
    written(dumps, numbered(1))
    cache.mkdir()
    cache.chmod(0o777)

    index = started(dumps, cache, is_read=True)

    assert states(index) == [READ]
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("home", "expected"),
    [("/x/cache", "/x/cache/nova-profiler/pages"), ("relative", None)],
)
def test_the_folder_is_in_the_users_cache(monkeypatch, home, expected):
    """Where the environment names a place that is one."""
    monkeypatch.setenv("XDG_CACHE_HOME", home)

    assert folder_of_user() == expected
