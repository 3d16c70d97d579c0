# SPDX-License-Identifier: Apache-2.0
"""What a request leads to is known early, and so are files without it."""

from __future__ import annotations

import pytest
from followed import GLOBAL, MESSAGE, NEUTRON, REQUEST

from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.leads import (
    MOST_LEARNED,
    NOTHING,
    Leads,
    Wanted,
    wanted_of,
)

CAST = LogLine(
    1.0,
    "nova-api",
    f"CAST unique_id: {MESSAGE} exchange 'nova' topic 'compute'",
    request_id=REQUEST,
    global_request_id=GLOBAL,
)


@pytest.fixture
def leads():
    """Return what one line leads to: a global id and an RPC message."""
    found = Leads(most_ids=5)
    found.learn(REQUEST, CAST)
    return found


def test_no_log_makes_it_learn_without_end(leads):
    """Each line that names another message would cost all before it."""
    for number in range(MOST_LEARNED * 2):
        message = CAST.message.replace(MESSAGE, f"{number:032x}")
        leads.learn(REQUEST, CAST._replace(message=message))

    assert len(leads.wanted.sought) == MOST_LEARNED
    # Searched for, once a line has named it; no file is without it unseen.
    late = wanted_of([], {f"{MOST_LEARNED * 2 - 1:032x}"})
    leads.note_without(1, leads.wanted)
    assert not leads.rule_out(1, late)


def test_a_line_leads_to_ids_and_messages(leads):
    """They are searched for from then on; the same line adds nothing."""
    wanted = leads.wanted

    leads.learn(REQUEST, CAST)

    assert wanted.sought == {GLOBAL, MESSAGE}
    assert leads.wanted is wanted


def test_a_file_without_any_of_it_is_ruled_out(leads):
    """For all that it was searched for, and for any part of that."""
    blocks = [b"first\n", b"second\n"]

    assert list(leads.watched(3, leads.wanted, blocks)) == blocks

    assert leads.rule_out(3, leads.wanted)
    assert leads.rule_out(3, wanted_of([GLOBAL], set()))
    assert not leads.rule_out(3, wanted_of([GLOBAL, NEUTRON], set()))
    assert not leads.rule_out(4, leads.wanted)


@pytest.mark.parametrize("place", [0, 1])
def test_a_file_with_some_of_it_is_not(leads, place):
    """Wherever it is in the file."""
    blocks = [b"first\n", b"second\n"]
    blocks[place] = f"received unique_id: {MESSAGE}\n".encode()

    assert list(leads.watched(3, leads.wanted, blocks)) == blocks

    assert not leads.rule_out(3, leads.wanted)


def test_no_file_is_ruled_out_for_the_start_of_an_id(leads):
    """Any file may hold an id that begins so."""
    leads.note_without(3, leads.wanted)
    leads.note_without(4, NOTHING)

    for number in (3, 4):
        assert not leads.rule_out(number, Wanted((b"req-6",), bool))
