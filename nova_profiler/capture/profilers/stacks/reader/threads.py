# SPDX-License-Identifier: Apache-2.0
"""The threads that are looked at: what looks at each, and its open files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nova_profiler.capture.profilers.stacks.reader.memory import Refused
from nova_profiler.capture.profilers.stacks.reader.stack.looks import (
    Seen,
    ThreadLooks,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    RUNS,
    ThreadFiles,
    Times,
    why_unseen,
)

# Threads that are looked at in turn, and those that are kept in mind though
# they were not seen lately: such go once a second, least lately seen first.
# One that is needed in each round never goes for another.
MOST_THREADS = 1024
KEPT_THREADS = 256

# The address of its state in the interpreter, and its number in the kernel.
Key = tuple[int, int]


class Thread:
    """A thread of the worker: what looks at it, and the last look."""

    def __init__(self, looks: ThreadLooks, files: ThreadFiles) -> None:
        self.looks = looks
        self.files = files
        self.number = 0
        # Of the last round that it was needed in.
        self.round = 0
        self.times: Times | None = None
        self.state = RUNS
        self.seen: Seen | None = None


class Threads:
    """The threads of one process that were seen lately."""

    def __init__(
        self, pid: int, new_looks: Callable[[int, bool], ThreadLooks]
    ) -> None:
        """*new_looks* makes what looks at a thread that was never seen."""
        self._pid = pid
        self._new_looks = new_looks
        self._known: dict[Key, Thread] = {}
        self._round = 0
        # No more files can be opened, until tidy() is called.
        self._is_full = False

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Thread]:
        return iter(self._known.values())

    def of(self, key: Key, is_green: bool) -> Thread | None:
        """Return the thread of *key*, None if it has ended or has no room.

        *is_green*: it runs greenthreads. Raises Refused.
        """
        thread = self._known.pop(key, None)
        if thread is None:
            if self._is_full or len(self._known) >= MOST_THREADS:
                return None
            try:
                thread = Thread(
                    self._new_looks(key[0], is_green),
                    ThreadFiles(self._pid, key[1]),
                )
            except PermissionError as exc:
                raise Refused(exc.strerror) from None
            except FileNotFoundError:
                why = why_unseen(self._pid, key[1])
                if why is not None:
                    raise Refused(why) from None
                # It has ended.
                return None
            except OSError:
                self._is_full = True
                return None
        self._known[key] = thread
        thread.round = self._round
        return thread

    def next_round(self) -> None:
        """Note that a round of looks begins."""
        self._round += 1

    def tidy(self) -> None:
        """Forget what was not needed lately, where there is much of it."""
        self._is_full = False
        while len(self._known) > KEPT_THREADS:
            key, thread = next(iter(self._known.items()))
            if thread.round >= self._round - 1:
                break
            self.forget(key)

    def forget(self, key: Key) -> None:
        """Close the files of the thread of *key*."""
        self._known.pop(key).files.close()

    def close(self) -> None:
        """Close all files."""
        while self._known:
            self.forget(next(iter(self._known)))
