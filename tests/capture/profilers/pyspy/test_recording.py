# SPDX-License-Identifier: Apache-2.0
"""Tests of py-spy as a child process, mostly with a stand-in for it."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from nova_profiler.capture.profilers.pyspy import permission, pipe_lines
from nova_profiler.capture.profilers.pyspy import recording as module
from nova_profiler.capture.profilers.pyspy.permission import (
    PyspyError,
    advice_on,
    find_pyspy,
)
from nova_profiler.capture.profilers.pyspy.recording import Recording

# Behaves as py-spy does: samples until SIGINT, then writes and ends.
STAND_IN = """#!{python} -IS
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
signal.signal(signal.SIGINT, signal.default_int_handler)
rate = sys.argv[sys.argv.index("--rate") + 1]
print(f"py-spy> Sampling process {{rate}} times a second", flush=True)
signal.sigwait([signal.SIGINT])
output = sys.argv[sys.argv.index("--output") + 1]
with open(output, "w") as file:
    file.write({lines!r})
"""


@pytest.fixture
def program(tmp_path):
    """Return a builder of programs that stand in for py-spy."""

    def build(text=STAND_IN, lines="f (a.py:1) 3\ng (b.py:2) 1\n"):
        path = tmp_path / "py-spy"
        path.write_text(text.format(python=sys.executable, lines=lines))
        path.chmod(0o700)
        return str(path)

    return build


def open_files():
    return set(os.listdir("/proc/self/fd"))


def children():
    return {
        int(pid)
        for task in os.listdir("/proc/self/task")
        for pid in (_read(f"/proc/self/task/{task}/children").split())
    }


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


@pytest.fixture(autouse=True)
def _leaves_nothing_behind():
    files, processes = open_files(), children()
    yield
    deadline = time.monotonic() + 5
    while children() - processes and time.monotonic() < deadline:
        module._reap(0)
    assert not children() - processes
    assert len(open_files()) <= len(files)


def test_a_recording_hands_over_its_lines(program):
    """Of both py-spy, each to its own taker."""
    lines, running = [], []
    recording = Recording(program(), 50, 12, 60)

    whole = recording.stop(lines.append, running.append)

    assert whole
    assert lines == running == [b"f (a.py:1) 3", b"g (b.py:2) 1"]
    assert recording.ended >= recording.began
    assert recording.over >= recording.ended


def test_each_of_two_is_known_to_begin_when_it_says_so(program):
    """The second may be much later: samples of the first count from its."""
    late = program(
        STAND_IN.replace(
            "rate = sys",
            "import time\nif '--idle' not in sys.argv: time.sleep(0.3)\n"
            "rate = sys",
            1,
        )
    )

    recording = Recording(late, 50, 12, 60)
    recording.close()

    assert recording.asked <= recording.looked_from <= recording.looked_by
    assert recording.looked_by < recording.running_by <= recording.began
    assert recording.running_by - recording.looked_by > 0.1


def test_two_of_one_rate_begin_with_the_second(program):
    """Only the rates distinguish them."""
    recording = Recording(program(), 1, 1, 60)
    recording.close()

    assert recording.looked_by == recording.running_by <= recording.began


def test_a_py_spy_that_does_not_tell_its_rate_has_begun_all_the_same(
    program,
):
    """Another version may print it in other words."""
    silent = program(STAND_IN.replace("{{rate}} times", "often", 1))

    recording = Recording(silent, 50, 12, 60)
    recording.close()

    assert recording.looked_by == recording.running_by == recording.began


def test_a_program_that_refuses_is_told_of(program):
    """What it printed, as one line."""
    refuses = program("#!/bin/sh\necho 'Error: no such process' >&2\nexit 1\n")

    with pytest.raises(PyspyError, match="it printed: Error: no such process"):
        Recording(refuses, 50, 12, 60)


def test_one_of_two_that_fails_alone_is_noticed_at_once(program):
    """The other one goes on, and would be waited for."""
    one_fails = program(
        STAND_IN.replace(
            "signal.pthread",
            "if '--idle' in sys.argv: sys.exit('Error: busy')\nsignal.pthread",
            1,
        )
    )

    with pytest.raises(PyspyError, match="it printed: Error: busy"):
        Recording(one_fails, 50, 12, 60)


def test_no_permission_is_told_with_what_to_do(program):
    """Half of all set-ups meet this first."""
    refuses = program("#!/bin/sh\necho 'Permission Denied: Try' >&2\nexit 1\n")

    with pytest.raises(PyspyError, match="CAP_SYS_PTRACE"):
        Recording(refuses, 50, 12, 60)


def test_a_program_that_is_gone_is_told_of(tmp_path):
    """Uninstalled since the load."""
    with pytest.raises(PyspyError, match="did not begin"):
        Recording(str(tmp_path / "py-spy"), 50, 12, 60)


def test_one_that_never_begins_is_given_up(program, monkeypatch):
    """After a while; and it is not left running."""
    monkeypatch.setattr(module, "START_S", 0.05)
    silent = program(STAND_IN.replace("Sampling", "Waiting for"))

    with pytest.raises(PyspyError, match="has not begun"):
        Recording(silent, 50, 12, 60)


def test_an_end_that_nobody_asked_for_is_seen(program):
    """Somebody ends py-spy; its pipes show it."""
    recording = Recording(program(), 50, 12, 60)
    assert not recording.is_over()

    os.killpg(recording._pid, signal.SIGINT)
    deadline = time.monotonic() + 5
    while not recording.is_over() and time.monotonic() < deadline:
        module.nap(0.01)

    assert recording.is_over()
    recording.close()


def test_no_more_is_read_than_is_allowed(program, monkeypatch):
    """A py-spy gone wild must not fill the worker's memory."""
    monkeypatch.setattr(pipe_lines, "MAX_BYTES", 5)
    lines = []

    whole = Recording(program(), 50, 12, 60).stop(lines.append, lines.append)

    assert not whole
    assert not lines


