# SPDX-License-Identifier: Apache-2.0
"""What is not true or not complete about a request's profile, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nova_profiler.capture.greenthreads import uses_thread_pool
from nova_profiler.capture.profilers.cprofile.scopes import (
    PROCESS_WIDE,
    Part,
)

INFLATES = (
    "Every call was timed, which makes functions that are called often look "
    "slower than they are: confirm shares by other means."
)
PARTIAL = (
    "Cumulative times are partial: for them a call ends where its greenlet "
    "switches."
)
MIXED = (
    "Calls of {} other requests are mixed in; cumulative times and callers "
    "are wrong where they are. From Python 3.12 on cProfile sees all threads "
    "at once."
)
MIXED_WORKERS = (
    "Threads that worked for the request are mixed in; cumulative times and "
    "callers are wrong where they are. From Python 3.12 on cProfile sees all "
    "threads at once."
)
MIXED_POOL = "Calls in the threads of eventlet.tpool are mixed in."
ADDED = (
    "{} threads that worked for the request are added up: together they may "
    "have taken longer than it did."
)
STILL_AT_WORK = "Threads were still at work for the request when it was over."
LEFT_OUT = "{} functions with the least time are left out."
SKIPPED = "Not profiled: {}."
NOT_ALL = "Not all of it is in here: {}."
IN_A_THREAD = "in a thread that worked for it, {}"


def notes_of(
    parts: Sequence[Part], overlapped: int, workers: int
) -> Iterator[str]:
    """Yield a sentence for each thing to know about the profile.

    The first of *parts* is the request's own thread. *overlapped* is how
    many other requests were served meanwhile, *workers* how many threads
    worked for this one.
    """
    main, *others = parts
    recorded = [part for part in parts if part.steps]
    if not recorded:
        for reason in main.refused:
            yield SKIPPED.format(reason)
        return
    for reason in main.refused:
        yield NOT_ALL.format(reason)
    for part in others:
        if part.refused:
            yield NOT_ALL.format(IN_A_THREAD.format(part.refused[0]))
            break
    if any(part.running for part in parts):
        yield STILL_AT_WORK
    if len(recorded) > 1:
        yield ADDED.format(len(recorded) - 1)
    yield from _mixed(sees_all_threads(main), overlapped, workers)
    if any(part.scope and part.scope.cuts_calls for part in recorded):
        yield PARTIAL
    yield INFLATES


def sees_all_threads(part: Part) -> bool:
    """Return whether calls of all threads are in the profile of *part*."""
    return part.scope is not None and part.scope.sees_all_threads


def _mixed(sees_all: bool, overlapped: int, workers: int) -> Iterator[str]:
    if sees_all:
        if overlapped:
            yield MIXED.format(overlapped)
        if workers:
            yield MIXED_WORKERS
    elif PROCESS_WIDE and uses_thread_pool():
        yield MIXED_POOL
