# SPDX-License-Identifier: Apache-2.0
"""Samples stay few, and together they stay the whole time."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyinstrument.session import Session

from nova_profiler.capture.profilers.pyinstrument.session import (
    SampleList,
    session_of,
    thinned,
)
from nova_profiler.profiles import PYINSTRUMENT
from nova_profiler.profiles.session_files import About, read_session

ABOUT = About(
    engine=PYINSTRUMENT,
    title="GET /v2.1/servers",
    samples=2,
    interval_s=0.01,
    started_at=1_795_257_000.0,
    duration_s=1.5,
    cpu_s=0.5,
)


def frame(name: str, line: int = 1) -> str:
    """Return a frame as pyinstrument writes it."""
    return f"{name}\x00/nova/{name}.py\x001\x01l{line}"


def test_samples_are_kept_in_their_order():
    """Equal neighbours are one, for the time of both."""
    samples = SampleList()

    for name, seconds in (("a", 1.0), ("a", 2.0), ("b", 3.0), ("a", 4.0)):
        samples.add([frame("app"), frame(name)], seconds)

    assert samples.samples == [
        ([frame("app"), frame("a")], 3.0),
        ([frame("app"), frame("b")], 3.0),
        ([frame("app"), frame("a")], 4.0),
    ]
    assert (samples.taken, samples.seconds) == (4, 10.0)


def test_a_long_request_has_no_more_samples_than_fit():
    """For hours, of ever new stacks: the time of all is still there."""
    samples = SampleList(most=100)

    for number in range(10_000):
        samples.add([frame("app", number)], 0.01)

    assert len(samples.samples) < 100
    assert samples.taken == 10_000
    assert sum(s for _, s in samples.samples) == pytest.approx(100.0)


def test_thinning_keeps_the_shares():
    """A function in a tenth of the samples is in a tenth of those kept."""
    samples = [
        ([frame("rare" if number % 10 == 0 else "usual")], 0.01)
        for number in range(10_000)
    ]

    kept = thinned(samples, 997)

    rare = sum(s for stack, s in kept if stack == [frame("rare")])
    assert rare == pytest.approx(10.0, rel=0.05)


@given(
    weights=st.lists(st.floats(1e-6, 100), max_size=60),
    most=st.integers(1, 30),
    start=st.floats(0, 1, exclude_max=True),
)
@example(weights=[1.0] * 3, most=2, start=1 - 2**-53)
def test_thinning_keeps_the_time(weights, most, start):
    """However uneven the samples are."""
    samples = [([str(n)], weight) for n, weight in enumerate(weights)]

    kept = thinned(samples, most, start)

    assert len(kept) <= max(most, 0) or kept == samples
    assert sum(s for _, s in kept) == pytest.approx(sum(weights))
    assert [int(stack[0]) for stack, _ in kept] == sorted(
        int(stack[0]) for stack, _ in kept
    )


def test_one_long_sample_outweighs_many_short_ones():
    """It is the time that counts."""
    samples = [([str(n)], 0.001) for n in range(100)]
    samples.insert(50, (["long"], 10.0))

    assert [stack for stack, _ in thinned(samples, 10)] == [["long"]]


def test_pyinstrument_reads_the_file():
    """With its own functions: the tree has every function's time."""
    content = session_of(
        [
            ([frame("app"), frame("a")], 1.0),
            ([frame("app"), frame("b"), "[out-of-context]"], 0.5),
        ],
        ABOUT,
    )

    session = Session.from_json(json.loads(content))
    root = session.root_frame()

    assert session.duration == 1.5
    assert session.min_interval == 0.01
    assert root is not None
    assert (root.function, root.time) == ("app", 1.5)
    assert {one.function: one.time for one in root.children} == {
        "a": 1.0,
        "b": 0.5,
    }


def test_it_names_its_engine():
    """Readers need not guess whose samples these are."""
    content = session_of([([frame("app")], 1.0)], ABOUT)

    assert read_session(content).engine == "pyinstrument"


def test_no_samples_are_a_file_too():
    """Nothing of it is assumed."""
    session = Session.from_json(json.loads(session_of([], ABOUT)))

    assert session.root_frame() is None
