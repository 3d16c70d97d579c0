# SPDX-License-Identifier: Apache-2.0
"""How long requests are kept in mind, and how many."""

from __future__ import annotations

from nova_profiler.capture.profilers.stacks.reader.call_paths import Path
from nova_profiler.capture.profilers.stacks.reader.seen.all_requests import (
    DECISION_NS,
    MOST_REQUESTS,
    SeenRequests,
)
from nova_profiler.capture.profilers.stacks.reader.seen.one_request import Look
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    RUNS,
    Times,
)

F = Path(None, 1)


def look(at):
    return Look(at, Times(0, 0, 0), F, RUNS)


def test_a_request_is_forgotten_a_while_after_its_end():
    """Unless it was asked for, which takes it out."""
    requests = SeenRequests()
    first, second = requests.of(1, 8), requests.of(2, 16)

    requests.forget_ended({2}, 100)
    requests.forget_ended({2}, 100 + DECISION_NS)
    assert requests.take(1) is first
    requests.of(1, 8)
    requests.forget_ended({2}, 200)
    requests.forget_ended({2}, 201 + DECISION_NS)

    assert requests.take(1) is None
    assert requests.take(2) is second
    assert len(requests) == 0


def test_a_day_of_requests_leaves_nothing():
    """All ended, none asked for; and never more than there is room for."""
    requests, most = SeenRequests(), 0
    for number in range(3 * MOST_REQUESTS):
        requests.of(number, 8).add(number, 0, look(number))
        most = max(most, len(requests))
    requests.forget_ended(set(), 1)
    requests.forget_ended(set(), 2 + DECISION_NS)

    assert most == MOST_REQUESTS
    assert requests.crowded_out == 2 * MOST_REQUESTS
    assert len(requests) == 0
