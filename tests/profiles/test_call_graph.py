# SPDX-License-Identifier: Apache-2.0
"""Counted calls: sums, waiting, and the hot path along the callers."""

from __future__ import annotations

import marshal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_builders import LOADING, REBUILD, RUN, SLEEP, rebuild_stats, stats

from nova_profiler.profiles import call_graph
from nova_profiler.profiles.call_graph import CallGraph
from nova_profiler.profiles.stats.stats_files import read_stats


def graph_of(*contents) -> CallGraph:
    graph = CallGraph()
    for content in contents:
        graph.add(read_stats(marshal.dumps(content)))
    return graph


def path_of(graph: CallGraph):
    return [
        (step.function.name, round(step.share, 3)) for step in graph.hot_path()
    ]


def test_the_hot_path_leaves_out_what_was_waited():
    """Of 1 s 0.2 were sleep: the ORM's 0.6 are three quarters of the work."""
    path = path_of(graph_of(rebuild_stats()))

    assert path == [("run", 1.0), ("rebuild", 0.875), ("instances", 0.75)]


def test_profiles_add_up():
    """Calls, times and callers of two are the sums of both."""
    graph = graph_of(rebuild_stats(), rebuild_stats())

    assert (graph.profiles, graph.number) == (2, 88)
    assert graph.busy_s == pytest.approx(1.6)
    assert graph.waiting_s == pytest.approx(0.4)
    row = graph.rows()[0]
    assert (row.function, row.number) == (LOADING, 80)
    assert graph.functions[LOADING].callers[REBUILD][:2] == (80, 80)
    (wait,) = graph.waits()
    assert wait.function == SLEEP
    assert wait.caller == REBUILD


def test_the_path_goes_on_behind_a_recursion():
    """Filters share one __call__; the path does not end at its second."""
    shared = ("/x/webob/dec.py", 108, "__call__")
    first, second = ("/a.py", 1, "first"), ("/a.py", 2, "second")
    graph = graph_of(
        stats(
            (RUN, 1, 0.0, 1.0, {}),
            (shared, 3, 0.0, 1.0, {RUN: 1.0, first: 0.95, second: 0.9}),
            (first, 1, 0.05, 1.0, {shared: 1.0}),
            (second, 1, 0.05, 0.95, {shared: 0.95}),
            (REBUILD, 1, 0.9, 0.9, {shared: 0.9}),
        )
    )

    assert [name for name, _ in path_of(graph)] == [
        "run",
        "__call__",
        "first",
        "second",
        "rebuild",
    ]


def test_a_callee_of_many_is_shared_out():
    """Of a function that others call more, the path gets its part."""
    other = ("/a.py", 9, "other")
    graph = graph_of(
        stats(
            (RUN, 1, 0.0, 1.0, {}),
            (REBUILD, 1, 0.2, 0.6, {RUN: 0.6}),
            (other, 1, 0.0, 0.4, {RUN: 0.4}),
            (LOADING, 9, 0.8, 0.8, {REBUILD: 0.4, other: 0.4}),
        )
    )

    assert path_of(graph) == [("run", 1.0), ("rebuild", 0.6)]


@pytest.mark.parametrize(("share", "is_on"), [(0.5, True), (0.499, False)])
def test_the_path_goes_on_with_half_of_the_work_and_not_with_less(
    share, is_on
):
    """At least MOST of it: that two callees share alike is no reason."""
    graph = graph_of(
        stats(
            (RUN, 1, 1 - share, 1.0, {}),
            (REBUILD, 1, share, share, {RUN: share}),
        )
    )

    names = [name for name, _ in path_of(graph)]

    assert names == ["run", "rebuild"][: 1 + is_on]


def test_the_first_function_may_be_called_again():
    """Where all have callers the one with most time came first."""
    again = ("/a.py", 1, "again")
    disable = ("~", 0, "<method 'disable' of '_lsprof.Profiler' objects>")
    graph = graph_of(
        stats(
            (disable, 1, 0.0, 0.0, {}),
            (again, 2, 0.4, 1.0, {REBUILD: 0.1}),
            (REBUILD, 1, 0.6, 0.6, {again: 0.6}),
        )
    )

    assert [name for name, _ in path_of(graph)] == ["again", "rebuild"]


def test_a_profile_of_nothing():
    """No functions, no path; only waiting, no path either."""
    assert path_of(graph_of({})) == []
    assert path_of(graph_of(stats((SLEEP, 1, 1.0, 1.0, {})))) == []


def test_what_a_graph_holds_is_bounded(monkeypatch):
    """Past the bound new functions are left out and counted."""
    monkeypatch.setattr(call_graph, "MOST_FUNCTIONS", 2)
    graph = graph_of(rebuild_stats())

    assert len(graph.functions) == 2
    assert graph.cut == 2


NAMES = st.sampled_from("abcdef")
FUNCTIONS = st.dictionaries(
    NAMES,
    st.tuples(
        st.integers(1, 9),
        st.floats(0, 10),
        st.floats(0, 10),
        st.dictionaries(NAMES, st.floats(0, 10), max_size=4),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(FUNCTIONS)
def test_any_graph_has_a_path_with_an_end(functions):
    """Rings, times that cannot be, callers that are missing: it ends."""
    graph = graph_of(
        stats(
            *(
                (
                    *((f"{name}.py", 1, name), calls, self_s, total_s),
                    {(f"{one}.py", 1, one): s for one, s in callers.items()},
                )
                for name, (calls, self_s, total_s, callers) in (
                    functions.items()
                )
            )
        )
    )

    path = graph.hot_path()

    assert len({step.function for step in path}) == len(path)
    assert all(0.5 <= step.share <= 1 + 1e-9 for step in path)
