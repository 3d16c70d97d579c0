# SPDX-License-Identifier: Apache-2.0
"""The lock on a file or directory: held by one, waited for, given back."""

from __future__ import annotations

import fcntl
import os

import pytest

from nova_profiler.dump_store import locks
from nova_profiler.dump_store.locks import DIRECTORY, FILE, locked


@pytest.fixture
def waits(monkeypatch):
    """Return the waits that a lock asked for; none takes time."""
    asked: list[float] = []
    monkeypatch.setattr(locks.time, "sleep", asked.append)
    return asked


def test_one_holder_at_a_time(tmp_path, waits):
    """The second gets none after its waits; the third, later, gets it."""
    path = tmp_path / "lock"

    with locked(path, FILE | os.O_CREAT) as first:
        with locked(path, waits_s=(1.0, 2.0)) as second:
            assert second is None
    with locked(path) as third:
        assert third is not None

    assert first is not None
    assert waits == [1.0, 2.0]


def test_a_directory_can_be_locked(tmp_path, waits):
    """Without any wait, if asked for."""
    with locked(tmp_path, DIRECTORY) as first:
        with locked(tmp_path, DIRECTORY, ()) as second:
            assert second is None

    assert first is not None
    assert waits == []


def test_a_lock_that_comes_free_is_taken(tmp_path, monkeypatch):
    """At the first try after that."""
    path = tmp_path / "lock"
    holder = locked(path, FILE | os.O_CREAT)
    holder.__enter__()
    monkeypatch.setattr(
        locks.time, "sleep", lambda _: holder.__exit__(None, None, None)
    )

    with locked(path) as lock:
        assert lock is not None


def test_a_file_system_without_locks_is_not_waited_for(
    tmp_path, waits, monkeypatch
):
    """No wait gives it any."""

    def refuse(fd, operation):
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with locked(tmp_path, DIRECTORY) as lock:
        assert lock is None

    assert waits == []


def test_a_path_that_cannot_be_opened_has_no_lock(tmp_path):
    """A missing file, and a link in its place."""
    (tmp_path / "link").symlink_to(tmp_path)

    for name in ("missing", "link"):
        with locked(tmp_path / name) as lock:
            assert lock is None
