# SPDX-License-Identifier: Apache-2.0
"""A .prof is read as pstats wrote it; anything else is refused, harmlessly."""

from __future__ import annotations

import contextlib
import cProfile
import json
import marshal
import pstats
import re
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from profile_builders import REBUILD, RUN, rebuild_stats, stats

from nova_profiler.profiles.stats import stats_files
from nova_profiler.profiles.stats.stats_files import StatsError, read_stats


def read(data: bytes):
    """Return what was read in the shape of pstats."""
    return {
        one.key: (
            *(one.primitive, one.calls, one.self_s, one.total_s),
            {
                key: (calls, primitive, self_s, total_s)
                for key, (primitive, calls, self_s, total_s) in (
                    one.callers.items()
                )
            },
        )
        for one in read_stats(data)
    }


def recursive(depth: int) -> None:
    json.dumps({"depth": depth})
    re.compile(f"a{{{depth}}}")
    if depth:
        recursive(depth - 1)


@pytest.fixture(scope="module")
def real() -> bytes:
    """Return a profile by cProfile itself, with recursion and built-ins."""
    profiler = cProfile.Profile()
    profiler.runcall(recursive, 40)
    profiler.create_stats()
    return marshal.dumps(profiler.stats)


@pytest.mark.parametrize("version", range(5))
def test_real_profiles_are_read_exactly(real, version):
    """Every figure and caller is as pstats has it, in each format."""
    expected = marshal.loads(real)  # made just above

    assert read(marshal.dumps(expected, version)) == expected


@pytest.mark.parametrize("version", [3, 4])
def test_profiles_in_which_functions_share_figures_are_read(real, version):
    """What is there twice stands in the file once, and as a reference."""
    known = {}

    def one(value):
        """Return the first of all that equal *value*, parts and all."""
        if type(value) is tuple:
            value = tuple(map(one, value))
        if type(value) is dict:
            value = {one(key): one(figures) for key, figures in value.items()}
        return known.setdefault(repr(value), value)

    content = one(
        {
            key: (*row[:2], 0.25, 0.5, row[4])
            for key, row in marshal.loads(real).items()  # made just above
        }
    )
    data = marshal.dumps(content, version)

    assert len(data) < len(marshal.dumps(content, 2))
    assert read(data) == content


KEYS = st.tuples(st.text(max_size=3), st.integers(0, 10**12), st.text())
FIGURES = st.tuples(*[st.integers(0, 10**12)] * 2, *[st.floats(0, 1e12)] * 2)


@given(st.data())
def test_whatever_functions_share_is_read_as_pstats_reads_it(data):
    """Names, places, figures, callers, all figures of a function."""

    def some(values):
        return st.sampled_from(data.draw(st.lists(values, min_size=1)))

    keys, figures = some(KEYS), some(FIGURES)
    callers = some(st.dictionaries(keys, figures, max_size=4))
    rows = some(
        st.builds(lambda four, called: (*four, called), figures, callers)
    )
    content = data.draw(st.dictionaries(keys, rows, max_size=8))
    version = data.draw(st.integers(0, 4))

    assert read(marshal.dumps(content, version)) == content


def test_a_file_that_shares_too_much_is_refused(monkeypatch):
    """A few bytes for each function could stand for any number of calls."""
    monkeypatch.setattr(stats_files, "_MOST_SHARED", 10)
    callers = {RUN: (1, 1, 0.1, 0.2), REBUILD: (1, 1, 0.1, 0.2)}
    content = {
        ("f", line, "g"): (line, 1, 0.1, 0.2, callers) for line in range(7)
    }

    with pytest.raises(StatsError, match="shares more callers"):
        read(marshal.dumps(content))


FOUR = (1, 1, 0.1, 0.2)


@pytest.mark.parametrize(
    ("content", "lacking"),
    [
        ({RUN: (*FOUR, {RUN: FOUR}), REBUILD: FOUR}, "figures"),
        ({RUN: (*FOUR, {}), REBUILD: (*FOUR, RUN)}, "callers"),
        ({RUN: (*FOUR, {RUN: RUN})}, "figures"),
        ({RUN: (*FOUR, {FOUR: FOUR})}, None),
        ({RUN: (*FOUR, {RUN: FOUR, FOUR: FOUR})}, "function"),
        ({RUN: (*FOUR, {REBUILD: (1, 1, RUN[2], 0.1)})}, "number"),
    ],
)
def test_references_to_other_parts_are_refused(content, lacking):
    """Each part is of its own shape, wherever it stands."""
    because = f"refers to no {lacking}" if lacking else "not a profile"
    with pytest.raises(StatsError, match=because):
        read(marshal.dumps(content))


