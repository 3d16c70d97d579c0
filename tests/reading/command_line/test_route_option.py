# SPDX-License-Identifier: Apache-2.0
"""What the text of --route means, to all commands alike."""

from __future__ import annotations

import json

import pytest
from builders import numbered, written

from nova_profiler.cli import main
from nova_profiler.dump_store import name_of_route
from nova_profiler.reading.command_line.route_option import (
    is_meant,
    meant_names,
)

DETAIL = "/v2.1/servers/detail"
LINE = (
    "2026-11-29 23:13:07.649 4668 INFO nova.api.openstack.requestlog [-] "
    '127.0.0.1 "{} /v2.1/servers" status: 200 len: 2813 microversion: 2.1 '
    "time: 1.438089\n"
)


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

    assert meant_names(text)(name_of_route(DETAIL), "GET") is is_in


@pytest.mark.parametrize(
    ("text", "is_in"),
    [
        (f"GET {DETAIL}", True),
        (f"get {DETAIL}", True),
        (f"POST {DETAIL}", False),
        ("GET /v2.1/servers", False),
        ("GET servers", False),
        (DETAIL, True),
    ],
)
def test_a_method_may_stand_in_front(text, is_in):
    """As a table names its rows, where each has a method."""
    assert is_meant(text, DETAIL, "GET") is is_in
    assert meant_names(text)(name_of_route(DETAIL), "GET") is is_in


def test_without_a_text_every_name_is_meant():
    """No option, no choice."""
    assert meant_names(None)("root", "GET")


@pytest.fixture
def two_methods(tmp_path):
    """Return the options for a folder with a dump of GET and one of POST."""
    written(
        tmp_path,
        numbered(1, method="GET", route=DETAIL),
        numbered(2, method="POST", route=DETAIL),
    )
    return ["--dump-dir", str(tmp_path)]


@pytest.mark.parametrize(
    ("name", "field"), [("list", "dumps"), ("calls", "routes")]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_what_is_a_heading_chooses_its_records(
    capsys, two_methods, name, field, method
):
    """Those of its method alone."""
    args = [name, *two_methods, "--json", "--route", f"{method} {DETAIL}"]
    assert main(args) == 0

    found = json.loads(capsys.readouterr().out)[field]
    assert [one["method"] for one in found] == [method] * (method != "PUT")


@pytest.mark.parametrize(
    "command", [["top"], ["export"], ["diff", "--before", "2h"]]
)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"GET {DETAIL}", "1 dump fits"),
        (DETAIL, "2 dumps fit"),
        (f"PUT {DETAIL}", f"no dumps of PUT {DETAIL}"),
    ],
)
def test_what_is_a_heading_chooses_stacks(
    capsys, two_methods, command, text, said
):
    """In all commands that add up stacks."""
    assert main([*command, *two_methods, "--route", text]) == 0

    assert said in capsys.readouterr().err


def test_what_is_a_heading_chooses_lines_of_a_log(capsys, tmp_path):
    """As report counts them."""
    log = tmp_path / "nova-api.log"
    log.write_text(
        "".join(LINE.format(method) for method in ("GET", "POST", "GET"))
    )
    args = ["report", str(log), "--json", "--route", "GET /v2.1/servers"]
    assert main(args) == 0

    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["method"], row["calls"]) for row in rows] == [("GET", 2)]
