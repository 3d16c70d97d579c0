# SPDX-License-Identifier: Apache-2.0
"""SIGTERM, such as a job's time limit sends, leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from run_builders import entry, kept, log_text, run_of

from nova_profiler.cli import main
from nova_profiler.reading.command_line.termination import (
    Terminated,
    sigterm_as_ctrl_c,
)

COMMAND = "import sys; from nova_profiler.cli import main; sys.exit(main())"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return where runs are kept and where logs are read to, both empty."""
    history, aside = tmp_path / "history", tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setenv("NOVA_PROFILER_HISTORY", str(history))
    monkeypatch.setenv("TMPDIR", str(aside))
    return history, aside


def has_opened(process, folder):
    """Return whether *process* waits with a file open in *folder*.

    The file may have no name. A signal just before the waiting begins would
    be noticed only when it is over.
    """
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    if not stat.rpartition(")")[2].startswith(" S"):
        return False
    fds = Path(f"/proc/{process.pid}/fd")
    with suppress(OSError):
        return any(
            os.readlink(fd).startswith(f"{folder}/") for fd in fds.iterdir()
        )
    return False


def terminated(
    folder, pattern, args, *, text=b"", signals=1, signum=signal.SIGTERM
):
    """Return how a command ended that got *signum* with its log half read.

    The log is a pipe that never ends, *text* its begin. The signal is sent
    when something like *pattern* is in *folder*, or, without a pattern, open
    there.
    """
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        process.stdin.write(text)
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while process.poll() is None:
            if pattern is None and has_opened(process, folder):
                break
            if pattern is not None and list(folder.glob(pattern)):
                break
            assert time.monotonic() < deadline, "it was never made"
            time.sleep(0.01)
        process.send_signal(signum)
        for _ in range(signals - 1):
            os.killpg(process.pid, signal.SIGTERM)
        # Not communicate(): it would end the log.
        code = process.wait(timeout=60)
        return code, process.stderr.read()


# `timeout` signals the process, and then its whole group.
@pytest.mark.parametrize("signals", [1, 2])
def test_the_copy_of_a_pipe_goes_away(places, signals):
    """As with Ctrl-C; the exit code is a shell's for SIGTERM."""
    _, aside = places

    code, error = terminated(aside, None, ["report", "-"], signals=signals)

    assert code == 143
    assert error.strip() == b"nova-profiler: terminated"
    assert list(aside.iterdir()) == []


def test_the_copy_of_a_pipe_goes_away_with_its_process(places):
    """However that ends: it has no name."""
    _, aside = places

    code, _ = terminated(aside, None, ["report", "-"], signum=signal.SIGKILL)

    assert code == -signal.SIGKILL
    assert list(aside.iterdir()) == []


@pytest.mark.slow
def test_logs_read_for_a_comparison_go_away(places):
    """The run that is made of them is in a folder of its own."""
    history, aside = places
    kept(history, base=run_of(1, calls=2))

    code, error = terminated(
        aside,
        "nova-profiler-*/.adding-*",
        ["compare", "-", "base"],
        signals=2,
    )

    assert code == 143
    assert error.strip() == b"nova-profiler: terminated"
    assert list(aside.iterdir()) == []


def test_half_a_run_goes_away(places):
    """The history is as it was."""
    history, _ = places
    kept(history, base=run_of(1, calls=2))
    before = sorted(history.iterdir())

    code, _ = terminated(history, ".adding-*", ["history", "add", "x", "-"])

    assert code == 143
    assert sorted(history.iterdir()) == before


@pytest.mark.slow
def test_a_pool_of_readers_is_no_obstacle(places):
    """Its processes have the signal, too; the error is one line."""
    history, aside = places
    kept(history, base=run_of(1, calls=2))
    text = log_text([entry(5.0 + n % 9) for n in range(20_000)]).encode()
    text *= 1 + 32 * 1024 * 1024 // len(text)

    code, error = terminated(
        aside,
        "nova-profiler-*/.adding-*",
        ["compare", "-", "base"],
        text=text,
        signals=2,
    )

    assert code == 143
    assert error.strip() == b"nova-profiler: terminated"
    assert list(aside.iterdir()) == []


def test_what_became_of_the_interruption_does_not_matter():
    """Engines make errors of their own of it."""
    with pytest.raises(Terminated, match="^$"):
        with sigterm_as_ctrl_c():
            try:
                signal.raise_signal(signal.SIGTERM)
            except KeyboardInterrupt:
                raise RuntimeError("Query interrupted") from None

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_second_signal_does_not_disturb_the_tidying():
    """What the first one began is done to its end."""
    tidied = []

    with pytest.raises(Terminated, match="^$"):
        with sigterm_as_ctrl_c():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)
                tidied.append(True)

    assert tidied == [True]


def test_other_errors_stay_what_they_are():
    """Only the signal becomes Terminated."""
    with pytest.raises(KeyError, match="mine"):
        with sigterm_as_ctrl_c():
            raise KeyError("mine")


def test_a_handler_that_is_there_stays():
    """A program may call main(), and ignore the signal."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with sigterm_as_ctrl_c():
            signal.raise_signal(signal.SIGTERM)

        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_thread_may_run_a_command(capsys):
    """It may not handle signals."""
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main([])))

    thread.start()
    thread.join()

    assert codes == [0]


def test_a_forked_worker_dies_of_it():
    """As a pool expects that ends its workers so."""
    code = (
        "import os, signal\n"
        "from nova_profiler.reading.command_line import termination\n"
        "reading, writing = os.pipe()\n"
        "with termination.sigterm_as_ctrl_c():\n"
        "    worker = os.fork()\n"
        "    if not worker:\n"
        "        os.write(writing, b'!')\n"
        "        signal.pause()\n"
        "    os.read(reading, 1)\n"
        "    os.kill(worker, signal.SIGTERM)\n"
        "    _, status = os.waitpid(worker, 0)\n"
        "    print(os.waitstatus_to_exitcode(status))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("-15\n", "")