def test_a_line_without_end_is_given_up(program, monkeypatch):
    """As long as no stack can be."""
    monkeypatch.setattr(pipe_lines, "MAX_LINE", 100)
    monkeypatch.setattr(pipe_lines, "_CHUNK", 64)
    endless = program(lines="x" * 400)

    assert not Recording(endless, 50, 12, 60).stop(print, print)


# Others warn of forks: of threads that they have started.
@pytest.mark.filterwarnings("ignore")
def test_a_forked_process_holds_no_pipe(program):
    """As long as it did, py-spy would wait for it to read."""
    recording = Recording(program(), 50, 12, 60)
    fds = list(recording._fds)

    pid = os.fork()
    if not pid:
        held = [fd for fd in fds if os.path.exists(f"/proc/self/fd/{fd}")]
        os._exit(len(held))

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert recording.stop(lambda line: None, lambda line: None)


def test_the_program_is_found_beside_python(tmp_path, monkeypatch, program):
    """In the same environment, whatever PATH is."""
    monkeypatch.setattr(
        permission.sysconfig, "get_path", lambda name: str(tmp_path)
    )
    monkeypatch.setenv("PATH", "")

    assert find_pyspy() != str(tmp_path / "py-spy")
    assert program() == find_pyspy()


@pytest.mark.parametrize("path", [".", "", ":/nowhere", "bin", "./bin:"])
def test_no_program_of_the_current_folder_is_found(
    tmp_path, monkeypatch, path
):
    """Commands run in folders that strangers have filled."""
    for folder in (tmp_path, tmp_path / "bin"):
        folder.mkdir(exist_ok=True)
        (folder / "py-spy").write_text("#!/bin/sh\n")
        (folder / "py-spy").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(permission.sysconfig, "get_path", lambda name: "")
    monkeypatch.setattr(permission.sys, "executable", "")
    monkeypatch.setenv("PATH", path)

    assert find_pyspy() is None


def test_what_was_said_is_shown_in_one_printable_line():
    """It may be anything."""
    text = advice_on(b"\x1b[31mError: odd\x07\n" + b"x" * 9000)

    assert text.isprintable()
    assert len(text) < 300
    assert advice_on(b"").endswith("nothing")
