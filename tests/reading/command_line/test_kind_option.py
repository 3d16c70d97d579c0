# SPDX-License-Identifier: Apache-2.0
"""The option --kind: what it lets through, and what it says of others."""

from __future__ import annotations

import pytest

from nova_profiler.reading.command_line.kind_option import (
    ALL,
    WantedKind,
    noun_of,
)

OF_ALL = ["request", "message", "task", "periodic"]


@pytest.mark.parametrize("kind", OF_ALL)
def test_one_kind_is_let_through(kind):
    """And with all each of them."""
    assert [one for one in OF_ALL if WantedKind(kind).has(one)] == [kind]
    assert [one for one in OF_ALL if WantedKind(ALL).has(one)] == OF_ALL


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("GET", "request"),
        ("OTHER", "request"),
        ("CALL", "message"),
        ("CAST", "message"),
        ("MESSAGE", "message"),
        ("TASK", "task"),
        ("PERIODIC", "periodic"),
    ],
)
def test_a_method_tells_the_kind(method, kind):
    """It is all that the name of a dump has of it."""
    let_through = [one for one in OF_ALL if WantedKind(one).has_method(method)]

    assert let_through == [kind]


def test_others_are_counted_where_there_is_nothing_else():
    """The most frequent ones first, in one line."""
    wanted = WantedKind("request")
    for kind in ("task", "message", "periodic", "message", "of tomorrow"):
        wanted.has(kind)

    assert wanted.about_others == (
        "no requests, but 2 messages, 1 task, 1 periodic task, 1 record; "
        "--kind all is about these, too"
    )

    wanted.has("request")
    assert wanted.about_others == ""


def test_nothing_at_all_says_nothing_about_others():
    """Then it is not the kind that has left them out."""
    assert WantedKind("task").about_others == ""
    assert noun_of(ALL) == "record"
