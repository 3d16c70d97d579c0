# SPDX-License-Identifier: Apache-2.0
"""Names that come from outside the code are few, and have no ids."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.call_names import (
    MOST_NAMES,
    NamedKeys,
    dotted,
    identifier,
    without_ids,
)

UUID = "0b8ab9d5-5f7a-4c25-8ee1-4e3d8e7b3c4e"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("compute_resources", "compute_resources"),
        ("nova-policy-init", "nova-policy-init"),
        (f"nova-{UUID}", "nova-{id}"),
        (UUID.replace("-", ""), "{id}"),
        (f"{UUID}-events", "{id}-events"),
        (f"refresh_cache-{UUID}", "refresh_cache-{id}"),
        ("cafebabe-dead-beef-cafe-deadbeefcafe", "{id}"),
        ("deadbeefcafe", "{id}"),
        ("/var/lib/nova/instances/locks", "/var/lib/nova/instances/locks"),
        ("host17 of cell", "{id}_of_cell"),
        ("1/2/3", "{id}"),
        ("gAAAAABmQ2x1c3Rlcl9zZWNyZXQ", "{id}"),
        ("averylongwordwithoutanydigitsinit", "{id}"),
        ("a\nb", "other"),
        ("naïve", "other"),
        ("x" * 201, "other"),
        ("", "other"),
        (" ", "other"),
        (None, "other"),
        (7, "other"),
    ],
)
def test_ids_go_and_words_stay(name, expected):
    assert without_ids(name) == expected


@given(st.text())
def test_any_text_gives_a_plain_name(name):
    """One word for metrics, without a digit."""
    found = without_ids(name)

    assert found
    assert not set(found) - set(string.ascii_letters + "_./:-{}")


@given(st.uuids().map(str), st.text(string.ascii_letters, max_size=8))
def test_names_that_differ_by_ids_are_one(uuid, word):
    assert without_ids(f"{word}/{uuid}") == without_ids(f"{word}/{UUID}")


@given(st.text())
def test_an_identifier_is_kept_and_nothing_else(name):
    is_one = name.isidentifier() and name.isascii() and len(name) <= 80

    assert identifier(name) == (name if is_one else "other")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nova.privsep.fs.mount", "nova.privsep.fs.mount"),
        ("mount", "mount"),
        ("nova..mount", "other"),
        ("nova.mount /mnt", "other"),
        ("a." * 200 + "b", "other"),
        (None, "other"),
    ],
)
def test_dotted_names(name, expected):
    assert dotted(name) == expected


def test_names_of_a_group_are_bounded():
    """What comes after the first ones is one name; the first ones stay."""
    keys = NamedKeys("rpc")
    first = keys.key("compute ping")

    found = {keys.key(f"compute method_{n}").name for n in range(10_000)}

    assert len(found) == MOST_NAMES
    assert "other" in found
    assert keys.key("compute ping") is first
    assert keys.key("one more") is keys.other
