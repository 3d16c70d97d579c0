# SPDX-License-Identifier: Apache-2.0
"""py-spy as a child process that records this one for a while.

Nothing is left behind, whichever process dies first: the stacks come through
pipes, py-spy ends by itself when this process is gone, and at the latest
when its time is over.
"""

from __future__ import annotations

import fcntl
import os
import posix
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from time import monotonic
from weakref import WeakSet

from nova_profiler.capture.greenthreads import nap
from nova_profiler.capture.profilers.pyspy.permission import (
    PyspyError,
    advice_on,
    allow_tracer,
)
from nova_profiler.capture.profilers.pyspy.pipe_lines import (
    Lines,
    TakeLine,
    read_some,
)

# How long py-spy may take to begin, and to write out what it has.
START_S = 30.0
STOP_S = 10.0
_MAX_MESSAGE = 4096
_POLL_S = 0.005
_STARTED = b"Sampling process"
_RATES = re.compile(_STARTED + rb" (\d+) times")
_FAILED = b"Error: "
_PIDS = re.compile(rb"^nova-profiler: (\d+) (\d+)$", re.MULTILINE)
_TICKS_S = os.sysconf("SC_CLK_TCK")

# Two py-spy at a time: one takes the stacks of all threads, one those of
# threads that run. Both are children of one shell, so that one permission
# serves for both; the shell waits until it was given. A py-spy that is killed
# in the middle of a look leaves this process stopped: the shell undoes that.
# One that hangs in a look, or is stopped there, holds this process: a watcher
# kills it when the process stood still at three looks in a row, during which
# a py-spy did nothing. Without this process both have to go as well.
_SCRIPT = """
trap '' INT
read -r _ || exit 1
spy=$1 pid=$2 seconds=$3
"$spy" record --pid "$pid" --duration "$seconds" --format raw \
    --full-filenames --rate "$4" --idle --output /dev/fd/3 4>&- & all=$!
"$spy" record --pid "$pid" --duration "$seconds" --format raw \
    --full-filenames --rate "$5" --output /dev/fd/4 3>&- & running=$!
exec 3>&- 4>&-
echo "nova-profiler: $all $running"
watch() {
    still=0 was_all= was_running=
    while :; do
        # Not every sleep knows fractions; without them nothing is watched.
        sleep 0.25 || return
        read -r state < "/proc/$pid/stat" || break
        state=${state##*) }
        case $state in
        [ZX]*) break ;;
        t*) ;;
        *) still=0 was_all= was_running= && continue ;;
        esac
        # For how long each ran; empty where it has ended.
        now_all= now_running=
        read -r now_all rest < "/proc/$all/schedstat"
        read -r now_running rest < "/proc/$running/schedstat"
        if [ -n "$now_all" ] && [ "$now_all" = "$was_all" ] ||
            [ -n "$now_running" ] && [ "$now_running" = "$was_running" ]
        then still=$((still + 1)); else still=1; fi
        was_all=$now_all was_running=$now_running
        [ $still -lt 3 ] || break
    done
    kill -KILL $all $running
}
watch < /dev/null > /dev/null 2>&1 & watch=$!
wait $all; all=$?
wait $running; running=$?
kill -KILL $watch
if [ $all -gt 128 ] || [ $running -gt 128 ]; then kill -CONT "$pid"; fi
"""


