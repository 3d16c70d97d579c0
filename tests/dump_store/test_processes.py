# SPDX-License-Identifier: Apache-2.0
"""A process is known by more than its number, and as ended only if it is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.dump_store import processes
from nova_profiler.dump_store.processes import (
    ALIVE,
    ENDED,
    UNKNOWN,
    Process,
    is_same_kernel,
    process_of,
    state_of,
    this_process,
)


@pytest.fixture
def child():
    """Return a process that runs until its input ends, and waits for it."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        started.stdout.readline()
        yield started
        started.stdin.close()


def identity(pid):
    """Return *pid* as a process of this host."""
    return this_process()._replace(
        pid=pid, started=processes._stat(str(pid))[1]
    )


def test_this_process_is_alive():
    """The simplest case."""
    assert state_of(this_process()) == ALIVE
    assert this_process().pid == os.getpid()


def test_a_text_and_back():
    """As it stands in the name of a file."""
    assert process_of(str(this_process())) == this_process()


@given(st.text() | st.from_regex(r"[0-9a-f-]{0,60}"))
def test_any_text_is_a_process_or_none(text):
    """Names of files may be anything; no state of it is an error."""
    found = process_of(text)

    if found is not None:
        assert found.pid > 0
        assert state_of(found) in (ALIVE, ENDED, UNKNOWN)


def test_a_number_that_is_used_again_is_another_process(child):
    """The moment of the start distinguishes them."""
    process = identity(child.pid)

    assert state_of(process) == ALIVE
    assert state_of(process._replace(started=process.started - 1)) == ENDED


def test_a_killed_process_has_ended_before_anything_waited_for_it(child):
    """Its server may look at other things first."""
    process = identity(child.pid)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert state_of(process) == ENDED
    child.wait()
    assert state_of(process) == ENDED


def test_a_process_of_another_host_or_container_is_unknown():
    """Its number may be any process's here."""
    process = this_process()
    on_another_host = process._replace(boot="00000000")
    in_another_container = process._replace(space=process.space + 1)

    assert state_of(on_another_host) == UNKNOWN
    assert state_of(in_another_container) == UNKNOWN
    assert not is_same_kernel(on_another_host)
    assert is_same_kernel(in_another_container)


def test_a_process_that_proc_hides_is_unknown(monkeypatch):
    """hidepid hides a worker that changed its user from that user."""
    process = this_process()
    monkeypatch.setattr(processes, "_stat", lambda pid: None)

    assert state_of(process) == UNKNOWN
    assert state_of(process._replace(pid=2**22 + 5)) == ENDED


def test_a_forked_process_is_one_of_its_own():
    """Workers fork after the filter was loaded."""
    parent = this_process()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, str(this_process()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    child = process_of(os.read(reader, 100).decode())
    os.close(reader)
    os.close(writer)

    assert child.pid == pid
    assert child[2:] == parent[2:]


def test_a_name_with_brackets_hides_nothing(tmp_path):
    """A process chooses its name, which stands before its state."""
    program = (
        "import ctypes\n"
        "ctypes.CDLL(None).prctl(15, b') Z 1 (', 0, 0, 0)\n"
        "from nova_profiler.dump_store.processes import *\n"
        "print(state_of(this_process()))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True
    ).stdout

    assert printed.strip() == ALIVE.encode()


def test_where_there_is_no_proc_nothing_is_known(monkeypatch):
    """Neither of this process nor of others."""
    process = this_process()

    def missing():
        raise FileNotFoundError(2, "no /proc")

    monkeypatch.setattr(processes, "this_process", missing)

    assert state_of(process) == UNKNOWN
    assert not is_same_kernel(process)
    assert isinstance(process, Process)
