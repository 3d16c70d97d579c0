# SPDX-License-Identifier: Apache-2.0
"""What is not true or not complete about a request's samples, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nova_profiler.capture.profilers.pyinstrument.session import MOST_SAMPLES
from nova_profiler.groups import WAITING
from nova_profiler.record import RequestRecord

# From here on a part of the time is worth a note.
NOTED_SHARE = 0.1


class Taken(NamedTuple):
    """What was sampled of a request, and what was not."""

    samples: int
    interval_ms: float
    # Pieces of work in other threads, and those that could not be followed.
    threads: int
    unfollowed: int
    # Of the threads, those that were still at work at the end.
    running: int
    # Steps of the body, and how many of them are sampled at most.
    steps: int
    most_steps: int
    # Times that another profiler was on.
    busy: int
    watched_s: float
    sampled_s: float
    # By how much each call took longer; None if that is not known.
    call_s: float | None


def notes_of(taken: Taken, record: RequestRecord) -> Iterator[str]:
    """Yield a sentence for each thing to know about the samples."""
    if not taken.samples:
        yield (
            f"The request was over before the first sample, which is taken "
            f"after {taken.interval_ms:g} ms."
        )
    yield from _of_threads(taken)
    yield from _left_out(taken)
    waited_ms = record.breakdown_ms.get(WAITING.name, 0.0)
    if waited_ms > NOTED_SHARE * record.duration_ms:
        yield (
            f"{waited_ms:.1f} ms were spent waiting for Python's lock or a "
            f"processor: they count for whatever function waited."
        )
    if taken.samples:
        yield inflation(taken.call_s)


def _of_threads(taken: Taken) -> Iterator[str]:
    if taken.threads:
        yield (
            f"What ran beside the request in threads or greenthreads "
            f"({taken.threads}) is in here, below the function that started "
            f"it: times add up to more than the request took."
        )
    if taken.unfollowed:
        yield (
            f"Of more threads or greenthreads ({taken.unfollowed}) nothing "
            f"is in here."
        )
    if taken.running:
        yield (
            f"Some of them ({taken.running}) went on after the request; what "
            f"they did then is not in here."
        )


def _left_out(taken: Taken) -> Iterator[str]:
    if taken.steps > taken.most_steps:
        yield (
            f"The body was made in {taken.steps} steps; only the first "
            f"{taken.most_steps} are in here."
        )
    if taken.busy:
        yield (
            "Another profiler was at work in the thread for part of the "
            "request: that part is not in here."
        )
    if taken.samples > MOST_SAMPLES:
        yield (
            f"{taken.samples} samples were taken; about {MOST_SAMPLES} of "
            f"them are in here, evenly spread over the time."
        )
    lost_s = taken.watched_s - taken.sampled_s
    if taken.samples and lost_s > NOTED_SHARE * taken.watched_s:
        yield (
            f"{lost_s * 1000:.1f} of {taken.watched_s * 1000:.1f} ms lie "
            f"between the last sample and the end of what was sampled."
        )


def inflation(call_s: float | None) -> str:
    """Return what follows where each call took *call_s* longer."""
    longer = "a little" if call_s is None else f"about {call_s * 1e6:.2f} us"
    return (
        f"Being watched made each call take {longer} longer, so that "
        f"functions that are called often look slower than they are: "
        f"confirm shares by stacks."
    )
