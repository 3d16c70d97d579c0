# SPDX-License-Identifier: Apache-2.0
"""What ends the cloud's processes when the demo is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

from places import PYTHONPATH

from demo.cloud import keeper

WAIT_S = 30
# Started by a process that is killed: what it had started ends.
KILLED = textwrap.dedent(
    """
    import sys
    import time
    from pathlib import Path
    from demo.cloud.processes import Processes

    with Processes(Path(sys.argv[1])) as processes:
        processes.start("one", ["sleep", "1000"])
        print(processes._running["one"].pid, flush=True)
        time.sleep(1000)
    """
)


def test_what_has_ended_is_left_alone():
    """Its number may be another process's by now."""
    assert keeper.left(["+11\n", "+12\n", "-11\n", "+13\n"]) == {12, 13}


def test_a_group_that_is_not_there_is_no_fault():
    """It has ended by itself."""
    process = subprocess.Popen(["true"], start_new_session=True)
    process.wait()

    keeper.end([process.pid])


def test_a_group_that_takes_no_notice_is_killed(monkeypatch):
    """A service may hang at its end."""
    monkeypatch.setattr(keeper, "_GRACE_S", 0.0)
    process = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo; while :; do sleep 1000; done"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()

    keeper.end([process.pid])

    assert process.wait(WAIT_S) == -signal.SIGKILL
    process.stdout.close()


def test_the_processes_of_a_killed_demo_end(tmp_path):
    """SIGKILL leaves the demo no time to end them."""
    demo = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    )
    assert demo.stdout is not None
    started = int(demo.stdout.readline())
    demo.kill()
    demo.wait()
    demo.stdout.close()

    deadline = time.monotonic() + WAIT_S
    while _is_running(started) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _is_running(started)


def _is_running(pid: int) -> bool:
    """Return whether a process goes on; one that nothing reaps does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
