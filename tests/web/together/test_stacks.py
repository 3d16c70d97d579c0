# SPDX-License-Identifier: Apache-2.0
"""Stacks of a route's requests, added up."""

from __future__ import annotations

import json

from profile_builders import API, CONTROLLER, stacks_session

from nova_profiler.profiles import RAN_UNSEEN
from nova_profiler.profiles.session_files import read_session
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.web.together.stacks import StacksByEngine


def test_what_was_between_looks_has_a_place_in_the_whole():
    """And none in a request's own functions, which are compared."""
    stacks = StacksByEngine()
    records = [([CONTROLLER, API], 0.75), ([RAN_UNSEEN], 0.25)]
    content = json.dumps(stacks_session(*records, number=40)).encode()
    for _ in range(2):
        profile = StackTree("stacks")
        profile.add(read_session(content))
        stacks.add(profile)

    (one,) = stacks.engines().values()

    assert [row.function.name for row in one.whole.rows() if row.self_s] == [
        "rebuild"
    ]
    assert one.whole.time_in(RAN_UNSEEN) == 0.0
    assert one.whole.busy_s == 2.0
