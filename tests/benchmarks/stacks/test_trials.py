# SPDX-License-Identifier: Apache-2.0
"""The trials of the reader of stacks, short ones, and how they judge."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from places import ROOT

from benchmarks.stacks.fluttering import fault_of

DEEP = ["mark", "deep", "deep", "deep"]


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["loop"],
        ["loop", "hot_a"],
        ["loop", "hot_a", "leaf_a"],
        ["loop", "hot_gen_b"],
        ["loop", "hot_gen_b", "leaf_b"],
        ["loop", "hot_gen_b", "gen_b"],
        ["loop", "hot_gen_b", "gen_b", "leaf_b"],
    ],
)
def test_a_stack_that_may_have_been_has_no_fault(names):
    """Up to where the thread had come."""
    assert fault_of([*DEEP, *names], 2) is None


@pytest.mark.parametrize(
    "names",
    [
        DEEP[1:],
        [*DEEP, "deep", "loop"],
        [*DEEP, "hot_a"],
        [*DEEP, "loop", "leaf_a"],
        [*DEEP, "loop", "hot_a", "leaf_b"],
        [*DEEP, "loop", "hot_gen_a", "gen_b"],
        [*DEEP, "loop", "hot_gen_a", "gen_a", "gen_a"],
        [*DEEP, "loop", "hot_a", "hot_a", "leaf_a"],
    ],
)
def test_a_stack_that_never_was_has_one(names):
    """A gap, two colours, a frame too many."""
    assert fault_of(names, 2)


def trial(*words):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *words],
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.parametrize("how", ["plain", "generators"])
def test_hardly_a_stack_is_impossible(how):
    """Five in ten thousand is the promise, of calls of half a microsecond.

    Chance may double that; without the look at doubtful calls there are 60
    and more, where a copy takes as long as the loop it looks at.
    """
    found = trial("benchmarks.stacks.flutter", "60", how, "10000")

    assert found["impossible"] <= 10, found
    assert found["lost"] <= 1000


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.parametrize("mode", ["threads", "eventlet"])
def test_no_stack_is_of_another_request(mode):
    """Of a few milliseconds each, in slots and threads that are used again."""
    if mode == "eventlet":
        pytest.importorskip("eventlet")
    found = trial("benchmarks.stacks.foreign", mode, "2000")

    assert found["foreign"] == 0, found["first"]
    assert found["looks"] >= 2000, found["notes"]


@pytest.mark.slow
@pytest.mark.services
def test_looks_are_those_of_each_request():
    """Each is counted, and what the reader answers later is its own."""
    found = trial("benchmarks.stacks.looks", "8", "2", "1")

    assert found["requests"] == 8, found["notes"]
    assert found["without"] < 8
    assert found["beside_s"] > 0
    assert found["reader"] > 0
