# SPDX-License-Identifier: Apache-2.0
"""The reader as a child process, and the pipes to it and from it.

It ends by itself when this process closes its end of the pipe or is gone. A
process that is forked from this one holds no end of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import posix
import select
import sys
from contextlib import suppress
from functools import cache
from types import CodeType
from weakref import WeakSet

from nova_profiler.capture.greenthreads import (
    lock_of_system,
    nap,
    poll_of_system,
)
from nova_profiler.capture.profilers.children import started
from nova_profiler.capture.profilers.stacks.layouts import (
    Layout,
    gil_here,
)
from nova_profiler.capture.profilers.stacks.slots import Slots
from nova_profiler.capture.profilers.tracers import allow_tracer
from nova_profiler.trust.isolated_children import isolated_python

_READER = """\
from nova_profiler.capture.profilers.stacks.reader.main import main
sys.exit(main(sys.argv[1], 3))
"""
# The child's standard files and the slots; others are closed.
_FIRST_FREE = 10
# One answer: the stacks of one request.
_MOST_ANSWER = 32 << 20
_CHUNK = 1 << 16
_REAP_TRIES = 20
_REAP_S = 0.005


class Child:
    """One reader at work, until close()."""

    def __init__(
        self, slots: Slots, layout: Layout, greenlet_frame: int = 0
    ) -> None:
        """Start it. May raise OSError.

        *greenlet_frame* is where the state of a greenlet has its frame.
        """
        _let_go_in_children()
        # Whether greenthreads that do not run can be seen.
        self.sees_parked = greenlet_frame > 0
        self._fds: list[int] = []
        self._rest = b""
        self._lines: list[bytes] = []
        self._pid = 0
        self._asks = self._answers = -1
        self._lock = lock_of_system()
        _open.add(self)
        try:
            self._start(slots, layout, greenlet_frame)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Return its process, 0 once it was let go."""
        return self._pid

    def _start(
        self, slots: Slots, layout: Layout, greenlet_frame: int
    ) -> None:
        asks_in, self._asks = self._pipe()
        self._answers, answers_in = self._pipe()
        slots_in = fcntl.fcntl(slots.fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
        self._fds.append(slots_in)
        null = posix.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        self._fds.append(null)
        about = json.dumps(
            [
                *(os.getpid(), layout, gil_here(layout), id(CodeType)),
                greenlet_frame,
            ]
        )
        files = [asks_in, answers_in, null, slots_in]
        command = isolated_python(_READER, about)
        # Its places of modules are set by what it runs.
        command[1:1] = ["-S"]
        command[0] = python_here()
        self._pid = started(command, {"LC_ALL": "C.UTF-8"}, files)
        for fd in files:
            self._closed(fd)
        for fd in (self._asks, self._answers):
            os.set_blocking(fd, False)
        allow_tracer(self._pid)

    def _pipe(self) -> tuple[int, int]:
        """Return both ends, above the numbers that the child uses."""
        ends = posix.pipe()
        try:
            for fd in ends:
                self._fds.append(
                    fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
                )
        finally:
            for fd in ends:
                posix.close(fd)
        return self._fds[-2], self._fds[-1]

    def ask(self, *what: object) -> bool:
        """Send a line; return False if it does not take it now.

        Never waits: a reader that does not read has a full pipe.
        """
        return self._write(json.dumps(what).encode() + b"\n")

    def wake(self) -> bool:
        """Have it look from now on, if it sleeps."""
        return self._write(b"\n")

    def _write(self, line: bytes) -> bool:
        if self._asks < 0:
            return False
        # For a moment: a file that was closed may be another's by now.
        with self._lock:
            try:
                # It is shorter than a pipe's pages: all of it, or nothing.
                return posix.write(self._asks, line) == len(line)
            except OSError:
                return False

    def answer(self, seconds: float) -> dict[str, object] | None:
        """Return its next answer, None if none comes within *seconds*.

        Raises EOFError once it has ended.
        """
        if not self._lines:
            poll = poll_of_system()
            poll.register(self._answers, select.POLLIN)
            if not poll.poll(max(0.0, seconds) * 1000):
                return None
            self._read()
        if not self._lines:
            return None
        answer = json.loads(self._lines.pop(0))
        return answer if isinstance(answer, dict) else None

    def _read(self) -> None:
        try:
            got = posix.read(self._answers, _CHUNK)
        except BlockingIOError:
            return
        except OSError as exc:
            raise EOFError from exc
        if not got or len(self._rest) > _MOST_ANSWER:
            raise EOFError
        *lines, self._rest = (self._rest + got).split(b"\n")
        self._lines += lines

    def close(self) -> None:
        """Close the pipes, without which it ends; once is enough."""
        pid = self._pid
        with self._lock:
            self.let_go()
        if pid:
            _reap(pid)

    def let_go(self) -> None:
        """Close the pipes and forget the child, as a forked process must."""
        _open.discard(self)
        for fd in list(self._fds):
            self._closed(fd)
        self._asks = self._answers = -1
        self._pid = 0

    def _closed(self, fd: int) -> None:
        if fd in self._fds:
            self._fds.remove(fd)
            posix.close(fd)


def python_here() -> str:
    """Return a Python to run, as a server may be a program of its own."""
    name = "python{}.{}".format(*sys.version_info[:2])
    found = sys.executable or ""
    if os.path.basename(found).startswith("python"):
        return found
    for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix):
        for one in (name, "python3"):
            path = os.path.join(prefix, "bin", one)
            if os.access(path, os.X_OK):
                return path
    return found


_open: WeakSet[Child] = WeakSet()
_unreaped: list[int] = []


@cache
def _let_go_in_children() -> None:
    """Have processes forked from now on hold no end of our pipes."""
    os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    _unreaped.clear()
    for child in list(_open):
        with suppress(OSError):
            child.let_go()


def _reap(pid: int) -> None:
    """Wait for *pid* a little, or else the next time."""
    _unreaped.append(pid)
    for _ in range(_REAP_TRIES):
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
        nap(_REAP_S)
