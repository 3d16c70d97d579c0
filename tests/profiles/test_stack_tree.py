# SPDX-License-Identifier: Apache-2.0
"""Samples as a tree: totals, recursion, waiting, the hot path."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_builders import (
    API,
    CONTROLLER,
    DISPATCH,
    EXECUTE,
    LOCK,
    ORM,
    WAITING,
    pyspy_session,
    rebuild_samples,
    session,
    stacks_session,
)

from nova_profiler.profiles import (
    IN_LINE,
    PYINSTRUMENT,
    PYSPY,
    RAN_UNSEEN,
    WAITED_UNSEEN,
    WAITING_FOR_GIL,
    stack_tree,
)
from nova_profiler.profiles.session_files import read_session
from nova_profiler.profiles.stack_tree import StackTree


def tree_of(*sessions) -> StackTree:
    read = [read_session(json.dumps(one).encode()) for one in sessions]
    tree = StackTree(read[0].engine)
    for one in read:
        tree.add(one)
    return tree


def rows_of(tree: StackTree):
    return {
        row.function.name: (row.number, row.self_s, row.total_s)
        for row in tree.rows()
    }


def test_the_hot_path_ends_at_what_holds_most_of_the_work():
    """Down to the ORM below rebuild, with lines and shares of the work."""
    path = tree_of(session(*rebuild_samples())).hot_path()

    assert [
        (step.function.label, step.line, round(step.share, 3)) for step in path
    ] == [
        ("webob.dec:__call__", None, 1.0),
        ("nova.api.openstack.compute.servers:_action", None, 1.0),
        ("nova.compute.api:rebuild", 3540, 1.0),
        ("sqlalchemy.orm.loading:instances", None, 0.75),
    ]


@pytest.mark.parametrize(("below_s", "is_on"), [(0.5, True), (0.49, False)])
def test_the_path_goes_on_with_half_of_the_work_and_not_with_less(
    below_s, is_on
):
    """At least MOST of it: that two callees share alike is no reason."""
    tree = tree_of(session(([API], 1.0 - below_s), ([API, ORM], below_s)))

    names = [step.function.name for step in tree.hot_path()]

    assert names == ["rebuild", "instances"][: 1 + is_on]


def test_waiting_is_no_work():
    """A lock's time is in no share, and has its caller."""
    tree = tree_of(session(*rebuild_samples()))

    assert tree.number == 100
    assert tree.busy_s == pytest.approx(0.8)
    assert tree.waiting_s == pytest.approx(0.2)
    assert "lock.acquire" not in rows_of(tree)
    (wait,) = tree.waits()
    assert (wait.function.name, wait.number) == ("lock.acquire", 20)
    assert wait.caller is not None
    assert wait.caller.label == "nova.api.openstack.compute.servers:_action"


def test_waiting_that_pyspy_saw():
    """The function below the mark is the one that waited."""
    tree = tree_of(
        pyspy_session(
            ([CONTROLLER, EXECUTE], 0.2),
            ([CONTROLLER, EXECUTE, WAITING], 0.6),
            number=40,
        )
    )

    assert rows_of(tree)["do_execute"] == (10, 0.2, 0.2)
    (wait,) = tree.waits()
    assert (wait.function.name, wait.number) == ("do_execute", 30)
    assert wait.seconds == pytest.approx(0.6)


def test_functions_that_only_wait_are_no_work():
    """pyspy sees no built-in functions, but their callers."""
    condition = "Condition.wait\x00/usr/lib/python3.11/threading.py\x00288"
    tree = tree_of(
        pyspy_session(
            ([CONTROLLER, condition], 0.3),
            ([CONTROLLER, condition, API], 0.1),
            number=20,
        )
    )

    assert (tree.busy_s, tree.waiting_s) == (0.1, 0.3)
    (wait,) = tree.waits()
    assert wait.function.label == "threading:Condition.wait"


def test_a_function_that_gives_way_runs():
    """sleep(0) does not wait, and stacks state whether its thread ran."""
    give_way = "_sleep\x00/lib/site-packages/os_brick/utils.py\x0080"
    tree = tree_of(
        stacks_session(
            ([API, give_way], 0.3),
            ([API, give_way, WAITING], 0.1),
            number=4,
        )
    )

    assert (tree.busy_s, tree.waiting_s) == (0.3, 0.1)


@pytest.mark.parametrize("mark", ["[await]", "[out-of-context]"])
def test_time_of_others_is_in_nothing(mark):
    """What the engine marks as not this request's is counted apart."""
    tree = tree_of(session(([API], 0.1), ([API, mark], 0.9)))

    assert (tree.number, tree.busy_s, tree.waiting_s) == (1, 0.1, 0.0)
    assert tree.elsewhere_s == 0.9
    assert rows_of(tree) == {"rebuild": (1, 0.1, 0.1)}


def test_a_recursion_counts_once():
    """A function within itself is on the stack once."""
    tree = tree_of(
        session(([API, ORM, API, ORM], 0.3), ([API, ORM], 0.2), ([API], 0.1))
    )

    assert rows_of(tree) == {
        "instances": (2, pytest.approx(0.5), pytest.approx(0.5)),
        "rebuild": (3, pytest.approx(0.1), pytest.approx(0.6)),
    }


def test_marks_of_requests_and_threads_are_no_functions():
    """Requests that differ in their mark and thread only are one path."""
    mark = "np_request_%d\x00/x/request_tags.py\x007"
    tree = tree_of(
        session(([mark % 1, API], 0.1)), session(([mark % 22, API], 0.1))
    )

    assert tree.profiles == 2
    assert [step.function.name for step in tree.hot_path()] == ["rebuild"]