def test_profiles_saved_by_pstats_are_read(real, tmp_path):
    """What pstats adds up and saves again is a profile, too."""
    (tmp_path / "a.prof").write_bytes(real)
    both = pstats.Stats(str(tmp_path / "a.prof"), str(tmp_path / "a.prof"))
    both.dump_stats(str(tmp_path / "both.prof"))

    assert read((tmp_path / "both.prof").read_bytes()) == both.stats


def test_odd_names_are_read():
    """Long names, other alphabets and large counts keep what they are."""
    content = stats(
        (("/" + "x" * 300, 2**35, "späte_λ"), 2**31, 1.0, 2.0, {}),
        (("", 0, ""), 1, 0.0, 0.0, {("", 0, ""): 0.0}),
    )

    assert read(marshal.dumps(content)) == content


def test_times_of_a_clock_that_was_set_back_are_nothing():
    """No figure is negative: shares would be of nothing."""
    (one,) = read_stats(marshal.dumps(stats((RUN, 1, -0.5, 1.0, {}))))

    assert (one.self_s, one.total_s) == (0.0, 1.0)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "profile",
        {1: 2},
        {RUN: (1, 1, 0.1)},
        {RUN: (1, 1, 0.1, 0.2, [])},
        {RUN: (1.5, 1, 0.1, 0.2, {})},
        {RUN: ("1", 1, 0.1, 0.2, {})},
        {RUN: (1, 1, float("nan"), 0.2, {})},
        {RUN: (1, 1, float("inf"), 0.2, {})},
        {RUN: (1, 1, 1e300, 0.2, {})},
        {RUN: (2**200, 1, 0.1, 0.2, {})},
        {RUN: (-(2**40), 1, 0.1, 0.2, {})},
        {RUN: (1, 1, 0.1, 0.2, {RUN: 3})},
        {("f", 1): (1, 1, 0.1, 0.2, {})},
        {(b"f", 1, "g"): (1, 1, 0.1, 0.2, {})},
        {("f" * 5000, 1, "g"): (1, 1, 0.1, 0.2, {})},
        compile("1", "<hostile>", "eval"),
        {RUN: (1, 1, 0.1, 0.2, compile("1", "<hostile>", "eval"))},
    ],
)
def test_other_contents_are_refused(content):
    """What is marshalled but no profile, code above all, is not taken."""
    with pytest.raises(StatsError):
        read(marshal.dumps(content))


def test_every_truncation_is_refused():
    """However much of a file is missing, it is no profile."""
    data = marshal.dumps(rebuild_stats())

    for length in range(len(data)):
        with pytest.raises(StatsError):
            read(data[:length])


def test_what_follows_the_end_is_refused():
    """Two profiles in one file are none."""
    data = marshal.dumps(rebuild_stats())

    with pytest.raises(StatsError, match="after its end"):
        read(data + data)


def test_a_function_that_refers_to_itself_is_refused():
    """A key inside itself would take Python's own reader down."""
    itself = b"\xa9\x03r\x01\x00\x00\x00i\x01\x00\x00\x00z\x01f"

    with pytest.raises(StatsError, match="refers to no text"):
        read(b"\xfb" + itself + b")\x05")


@pytest.mark.parametrize("number", [-1, 5, 2**31 - 1])
def test_references_to_nothing_are_refused(number):
    """A number that no object has is damage."""
    reference = b"r" + struct.pack("<i", number)

    with pytest.raises(StatsError):
        read(b"{" + reference + b")\x05" + b"\x00" * 40)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"{0")
def test_any_bytes_are_read_or_refused(data):
    """Nothing but StatsError comes of what is no profile."""
    with contextlib.suppress(StatsError):
        read(data)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_profiles_are_read_or_refused(data):
    """A byte or two that flipped never do more than spoil the file."""
    content = bytearray(marshal.dumps(rebuild_stats()))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))

    with contextlib.suppress(StatsError):
        read(bytes(content))
