# SPDX-License-Identifier: Apache-2.0
"""Waiting without a name is split by what the kernel counts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from serving import Profiled, during
from thread_clocks import Clocks

from nova_profiler.capture import current, run_queue
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.timing import add_wait, call_timed
from nova_profiler.groups import LOCK, TIMED

KEY = CallKey(TIMED.name, "outer")
A_LOCK = CallKey(LOCK.name, "a_lock")


@pytest.fixture
def schedstat(tmp_path, monkeypatch):
    """Return a file in the place of the kernel's."""
    path = tmp_path / "schedstat"
    path.write_text("409689 4425549 2\n")
    monkeypatch.setattr(run_queue, "SCHEDSTAT", str(path))
    monkeypatch.setattr(run_queue, "_kept", run_queue._Kept())
    return path


def test_the_second_number_is_what_a_thread_waited(schedstat):
    """It is read anew each time, from one descriptor."""
    assert run_queue.queued_ns() == 4425549

    schedstat.write_text("509689 5425549 3\n")

    assert run_queue.queued_ns() == 5425549
    assert len(run_queue._kept.descriptors) == 1


@pytest.mark.parametrize(
    "content", [b"", b"0", b"a b c", b"\xff \xff", b"1 x"]
)
def test_what_is_no_count_is_not_known(content, schedstat):
    schedstat.write_bytes(content)

    assert run_queue.queued_ns() == -1


def test_a_kernel_without_it_is_asked_once(schedstat, monkeypatch):
    """No /proc in a container, another system: nothing is known."""
    schedstat.unlink()

    assert run_queue.queued_ns() == -1

    schedstat.write_text("1 2 3\n")
    assert run_queue.queued_ns() == -1


def test_a_descriptor_is_closed_with_its_thread(schedstat):
    found = []

    def work():
        run_queue.queued_ns()
        found.extend(run_queue._kept.descriptors)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert len(found) == 1
    assert run_queue._kept.descriptors == set()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(found[0])


def test_a_descriptor_that_another_file_has_taken_stays_open(
    schedstat, tmp_path
):
    """A server may close all that is open, and then open its own."""
    run_queue.queued_ns()
    (number,) = run_queue._kept.descriptors
    other = os.open(tmp_path / "other", os.O_CREAT | os.O_WRONLY)
    os.dup2(other, number)

    run_queue.forget()

    assert os.fstat(number).st_ino == os.fstat(other).st_ino
    os.close(number)
    os.close(other)


def test_descriptors_are_bounded(schedstat, monkeypatch):
    """A service may have more threads than it may have files open."""
    monkeypatch.setattr(run_queue, "MAX_OPEN", 0)

    assert run_queue.queued_ns() == -1
    assert run_queue._kept.descriptors == set()


def test_no_program_inherits_a_descriptor(schedstat):
    run_queue.queued_ns()

    (fd,) = run_queue._kept.descriptors
    assert not os.get_inheritable(fd)


def test_a_forked_child_lets_go_of_its_parents(schedstat):
    """The child's thread has another number, and the same thread-local."""
    run_queue.queued_ns()
    (fd,) = run_queue._kept.descriptors

    current._forget()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert run_queue._kept.descriptors == set()
    assert run_queue.queued_ns() == 4425549


FORKS = """
import os
from nova_profiler.capture import current, run_queue
current.forget_in_children()
before = run_queue.queued_ns()
child = os.fork()
if not child:
    run_queue.queued_ns()
    (fd,) = run_queue._kept.descriptors
    path = os.readlink(f"/proc/self/fd/{fd}")
    os._exit(path != f"/proc/{os.getpid()}/task/{os.getpid()}/schedstat")
assert os.waitpid(child, 0)[1] == 0
assert before >= 0
"""


