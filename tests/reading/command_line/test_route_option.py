# SPDX-License-Identifier: Apache-2.0
"""What the text of --route means, to all commands alike."""

from __future__ import annotations

import pytest

from nova_profiler.dump_store import name_of_route
from nova_profiler.reading.command_line.route_option import (
    is_meant,
    meant_names,
)

DETAIL = "/v2.1/servers/detail"


@pytest.mark.parametrize(
    ("text", "is_in"),
    [
        (DETAIL, True),
        ("servers/detail", True),
        ("/v2.1/servers", False),
        ("/servers/detail", False),
        ("volumes", False),
    ],
)
def test_a_text_with_a_slash_in_front_means_the_whole_route(text, is_in):
    """Any other means what contains it; a dump's name tells the same."""
    assert is_meant(text, DETAIL) is is_in

    assert meant_names(text)(name_of_route(DETAIL)) is is_in


@pytest.mark.parametrize(
    ("text", "is_in"),
    [
        (f"GET {DETAIL}", True),
        (f"get {DETAIL}", True),
        (f"POST {DETAIL}", False),
        ("GET servers", False),
        (DETAIL, True),
    ],
)
def test_a_method_may_stand_in_front(text, is_in):
    """As a table names its rows, where each has a method."""
    assert is_meant(text, DETAIL, "GET") is is_in


def test_without_a_text_every_name_is_meant():
    """No option, no choice."""
    assert meant_names(None)("root")
