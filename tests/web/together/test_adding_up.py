# SPDX-License-Identifier: Apache-2.0
"""What the opened dumps have together, and how many are opened."""

from __future__ import annotations

import pytest
from builders import numbered, slow_rebuild, written
from profile_builders import rebuild_samples, write_session
from web_pages import still_index

from nova_profiler.record import KILLED, CallTotals
from nova_profiler.web.together import adding_up
from nova_profiler.web.together.opening import Opener


def opened(index, order=adding_up.NEWEST):
    """Return the sums of all rows of *index*."""
    return Opener(index, patience_s=60.0).of(index.rows, order)


def with_calls(number, ms, **fields):
    """Return a request with a DB API call of *ms*."""
    calls = [CallTotals("db_api", "instance_get", 2, ms, ms)]
    return numbered(number, calls=calls, **fields)


def test_parts_and_calls_are_added_up(tmp_path):
    """Over all requests but those whose worker was killed."""
    written(
        tmp_path,
        with_calls(0, 10.0, breakdown_ms={"sql": 10.0, "python": 5.0}),
        with_calls(1, 30.0, breakdown_ms={"sql": 30.0}),
        with_calls(2, 99.0, outcome=KILLED),
    )

    found = opened(still_index(tmp_path))

    assert (found.opened, found.of, found.is_done) == (2, 3, True)
    assert found.parts["sql"].mean(found.requests) == 20.0
    assert found.parts["python"].mean(found.requests) == 2.5
    [calls] = found.calls.slowest_functions()
    assert (calls.name, calls.calls, calls.ms) == ("instance_get", 4, 40.0)


def test_the_rest_of_greenthreads_is_either(tmp_path):
    """Running or waiting; that of requests with a clock of theirs is not."""
    written(
        tmp_path,
        numbered(0, breakdown_ms={"python": 10.0}),
        numbered(1, breakdown_ms={"python": 30.0}, cpu_ms=None),
    )

    found = opened(still_index(tmp_path))

    assert found.parts["python"].mean(1) == 10.0
    assert found.parts["either"].mean(1) == 30.0


def test_dumps_are_opened_for_so_long(tmp_path, clock):
    """A page then has those, and how many they are of."""
    written(tmp_path, *[numbered(n) for n in range(9)])
    index = still_index(tmp_path)

    def slow_clock():
        clock.advance(adding_up.MOST_S / 5)
        return clock()

    sums = adding_up.Sums(index, adding_up.NEWEST, slow_clock)

    sums.add_all(list(index.rows))

    assert 0 < sums.opened < 9


def test_no_more_dumps_are_opened_than_allowed(tmp_path, monkeypatch):
    """The newest, or the slowest ones."""
    monkeypatch.setattr(adding_up, "MOST_OPENED", 2)
    written(
        tmp_path,
        *[
            numbered(n, duration_ms=100.0 * (10 - n), breakdown_ms={"sql": n})
            for n in range(5)
        ],
    )
    index = still_index(tmp_path)

    newest, slowest = opened(index), opened(index, adding_up.SLOWEST)

    assert (newest.opened, newest.of) == (slowest.opened, slowest.of) == (2, 5)
    assert newest.parts["sql"].total == 3 + 4
    assert slowest.parts["sql"].total == 0 + 1


def test_no_more_bytes_are_read_than_allowed(tmp_path, monkeypatch):
    """A few large dumps are enough, too."""
    monkeypatch.setattr(adding_up, "MOST_BYTES", 1)
    written(tmp_path, *map(numbered, range(5)))

    assert opened(still_index(tmp_path)).opened == 1


def test_stacks_are_merged_by_engine(tmp_path):
    """Over the requests that the engine watched."""
    paths = written(tmp_path, *[numbered(n) for n in range(2)], slow_rebuild())
    for path in paths[:2]:
        write_session(path.with_suffix(".pyisession"), *rebuild_samples())

    found = opened(still_index(tmp_path))

    [stacks] = found.engines.values()
    assert (stacks.engine, stacks.requests) == ("pyinstrument", 2)
    assert stacks.tree.profiles == 2
    assert stacks.tree.busy_s == pytest.approx(1.6)


def test_stacks_of_few_requests_are_looked_for_beyond(tmp_path, monkeypatch):
    """Those of an engine that watches one request of many are not lost."""
    monkeypatch.setattr(adding_up, "MOST_OPENED", 2)
    oldest, *_ = written(tmp_path, *map(numbered, range(6)))
    write_session(oldest.with_suffix(".pyisession"), *rebuild_samples())

    found = opened(still_index(tmp_path))

    assert found.opened == 2
    assert [one.requests for one in found.engines.values()] == [1]


def test_a_request_without_a_sample_counts_for_its_engine(tmp_path):
    """Its functions all took less than a sample: the mean is over it, too."""
    short = {"engine": "stacks", "samples": 3, "notes": []}
    path, _ = written(tmp_path, numbered(0), numbered(1, profile=short))
    write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    text = path.with_suffix(".pyisession").read_text()
    path.with_suffix(".pyisession").write_text(
        text.replace("{", '{"nova_profiler_engine": "stacks", ', 1)
    )

    [stacks] = opened(still_index(tmp_path)).engines.values()

    assert (stacks.engine, stacks.requests) == ("stacks", 2)
    assert stacks.functions.without_samples == 1


def test_damaged_and_vanished_files_are_counted(tmp_path):
    """The others are added up."""
    gone, damaged, _ = written(tmp_path, *map(numbered, range(3)))
    damaged.with_suffix(".pyisession").write_text("{")
    index = still_index(tmp_path)
    gone.unlink()

    found = opened(index)

    assert (found.opened, found.of) == (2, 3)
    assert damaged.stem in found.problem
    assert found.problem.endswith("and 1 more")