def test_pyspy_does_not_know_where_functions_begin():
    """Whatever line was seen first, it is one function, from the least on."""
    name, file, _ = API.split("\x00")
    tree = tree_of(
        *(
            pyspy_session(
                ([f"{name}\x00{file}\x00{line}\x01l{line}"], 0.1), number=5
            )
            for line in (3540, 3520, 3533)
        )
    )

    assert tree.engine == PYSPY
    (row,) = tree.rows()
    assert (row.function.line, row.number) == (3520, 15)


def test_functions_of_one_name_are_two_for_pyinstrument():
    """It knows where they begin."""
    name, file, _ = API.split("\x00")
    other = f"{name}\x00{file}\x009"
    tree = tree_of(session(([API], 0.1), ([other], 0.1)))

    assert tree.engine == PYINSTRUMENT
    assert len(tree.rows()) == 2


def test_very_deep_stacks():
    """A runaway recursion is deeper than ours could be."""
    frames = [f"f{number}\x00/a.py\x001" for number in range(5000)]
    tree = tree_of(session((frames, 1.0)))

    assert len(tree.hot_path()) == 5000
    assert len(tree.rows()) == 5000
    assert max(map(len, tree.paths())) == 5000


def test_what_a_tree_holds_is_bounded(monkeypatch):
    """Past the bound a stack ends early; its time is not lost."""
    monkeypatch.setattr(stack_tree, "MOST_NODES", 10)
    tree = tree_of(
        session(*(([f"f{n}\x00/a.py\x001", API], 0.1) for n in range(50)))
    )

    assert tree.cut == 50
    assert tree.busy_s == pytest.approx(5.0)
    assert len(tree.rows()) <= 10


def test_a_tree_for_a_page_holds_less():
    """Lines of one function take room in a session, though not in a tree."""
    content = session(
        *(([API, f"{ORM}\x01l{n}"], 0.1) for n in range(50)),
        ([API, EXECUTE], 0.1),
    )
    tree = StackTree("stacks", most_nodes=10)

    tree.add(read_session(json.dumps(content).encode()))

    assert tree.cut == 43
    assert tree.busy_s == pytest.approx(5.1)
    assert [row.function.label for row in tree.rows()][0].endswith("rebuild")


def test_nothing_has_no_hot_path():
    """A session without samples is read, and has nothing."""
    tree = tree_of(session())

    assert (tree.hot_path(), tree.rows(), tree.waits()) == ([], [], [])


FRAMES = st.sampled_from([DISPATCH, CONTROLLER, API, ORM, EXECUTE])
SAMPLES = st.lists(
    st.tuples(
        st.lists(FRAMES, min_size=1, max_size=6).flatmap(
            lambda frames: st.sampled_from([frames, [*frames, LOCK]])
        ),
        st.floats(0.001, 1.0),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(SAMPLES)
def test_own_times_add_up_to_the_work(samples):
    """Every second is in one row or one wait, and no total is too large."""
    tree = tree_of(session(*samples))
    rows, whole = tree.rows(), sum(seconds for _, seconds in samples)

    assert sum(row.self_s for row in rows) == pytest.approx(tree.busy_s)
    waited = sum(wait.seconds for wait in tree.waits())
    assert tree.busy_s + waited == pytest.approx(whole)
    assert all(
        row.self_s - 1e-9 <= row.total_s <= tree.busy_s + 1e-9 for row in rows
    )
    shares = [step.share for step in tree.hot_path()]
    assert shares == sorted(shares, reverse=True)
    assert all(0.5 <= share <= 1 + 1e-9 for share in shares)


LINE_7, LINE_9 = f"{API}\x01l7", f"{API}\x01l9"


def of_each_state() -> StackTree:
    """Return a request that was in each state that a thread can be in."""
    return tree_of(
        stacks_session(
            ([LINE_7], 0.4),
            ([LINE_7, WAITING], 0.1),
            ([LINE_9, ORM, WAITING], 0.3),
            ([LINE_9, WAITING_FOR_GIL], 0.2),
            ([IN_LINE], 0.5),
            ([RAN_UNSEEN], 0.05),
            ([WAITED_UNSEEN], 0.02),
            number=20,
        )
    )


def test_what_a_thread_waited_for_is_apart():
    """Its own time for each, and only what ran is work."""
    tree = of_each_state()

    assert tree.time_in(WAITING_FOR_GIL) == pytest.approx(0.2)
    assert tree.time_in(IN_LINE) == pytest.approx(0.5)
    assert tree.busy_s == pytest.approx(0.45)
    assert tree.waiting_s == pytest.approx(0.1 + 0.3 + 0.2 + 0.5 + 0.02)
    assert tree.number == 20


def test_a_wait_has_the_line_in_which_most_of_it_was():
    """Of nova's function above it, and none where nothing is above."""
    waits = {wait.function.name: wait for wait in of_each_state().waits()}

    assert waits["instances"].line == 9
    assert waits[WAITING_FOR_GIL].line == 9
    assert waits[IN_LINE].line is None
    assert waits[IN_LINE].caller is None
    assert waits[WAITING_FOR_GIL].caller.name == "rebuild"


def test_lines_of_waits_are_added_up_over_profiles():
    """As those of work are."""
    tree, other = of_each_state(), of_each_state()
    other.join(tree)

    (node,) = [
        node
        for node in other.root.children.values()
        if node.function.name == "rebuild"
    ]
    assert node.wait_lines == pytest.approx({7: 0.2, 9: 1.0})
    assert node.wait_line == 9
