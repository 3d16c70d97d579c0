# SPDX-License-Identifier: Apache-2.0
"""The thread of one process that sends what there is.

A thread of the system, also under eventlet and gevent: it logs nothing and
takes no lock of theirs. What it finds is noted by a thread that serves.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from itertools import count
from time import monotonic

from nova_profiler.capture.greenthreads import Wakeup, start_thread
from nova_profiler.capture.sinks.otlp.sender import (
    SEND_EVERY_S,
    SENDING,
    Posts,
    Sender,
)

# How long the end of a process waits for the last message.
EXIT_S = 1.0


class Process:
    """What has a Sender's steps made, in a thread of its own."""

    def __init__(
        self,
        collector: Posts,
        origin: tuple[str, str],
        counts: Callable[[], dict[str, int]],
        pid: int,
    ) -> None:
        """*origin* is service and host; *counts* returns our faults so far.

        Nothing is started before start().
        """
        self.pid = pid
        self._wakeup = Wakeup()
        self.sender = Sender(
            collector, (*origin, pid), counts, self._wakeup.wake
        )
        # The first to take a number starts the thread.
        self._starts = count()
        self.is_started = False
        # How often it was asked to send at once, and has done so.
        self._asked = self._done = 0
        self._closing = False
        self._ended = Wakeup()

    def start(self) -> None:
        """Start the thread, unless it runs. May raise RuntimeError."""
        if next(self._starts) != 0:
            return
        self.is_started = True
        try:
            start_thread(self.run)
        except BaseException:
            # No more threads: a later record tries again.
            self._let_start()
            raise
        atexit.register(self.close)

    def _let_start(self) -> None:
        self._ended = Wakeup()
        self.is_started = False
        self._starts = count()

    def send_now(self) -> None:
        """Have the thread send what there is, now."""
        self._asked += 1
        self._wakeup.wake()

    def has_more(self) -> bool:
        """Return whether send_now() has work that is not done yet."""
        return self._done != self._asked

    def close(self, wait_s: float = EXIT_S) -> None:
        """Have the thread send what is there and end.

        Waits *wait_s* at most; not at all where nothing would be sent.
        """
        atexit.unregister(self.close)
        if self._closing or os.getpid() != self.pid or not self.is_started:
            return
        self._closing = True
        self._wakeup.wake()
        self._ended.wait(wait_s)

    def run(self) -> None:
        """Send what comes until close(). Never raises."""
        wait_s = SEND_EVERY_S
        is_last = False
        # Where this thread fails, the next one has another.
        ended = self._ended
        try:
            while not is_last:
                self._wakeup.wait(wait_s)
                is_last, asked = self._closing, self._asked
                at_once = is_last or asked != self._done
                wait_s = self.sender.step(monotonic(), at_once)
                self._done = asked
        except Exception as exc:
            self.sender.note(SENDING, exc)
            self._let_start()
        finally:
            ended.wake()
