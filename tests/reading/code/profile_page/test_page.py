# SPDX-License-Identifier: Apache-2.0
"""The page of a profile is one file, which runs nothing."""

from __future__ import annotations

import pytest
from one_file_pages import parts_of
from profile_builders import (
    API,
    rebuild_samples,
    rebuild_stats,
    write_session,
    write_stats,
)

from nova_profiler.profiles.loading import load
from nova_profiler.reading.code.profile_page.page import page_of

HOSTILE = "</script><script>alert(1)</script>\x1b[31m<b>&\"'\u202e"


@pytest.fixture
def samples(tmp_path):
    return load(write_session(tmp_path / "a.pyisession", *rebuild_samples()))


def test_what_a_reader_asks_first(samples):
    """The title, what holds the work, where, and what is doubtful."""
    text, tags = parts_of(
        page_of(samples, "POST /v2.1/servers", ["pyspy: partly seen"])
    )

    assert text.startswith("POST /v2.1/servers")
    assert "nova.compute.api:rebuild holds 100.0 % of the work" in text
    assert "mostly in line 3540" in text
    assert "pyspy: partly seen" in text
    assert {"details", "summary", "table", "svg"} <= tags


def test_shares_and_times_have_one_unit_a_column(samples):
    """It is in the heading."""
    text, _ = parts_of(page_of(samples, "a"))

    assert "tot % own ms total ms samples function where" in text
    assert "75.0 600.0 600.0 60 sqlalchemy.orm.loading:instances" in text


def test_counted_calls_have_no_tree(tmp_path):
    """Without stacks there is none; the tables are there."""
    calls = load(write_stats(tmp_path / "a.prof", rebuild_stats()))

    text, _ = parts_of(page_of(calls, "a"))

    assert "by caller" not in text
    assert "nova.compute.api:rebuild" in text


def test_many_functions_are_folded(tmp_path):
    """A few are in sight; past a hundred there is their number."""
    rows = [([f"f{n}\x00/a/nova/x.py\x00{n}"], 1.0) for n in range(130)]
    tree = load(write_session(tmp_path / "a.pyisession", *rows))

    text, _ = parts_of(page_of(tree, "a"))

    assert "85 more" in text
    assert "and 30 that have no place on this page" in text


def test_hostile_names_are_text_of_a_bounded_length(tmp_path):
    """However many and however long they are."""
    long = HOSTILE + "x" * 1900
    rows = [
        ([API, f"{n}{long}\x00/x/{n}{long}.py\x00{n}"], 1.0)
        for n in range(400)
    ]
    tree = load(write_session(tmp_path / "a.pyisession", *rows))

    text, tags = parts_of(page_of(tree, long, [HOSTILE]))

    assert "script" not in tags
    assert "alert(1)" in text
