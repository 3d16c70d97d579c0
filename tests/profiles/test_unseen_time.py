# SPDX-License-Identifier: Apache-2.0
"""Time between looks, in the stacks of many requests."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_builders import API, CONTROLLER, EXECUTE, ORM, stacks_session

from nova_profiler.profiles import (
    IN_LINE,
    RAN_UNSEEN,
    WAITED_UNSEEN,
    WAITING,
    WAITING_FOR_GIL,
)
from nova_profiler.profiles.session_files import read_session
from nova_profiler.profiles.stack_nodes import walk
from nova_profiler.profiles.stack_tree import StackTree

PLACES = [
    [CONTROLLER, API],
    [CONTROLLER, ORM],
    [CONTROLLER, EXECUTE, WAITING],
    [CONTROLLER, API, WAITING_FOR_GIL],
    [IN_LINE],
    [RAN_UNSEEN],
    [WAITED_UNSEEN],
]


def tree_of(*requests):
    tree = StackTree("stacks")
    for records, looks in requests:
        session = stacks_session(*records, number=looks)
        tree.add(read_session(json.dumps(session).encode()))
    return tree


def one_look(chance, ran, waited):
    """A request of 100 ms with one look, as its engine books it.

    *ran* and *waited* are its times by place; 20 ms were in line.
    """
    work_s, wait_s = sum(ran.values()), sum(waited.values())
    times = {**ran, **waited}
    (found,) = chance.choices([*times], [*times.values()])
    parts = [(work_s, WAITED_UNSEEN, wait_s), (wait_s, RAN_UNSEEN, work_s)]
    seen_s, state, unseen_s = parts[found in waited]
    records = [(PLACES[found], seen_s), ([state], unseen_s), ([IN_LINE], 0.02)]
    return records, 1


def test_the_looks_of_many_requests_stand_for_the_rest():
    """As often as each place was, though each request has one look."""
    chance = random.Random(7)
    ran, waited = {0: 0.02, 1: 0.01}, {2: 0.045, 3: 0.005}
    tree = tree_of(*(one_look(chance, ran, waited) for _ in range(3000)))

    tree.share_out_unseen()

    rows = {row.function.name: row.self_s for row in tree.rows()}
    assert rows["rebuild"] == pytest.approx(60, rel=0.05)
    assert rows["instances"] == pytest.approx(30, rel=0.1)
    waits = {wait.function.name: wait.seconds for wait in tree.waits()}
    assert waits["do_execute"] == pytest.approx(135, rel=0.05)
    assert tree.time_in(WAITING_FOR_GIL) == pytest.approx(15, rel=0.2)
    assert tree.time_in(IN_LINE) == pytest.approx(60)
    assert {RAN_UNSEEN, WAITED_UNSEEN}.isdisjoint([*rows, *waits])


def sums_of(tree):
    nodes = [node for node, entered in walk(tree.root) if entered]
    return [
        sum(node.busy_s for node in nodes),
        sum(node.waiting_s for node in nodes),
        tree.busy_s,
        tree.waiting_s,
    ]


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.sampled_from(PLACES), st.floats(0.001, 10)),
                min_size=1,
                max_size=8,
            ),
            st.integers(1, 60),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_time_appears_or_vanishes(requests):
    """Of work and of waiting apart; and once is as good as twice."""
    tree = tree_of(*requests)
    before = sums_of(tree)

    tree.share_out_unseen()
    once = sums_of(tree)
    shared = tree.shared
    tree.share_out_unseen()

    assert once == pytest.approx(before)
    assert sums_of(tree) == once
    assert tree.shared == shared
    assert tree.time_in(RAN_UNSEEN) + shared.work_s == pytest.approx(
        tree_of(*requests).time_in(RAN_UNSEEN)
    )
    assert tree.time_in(WAITED_UNSEEN) + shared.wait_s == pytest.approx(
        tree_of(*requests).time_in(WAITED_UNSEEN)
    )


def test_of_one_request_it_is_not_known():
    """However many looks it has."""
    records = [(PLACES[0], 5.0), (PLACES[2], 3.0), ([RAN_UNSEEN], 1.0)]
    tree = tree_of((records, 100))

    tree.share_out_unseen()

    assert tree.time_in(RAN_UNSEEN) == 1.0


def test_a_few_looks_stand_for_nothing_else():
    """Two requests, a look each."""
    records = [(PLACES[0], 0.05), ([WAITED_UNSEEN], 0.05)]
    tree = tree_of((records, 1), (records, 1))

    tree.share_out_unseen()

    assert tree.time_in(WAITED_UNSEEN) == pytest.approx(0.1)
    assert tree.shared == (0.0, 0.0, 0.0)
