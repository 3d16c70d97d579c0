# SPDX-License-Identifier: Apache-2.0
"""A pool ends, whatever became of its processes."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from nova_profiler.reading.process_pools import process_pool

SPAWN = multiprocessing.get_context("spawn")


def test_it_does_what_pools_do():
    """In another process."""
    with process_pool(2, SPAWN) as pool:
        assert list(pool.map(abs, [-1, 2])) == [1, 2]


def test_processes_that_are_killed_while_they_are_given_work():
    """Where a signal goes to the whole group, or memory has run out."""
    with pytest.raises(BrokenProcessPool), process_pool(1, SPAWN) as pool:
        assert pool.submit(abs, -1).result() == 1
        pool.submit(time.sleep, 600)
        # More than a pipe takes: the writer waits until a process reads.
        more = pool.submit(len, b"x" * 10_000_000)
        for process in list(pool._processes.values()):
            process.kill()
        more.result()

    assert not [one for one in threading.enumerate() if "Queue" in one.name]


def test_what_is_left_at_the_end_is_dropped():
    """An early end waits for what runs, not for what was to follow."""
    with process_pool(1, SPAWN) as pool:
        asked = [pool.submit(abs, -n) for n in range(100)]

    assert all(one.done() for one in asked)


def test_all_end_with_a_process_that_ends_at_once():
    """Or they would hold its output, and wait for work for ever."""
    code = (
        "import multiprocessing, os, time\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from nova_profiler.reading.process_pools import end_processes\n"
        "spawn = multiprocessing.get_context('spawn')\n"
        "pool = ProcessPoolExecutor(2, spawn)\n"
        "print([pool.submit(abs, n).result() for n in (-1, 2)], flush=True)\n"
        "pool.submit(time.sleep, 600)\n"
        "end_processes()\n"
        "os._exit(0)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "[1, 2]\n", "")
