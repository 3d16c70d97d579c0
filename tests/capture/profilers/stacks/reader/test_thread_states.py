# SPDX-License-Identifier: Apache-2.0
"""What the kernel states of threads."""

from __future__ import annotations

import os
import queue
import threading
import zlib

import pytest
from open_files import open_files

from nova_profiler.capture.profilers.stacks.reader import thread_states
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    HIDDEN,
    NO_CLOCKS,
    RUNS,
    WAITS,
    ThreadFiles,
    state_of,
    why_unseen,
)


@pytest.mark.parametrize(
    ("call", "state"),
    [
        (b"running\n", RUNS),
        (b"202 0x1010 0x189 0x0 0x7f 0x0 0xffffffff 0x7f 0x7f\n", GIL),
        (b"98 0x1010 0x189 0x0 0x7f 0x0 0xffffffff 0x7f 0x7f\n", GIL),
        (b"202 0x1100 0x189 0x0 0x7f 0x0 0xffffffff 0x7f 0x7f\n", WAITS),
        (b"230 0x1 0x0 0x7f 0x0 0x0 0x0 0x7f 0x7f\n", WAITS),
        (b"-1 0x7f 0x7f\n", WAITS),
    ],
)
def test_the_state_is_read_off_the_system_call(call, state):
    """A futex within the GIL is the GIL's queue, any other is not."""
    assert state_of(call, 0x1000, 0x1100) == state


def test_a_thread_that_runs_does_not_wait():
    """Its clocks go on, until they are closed."""
    done = threading.Event()
    ids = queue.SimpleQueue()

    def spin():
        ids.put(threading.get_native_id())
        while not done.is_set():
            # Compressing lets go of the GIL.
            zlib.compress(bytes(1 << 20))

    thread = threading.Thread(target=spin)
    thread.start()
    files = ThreadFiles(os.getpid(), ids.get())
    before = files.times()
    try:
        while files.times() == before or (
            state_of(files.call(), 0, 0) != RUNS
        ):
            pass
    finally:
        done.set()
        thread.join()
        files.close()

    with pytest.raises(OSError, match="descriptor"):
        files.times()


def test_a_thread_that_is_gone_is_an_error():
    """At once, and no file stays open."""
    before = open_files()
    with pytest.raises(FileNotFoundError, match="schedstat"):
        ThreadFiles(os.getpid(), 2**22 + 1)

    assert open_files() == before


def test_a_thread_that_ended_is_no_fault_of_the_kernel():
    """Nor is a process that has."""
    assert why_unseen(os.getpid(), 2**22 + 1) is None
    assert why_unseen(2**22 + 1, 2**22 + 1) is None


def test_a_kernel_that_shows_no_thread_is_told_apart(tmp_path, monkeypatch):
    """Where /proc hides the process, or was built without the clocks."""
    monkeypatch.setattr(thread_states, "PROC", str(tmp_path))
    pid = os.getpid()

    assert why_unseen(pid, 5) == HIDDEN

    folder = tmp_path / str(pid) / "task" / "5"
    folder.mkdir(parents=True)
    assert why_unseen(pid, 5) == NO_CLOCKS

    for name in ("schedstat", "syscall"):
        (folder / name).touch()
    assert why_unseen(pid, 5) is None