class Recording:
    """Two py-spy at work on this process, until stop()."""

    def __init__(
        self, program: str, rate: int, running_rate: int, seconds: int
    ) -> None:
        """Start to record *rate* times a second, for *seconds* at most.

        Threads that run are recorded *running_rate* times a second more.
        Waits until it has begun; raises OSError, mostly a PyspyError.
        """
        self.rate = rate
        self.running_rate = running_rate
        self._message = b""
        self._fds: list[int] = []
        self._pid = 0
        _let_go_in_children()
        _open.add(self)
        # From here on one may take samples; from began on both do.
        self.asked = monotonic()
        # Between these two the first look at all threads is made. The other
        # py-spy can be a second later: they can be in each other's way.
        self.looked_from = self.asked
        self.looked_by = 0.0
        self.running_by = 0.0
        arguments = [program, os.getpid(), seconds, rate, running_rate]
        try:
            self._pid = self._spawned([str(value) for value in arguments])
            self._begin()
        except BaseException:
            self.close()
            raise
        self.began = monotonic()
        self.looked_by = self.looked_by or self.began
        self.running_by = self.running_by or self.began
        self.ended = 0.0
        # When the last line was there, and so the last look was over.
        self.over = 0.0
        self._spent_s = 0.0
        self._spent_s = self.spent_s()

    def spent_s(self) -> float:
        """Return the processor time that both took since they began."""
        return sum(map(_cpu_s, self._pids())) - self._spent_s

    def _pids(self) -> list[bytes]:
        found = _PIDS.search(self._message)
        return [] if found is None else list(found.groups())

    def _spawned(self, arguments: list[str]) -> int:
        """Start the shell; set up its pipes."""
        ends = [self._pipe() for _ in range(4)]
        (go_in, go), (out, out_in), (stacks, stacks_in), (run, run_in) = ends
        files = [go_in, out_in, out_in, stacks_in, run_in]
        try:
            pid = posix.posix_spawn(
                "/bin/sh",
                ["sh", "-c", _SCRIPT, "nova-profiler", *arguments],
                {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                file_actions=[
                    *((os.POSIX_SPAWN_CLOSE, fd) for fd in _inherited()),
                    *(
                        (os.POSIX_SPAWN_DUP2, fd, number)
                        for number, fd in enumerate(files)
                    ),
                ],
                # Not the group that a terminal's Ctrl-C goes to.
                setpgroup=0,
                setsigmask=[],
                setsigdef=[
                    signal.SIGINT,
                    signal.SIGTERM,
                    signal.SIGPIPE,
                    signal.SIGCHLD,
                ],
            )
        finally:
            for fd in {*files}:
                self._closed(fd)
        self._go, self._out, self._stacks, self._run = go, out, stacks, run
        for fd in (out, stacks, run):
            os.set_blocking(fd, False)
        return pid

    def _pipe(self) -> tuple[int, int]:
        """Return both ends, above the numbers that the child uses."""
        ends = posix.pipe()
        try:
            for fd in ends:
                self._fds.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10))
        finally:
            for fd in ends:
                posix.close(fd)
        return self._fds[-2], self._fds[-1]

    def _begin(self) -> None:
        """Let py-spy in and wait until both of them sample."""
        allow_tracer(self._pid)
        posix.write(self._go, b"go\n")
        self._closed(self._go)
        deadline = monotonic() + START_S
        while self._message.count(_STARTED) < 2 or not self._pids():
            before = monotonic()
            more = self._read_message()
            self._note_beginnings(before)
            # One of the two may fail alone: they can be in each other's way.
            if more is None or _FAILED in self._message:
                raise PyspyError(advice_on(_PIDS.sub(b"", self._message)))
            if monotonic() > deadline:
                raise PyspyError(
                    f"py-spy has not begun within {START_S:.0f} s; is the "
                    "machine overloaded?"
                )
            if not more:
                nap(_POLL_S)

    def _note_beginnings(self, before: float) -> None:
        """Note which py-spy has begun; what is there now came after *before*.

        Their rates distinguish them; where those are the same, both are
        taken to begin with the second.
        """
        now = monotonic()
        rates = [int(rate) for rate in _RATES.findall(self._message)]
        needed = 2 if self.rate == self.running_rate else 1
        if self.rate not in rates:
            self.looked_from = before
        if not self.looked_by and rates.count(self.rate) >= needed:
            self.looked_by = now
        if not self.running_by and rates.count(self.running_rate) >= needed:
            self.running_by = now

    def is_over(self) -> bool:
        """Return whether both py-spy have ended, asked or not."""
        while more := self._read_message():
            pass
        return more is None

    def _read_message(self) -> bytes | None:
        """Return what py-spy printed meanwhile, None at the end."""
        more = read_some(self._out)
        if more:
            self._message = (self._message + more)[:_MAX_MESSAGE]
        return more

    def stop(self, take_line: TakeLine, take_running_line: TakeLine) -> bool:
        """End the recording and hand over its lines of stacks.

        Returns whether all came; never raises.
        """
        # Never SIGTERM or SIGKILL: between py-spy's stopping this process
        # and its letting go, that would leave it stopped.
        with suppress(OSError):
            posix.killpg(self._pid, signal.SIGINT)
        self.ended = monotonic()
        deadline = monotonic() + STOP_S
        outputs = [
            Lines(self._stacks, take_line),
            Lines(self._run, take_running_line),
        ]
        try:
            open_ones = outputs
            while open_ones and monotonic() < deadline:
                if not any(output.read() for output in open_ones):
                    nap(_POLL_S)
                open_ones = [one for one in open_ones if not one.done]
            self._kill(
                [
                    pid
                    for pid, one in zip(self._pids(), outputs, strict=False)
                    if one in open_ones
                ]
            )
            return not open_ones and all(one.whole for one in outputs)
        finally:
            self.over = monotonic()
            self.close()

    def _kill(self, pids: list[bytes]) -> None:
        """Kill those py-spy that have not ended; the shell sees to the rest.

        They still hold their pipes, so these are their ids.
        """
        for pid in pids:
            with suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)

    def close(self) -> None:
        """Let go of the pipes, without which py-spy ends; once is enough."""
        pid = self._pid
        self.let_go()
        if pid:
            # Those that have not ended: being asked twice does no harm.
            with suppress(OSError):
                posix.killpg(pid, signal.SIGINT)
            _reap(pid)

    def let_go(self) -> None:
        """Close the pipes and forget the child, as a forked process must."""
        _open.discard(self)
        for fd in list(self._fds):
            self._closed(fd)
        self._pid = 0

    def _closed(self, fd: int) -> None:
        if fd in self._fds:
            self._fds.remove(fd)
            posix.close(fd)


def _cpu_s(pid: bytes) -> float:
    """Return the processor time of a process, 0 if it is gone."""
    try:
        with open(b"/proc/%s/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_S
    except (OSError, IndexError, ValueError):
        return 0.0


def _inherited() -> Iterator[int]:
    """Yield the files that a child would get, as a server's C code opens.

    A py-spy that outlives its server must not hold on to its socket.
    """
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        # Gone since: the one that listed them, or another thread's.
        with suppress(OSError):
            if fd > 2 and os.get_inheritable(fd):
                yield fd


_open: WeakSet[Recording] = WeakSet()
_unreaped: list[int] = []


@cache
def _let_go_in_children() -> None:
    """Have processes forked from now on hold no end of our pipes.

    As long as a process holds one, py-spy waits for it to read.
    """
    os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    _unreaped.clear()
    for recording in list(_open):
        with suppress(OSError):
            recording.let_go()


def _reap(pid: int) -> None:
    """Wait for *pid* a little, or else the next time."""
    _unreaped.append(pid)
    for _ in range(20):
        for child in list(_unreaped):
            try:
                ended = posix.waitpid(child, posix.WNOHANG)[0] == child
            except ChildProcessError:
                # The server reaps all its children itself.
                ended = True
            if ended:
                _unreaped.remove(child)
        if not _unreaped:
            return
        nap(_POLL_S)
