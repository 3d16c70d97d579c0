# SPDX-License-Identifier: Apache-2.0
"""The notes on a profile whose figures are not certain."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_builders import (
    API,
    CONTROLLER,
    EXECUTE,
    LOCK,
    ORM,
    WAITING,
    pyspy_session,
    rebuild_samples,
    session,
    write_session,
)
from rich.console import Console

from nova_profiler.profiles.loading import load
from nova_profiler.profiles.session_files import read_session
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.code import certainty
from nova_profiler.reading.code.hot_path_page import hot_path_parts


def shown(*parts) -> str:
    console = Console(width=120, markup=False, highlight=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


def pyspy_tree(*sessions) -> StackTree:
    """Return sessions of pyspy, each (samples, number), added up."""
    tree = StackTree("pyspy")
    for samples, number in sessions:
        content = pyspy_session(*samples, number=number)
        tree.add(read_session(json.dumps(content).encode()))
    return tree


@pytest.fixture
def samples(tmp_path):
    return load(write_session(tmp_path / "a.pyisession", *rebuild_samples()))


@pytest.mark.parametrize(
    ("number", "margin"), [(25, 20.0), (400, 5.0), (625, 4.0)]
)
def test_few_samples_are_called_few(number, margin):
    """A share of n samples is good to about 100/sqrt(n) points."""
    tree = StackTree("pyspy")
    content = session(*[([API], 0.01)] * number)
    tree.add(read_session(json.dumps(content).encode()))

    assert certainty.margin_of(tree) == margin
    assert f"off by {margin:.0f} points" in certainty.notes_of(tree)[0]


def test_many_samples_need_no_warning():
    """From some thousand on the margin is a few points."""
    tree = StackTree("pyspy")
    content = session(*[([API], 0.01)] * 1200)
    tree.add(read_session(json.dumps(content).encode()))

    assert certainty.margin_of(tree) is None
    assert certainty.notes_of(tree) == []


def test_only_samples_of_work_make_shares_sure():
    """Those in which a thread waited say nothing of the work."""
    tree = StackTree("pyinstrument")
    content = session(*[([API], 0.01)] * 25, *[([API, LOCK], 0.01)] * 2000)
    tree.add(read_session(json.dumps(content).encode()))

    assert certainty.margin_of(tree) == 20.0
    assert certainty.notes_of(tree)[0].startswith("25 samples of work: ")


def test_a_row_of_few_samples_is_called_so():
    """From its own time below which there are less than five."""
    tree = StackTree("pyinstrument")
    content = session(*[([API], 0.01)] * 1200, *[([API, ORM], 0.01)] * 4)
    tree.add(read_session(json.dumps(content).encode()))
    rows = tree.rows()

    assert certainty.notes_of(tree, rows[:1]) == []
    assert certainty.notes_of(tree, rows) == [
        "own times of less than 5 samples: sqlalchemy.orm.loading:instances"
    ]


@pytest.mark.parametrize(
    ("duration_ms", "note"),
    [
        (1000.0, None),
        (1099.0, None),
        (
            2000.0,
            "work and waiting are 50.0 % of the request's 2.00 s: the rest "
            "was not seen",
        ),
        (
            500.0,
            "work and waiting are 200.0 % of the request's 500.0 ms: threads "
            "and greenthreads added up",
        ),
        (0.0, None),
    ],
)
def test_how_much_of_the_request_was_seen(samples, duration_ms, note):
    """There is a note where the profile and the clock do not agree."""
    assert certainty.seen_note(samples, duration_ms) == note
    page = shown(*hot_path_parts(samples, duration_ms))
    assert ("work and waiting are" in page) is (note is not None)


@pytest.mark.parametrize(
    ("times", "number", "duration_ms", "lanes", "why"),
    [
        # A sample that is longer than the request, a window of 20 s.
        (4.117, 2, 203.7, 4, "each sample stands for 2.06 s"),
        # Few of them are longer than the request.
        (4.4, 8, 1114.0, 4, "each sample stands for 550.0 ms"),
        # As many more or fewer as chance has it.
        (0.5, 5, 400.0, 1, "each sample stands for 100.0 ms"),
        (0.3, 3, 400.0, 1, "each sample stands for 100.0 ms"),
        # More than four threads can have had.
        (4.0, 400, 400.0, 4, "each sample stands for 10.0 ms"),
        (1.5, 150, 400.0, 4, "threads and greenthreads added up"),
        (1.5, 150, 400.0, 0, "threads and greenthreads added up"),
        (0.2, 200, 400.0, 1, "the rest was not seen"),
    ],
)
def test_the_reason_is_the_true_one(times, number, duration_ms, lanes, why):
    """Of times that cannot be the threads are not to blame."""
    tree = pyspy_tree(([([API], times / 2), ([API, WAITING], times / 2)],
                       number))  # fmt: skip

    note = certainty.seen_note(tree, duration_ms, lanes)

    assert note is not None
    assert note.endswith(f": {why}")


def test_what_pyinstrument_measured_is_not_coarse():
    """Three threads are three, however few samples they have."""
    tree = StackTree("pyinstrument")
    content = session(*[([API], 0.01)] * 12)
    tree.add(read_session(json.dumps(content).encode()))

    note = certainty.seen_note(tree, 40.0, 1)

    assert note is not None
    assert note.endswith("threads and greenthreads added up")


def test_few_samples_are_counted_by_function():
    """Four samples of two seconds are few, twenty of 10 ms are not."""
    tree = pyspy_tree(
        ([([CONTROLLER, ORM], 8.0)], 4),
        ([([CONTROLLER, EXECUTE], 0.2), ([API], 12.0)], 1220),
    )

    assert certainty.notes_of(tree, tree.rows())[-1] == (
        "own times of less than 5 samples: sqlalchemy.orm.loading:instances"
    )


def test_not_all_of_few_samples_are_named():
    """A few of them, and how many more."""
    few = [([f"f{n}\x00/a.py\x001"], 0.02 - n / 1000) for n in range(5)]
    tree = pyspy_tree(([*few, ([API], 0.91)], 100))
    rows = tree.rows()

    assert certainty.few_note(tree, rows) == (
        "own times of less than 5 samples: a:f0, a:f1, a:f2 and 2 more"
    )


@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), max_size=4),
    st.integers(-5, 10**12),
    st.floats(0, 1e9),
    st.integers(0, 50),
)
def test_no_profile_makes_a_note_fail(times, number, duration_ms, lanes):
    """Neither silly times nor silly numbers of samples do."""
    tree = pyspy_tree(
        *(
            ([([API], busy_s), ([API, WAITING], waiting_s)], number)
            for busy_s, waiting_s in times
        )
    )

    notes = certainty.notes_of(tree, tree.rows(), duration_ms, lanes)

    assert all(isinstance(note, str) for note in notes)


def test_a_rest_of_nothing_has_no_sign():
    """Looks whose parts add up to all of them leave -1e-17 s."""
    assert certainty.seconds(-1e-17) == "0.0 ms"