@pytest.mark.skipif(
    not os.path.exists(run_queue.SCHEDSTAT), reason="no schedstat here"
)
def test_a_forked_child_reads_its_own():
    done = subprocess.run(
        [sys.executable, "-c", FORKS], capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")


class QueueClocks(Clocks):
    """Time, CPU time, and time in line."""

    def __init__(self) -> None:
        super().__init__()
        self.queued = 7.0

    def spend(
        self, seconds: float, on_cpu: float = 0.0, in_line: float = 0.0
    ) -> None:
        super().spend(seconds, on_cpu)
        self.queued += in_line


@pytest.fixture
def clocks(monkeypatch):
    made = QueueClocks()
    made.put(monkeypatch)
    monkeypatch.setattr(
        run_queue, "queued_ns", lambda: round(made.queued * 1e9)
    )
    return made


def record_of(work, latest_s=1.0):
    profiled = Profiled(during(work))
    profiled.worker.latest_s = latest_s
    profiled.get()
    assert profiled.failures.counts() == {}
    record = profiled.record
    if record.unnamed_ms is not None:
        assert sum(record.unnamed_ms.values()) == pytest.approx(
            record.breakdown_ms.get("waiting", 0.0)
        )
    return record


def test_what_was_waited_in_line_is_the_processors(clocks):
    """Three seconds in line, four for something else, one at work."""
    record = record_of(lambda: clocks.spend(8.0, 1.0, 3.0))

    assert record.breakdown_ms["waiting"] == pytest.approx(7000)
    assert record.unnamed_ms == pytest.approx(
        {"processor": 3000, "other": 4000}
    )


def test_waiting_in_line_inside_a_call_has_its_name(clocks):
    """It is part of that call, and of nothing without a name."""

    def work():
        clocks.spend(2.0, 1.0, 0.5)
        call_timed(current_lane(), KEY, clocks.spend, (9.0, 1.0, 4.0), {})
        clocks.spend(2.0, 1.0, 0.25)

    record = record_of(work)

    assert record.unnamed_ms == pytest.approx(
        {"processor": 750, "other": 1250}
    )


def test_no_more_is_in_line_than_was_waited(clocks):
    """A wait that was named afterwards was spent in line, too."""

    def work():
        start = clocks.now
        clocks.spend(4.0, 0.0, 3.0)
        add_wait(current_lane(), A_LOCK, start, clocks.now)
        clocks.spend(1.0)

    record = record_of(work)

    assert record.unnamed_ms == pytest.approx({"processor": 1000, "other": 0})


def test_what_came_before_the_first_reading_is_not_split(clocks):
    """The requests before were quick: none was expected to wait."""

    def work():
        clocks.spend(3.0, 1.0, 2.0)
        call_timed(current_lane(), KEY, int, (), {})
        clocks.spend(3.0, 1.0, 1.5)

    record = record_of(work, latest_s=0.0)

    assert record.unnamed_ms == pytest.approx(
        {"processor": 1500, "other": 500, "unsplit": 2000}
    )


def test_a_quick_request_reads_nothing(clocks, monkeypatch):
    monkeypatch.setattr(run_queue, "queued_ns", lambda: pytest.fail("read"))

    record = record_of(lambda: clocks.spend(0.004), latest_s=0.004)

    assert record.unnamed_ms is None
    assert "unnamed_ms" not in record.to_dict()


@pytest.mark.parametrize("latest_s", [0.0, 1.0])
def test_without_the_kernels_count_nothing_is_split(
    latest_s, clocks, monkeypatch
):
    """Null, and no 0 that looks like a measured one."""
    monkeypatch.setattr(run_queue, "queued_ns", lambda: -1)

    def work():
        clocks.spend(3.0, 1.0)
        call_timed(current_lane(), KEY, int, (), {})
        clocks.spend(3.0, 1.0)

    assert record_of(work, latest_s).unnamed_ms is None


def test_greenthreads_have_no_line_of_their_own(clocks, monkeypatch):
    """All of them stand in the line of one thread."""
    monkeypatch.setattr(
        "nova_profiler.capture.served.worker.runs_green", lambda: True
    )

    record = record_of(lambda: clocks.spend(8.0, 1.0, 3.0))

    assert record.unnamed_ms is None


def test_it_is_read_once_a_millisecond_at_most(clocks, monkeypatch):
    """As sparsely as the CPU clock: calls in a row pay for one reading."""
    readings = []
    monkeypatch.setattr(
        run_queue, "queued_ns", lambda: readings.append(1) or 0
    )

    def work():
        for _ in range(100):
            clocks.spend(0.00005, 0.00005)
            call_timed(current_lane(), KEY, clocks.spend, (0.00005,), {})

    record = record_of(work)

    assert record.duration_ms == pytest.approx(10)
    assert len(readings) <= 12
