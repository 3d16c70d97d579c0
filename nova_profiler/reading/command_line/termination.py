# SPDX-License-Identifier: Apache-2.0
"""SIGTERM ends a command as Ctrl-C does: the command tidies up first."""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(Exception):
    """SIGTERM has ended the command, which has tidied up."""


@contextmanager
def sigterm_as_ctrl_c(ends_process: bool = False) -> Iterator[None]:
    """Let SIGTERM interrupt what runs inside; raise Terminated then.

    A job's time limit sends it, and by default Python ends at once and
    leaves temporary files behind. A handler that is set already stays. Where
    the command *ends_process*, a second SIGTERM cannot cut its last words.
    """
    is_free = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    # Only the main thread may set handlers.
    if not is_free or threading.current_thread() != threading.main_thread():
        yield
        return
    _leave_forked_processes_alone()
    interrupt = _Interrupt()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except BaseException as exc:
        # DuckDB, for one, turns an interruption into an error of its own.
        if interrupt.is_asked:
            raise Terminated from exc
        raise
    finally:
        # Python puts the default back as it ends, in place of a handler.
        is_last = ends_process and interrupt.is_asked
        after = signal.SIG_IGN if is_last else signal.SIG_DFL
        signal.signal(signal.SIGTERM, after)


class _Interrupt:
    """A handler that interrupts once."""

    def __init__(self) -> None:
        self.is_asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        # `timeout` sends two; the second one would interrupt the tidying.
        if not self.is_asked:
            self.is_asked = True
            raise KeyboardInterrupt


@functools.cache
def _leave_forked_processes_alone() -> None:
    # A pool sends SIGTERM to its workers, and waits until they end.
    os.register_at_fork(after_in_child=_die_of_sigterm)


def _die_of_sigterm() -> None:
    if isinstance(signal.getsignal(signal.SIGTERM), _Interrupt):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
