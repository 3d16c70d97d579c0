# SPDX-License-Identifier: Apache-2.0
"""The lock on a file or directory: held by one, waited for, given back."""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

from nova_profiler.dump_store import locks
from nova_profiler.dump_store.locks import (
    DIRECTORY,
    FILE,
    BriefLock,
    locked,
)


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


@pytest.fixture
def refusal(monkeypatch, request):
    """Have the system refuse each lock with the error of the parameter."""

    def refuse(fd, operation):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)
    return request.param


_REFUSALS = (
    errno.ENOLCK,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EACCES,
    errno.EPERM,
    errno.EBADF,
)


@pytest.mark.parametrize("refusal", _REFUSALS, indirect=True)
def test_a_file_system_without_locks_is_not_waited_for(
    tmp_path, waits, refusal
):
    """No wait gives it any: unlocked where that is good enough, or none."""
    errors = []

    with locked(tmp_path, DIRECTORY) as lock:
        assert lock is None
    with locked(tmp_path, DIRECTORY, without=errors.append) as fd:
        assert fd is not None

    assert [error.errno for error in errors] == [refusal]
    assert waits == []


def test_a_python_without_flock_has_no_locks(tmp_path, monkeypatch):
    """It is built without where the system has none."""
    monkeypatch.delattr(fcntl, "flock")
    errors = []

    with locked(tmp_path, DIRECTORY, without=errors.append) as fd:
        assert fd is not None

    assert errors[0].errno == errno.ENOSYS


def test_a_holder_that_keeps_it_is_not_waited_for_each_time(
    tmp_path, waits, monkeypatch
):
    """Some times, then after a rest, or once the lock was had in between."""
    path = tmp_path / "lock"
    clock = [1000.0]
    monkeypatch.setattr(locks.time, "monotonic", lambda: clock[0])
    lock = BriefLock(path.name)
    folder = os.open(tmp_path, os.O_RDONLY)
    waited = []

    def ask() -> None:
        waits.clear()
        with lock.held(folder):
            waited.append(len(waits))

    with locked(path, FILE | os.O_CREAT):
        for _ in range(locks.STOPPED_AFTER):
            ask()
        ask()
        clock[0] += locks.REST_S
        ask()
        ask()
    ask()
    with locked(path):
        ask()

    os.close(folder)
    full = len(locks.BRIEF_WAITS_S)
    assert waited == [full, full, full, 0, full, 0, 0, full]


def test_a_process_forked_meanwhile_does_not_keep_it(tmp_path, waits):
    """It has the descriptor, and so would have the lock."""
    path = tmp_path / "lock"
    holder = locked(path, FILE | os.O_CREAT)
    fd = holder.__enter__()
    # What a fork does to a descriptor.
    kept = os.dup(fd)
    holder.__exit__(None, None, None)

    with locked(path, waits_s=()) as lock:
        assert lock is not None

    os.close(kept)


def test_a_path_that_cannot_be_opened_has_no_lock(tmp_path):
    """A missing file, and a link in its place."""
    (tmp_path / "link").symlink_to(tmp_path)

    for name in ("missing", "link"):
        with locked(tmp_path / name) as lock:
            assert lock is None
