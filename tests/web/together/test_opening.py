# SPDX-License-Identifier: Apache-2.0
"""No page waits for dumps for long, and nothing is opened twice."""

from __future__ import annotations

import threading

from builders import numbered, written
from web_pages import still_index

from nova_profiler.web.together import adding_up, opening
from nova_profiler.web.together.opening import Opener


def test_a_page_does_not_wait_for_slow_files(tmp_path, monkeypatch):
    """It gets how far the opening is, and later the sums."""
    written(tmp_path, *map(numbered, range(3)))
    index = still_index(tmp_path)
    go_on = threading.Event()
    read = adding_up.record_in

    def slow(*asked):
        assert go_on.wait(60)
        return read(*asked)

    monkeypatch.setattr(adding_up, "record_in", slow)
    opener = Opener(index, patience_s=0.0)

    first = opener.of(index.rows)
    go_on.set()
    opener._patience_s = 60.0
    second = opener.of(index.rows)

    assert (first.is_done, first.opened, first.of) == (False, 0, 3)
    assert (second.is_done, second.opened, second.requests) == (True, 3, 3)


def test_sums_are_kept(tmp_path, monkeypatch):
    """A dump that went away meanwhile is still in them."""
    [path] = written(tmp_path, numbered(1))
    index = still_index(tmp_path)
    opener = Opener(index, patience_s=60.0)

    first = opener.of(index.rows)
    path.unlink()

    assert opener.of(index.rows) == first
    assert first.opened == 1


def test_only_a_few_sums_are_kept(tmp_path, monkeypatch):
    """What was asked for long ago is opened anew."""
    monkeypatch.setattr(opening, "MOST_KEPT", 1)
    path, _ = written(tmp_path, numbered(1), numbered(2))
    index = still_index(tmp_path)
    [other, row] = index.rows
    opener = Opener(index, patience_s=60.0)

    opener.of([row])
    opener.of([other])
    path.unlink()

    assert opener.of([row]).opened == 0


def test_an_error_of_ours_ends_no_thread(tmp_path, monkeypatch):
    """The page has its kind; the next sums are there."""
    written(tmp_path, numbered(1))
    index = still_index(tmp_path)
    opener = Opener(index, patience_s=60.0)

    with monkeypatch.context() as broken:
        broken.setattr(adding_up, "record_in", None)
        failed = opener.of(index.rows)

    assert failed.is_done
    assert failed.problem == "dumps cannot be read: TypeError"
    assert opener.of(index.rows, adding_up.SLOWEST).opened == 1
