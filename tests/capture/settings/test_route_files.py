# SPDX-License-Identifier: Apache-2.0
"""The operator's own routes: which path is of which, and what is refused."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.settings.options import ConfigError
from nova_profiler.capture.settings.route_files import (
    MAX_ROUTES,
    RouteTable,
    read_routes,
)

FILE = """\
# neutron
/v2.0/networks
/v2.0/networks/{id}      # one
  /v2.0/networks/{network_id}/dhcp-agents

/v2.0/{any}/default/
/v1/{account}/{container}/*
/
"""


@pytest.fixture
def table(tmp_path):
    """Return the routes of FILE."""
    path = tmp_path / "routes"
    path.write_text(FILE)
    return read_routes(str(path))


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v2.0/networks", "/v2.0/networks"),
        ("/v2.0/networks/", "/v2.0/networks"),
        ("//v2.0//networks", "/v2.0/networks"),
        ("/v2.0/networks.json", "/v2.0/networks"),
        ("/v2.0/networks/a.b", "/v2.0/networks/{id}"),
        (
            "/v2.0/networks/a/dhcp-agents",
            "/v2.0/networks/{network_id}/dhcp-agents",
        ),
        ("/v2.0/quotas/default", "/v2.0/{any}/default"),
        ("/v2.0/networks/default", "/v2.0/networks/{id}"),
        ("/v2.0/quotas", None),
        ("/v1/a/b", "/v1/{account}/{container}/*"),
        ("/v1/a/b/c/d/e.json", "/v1/{account}/{container}/*"),
        ("/v1/a", None),
        ("/", "/"),
        ("", "/"),
        ("/other", None),
    ],
)
def test_a_path_is_of_the_closest_template(table, path, route):
    """What is written out goes before a name, a name before the rest."""
    assert table.route_of(path) == route


def test_a_way_that_leads_nowhere_is_left():
    """A literal that fits first is not the only one that may fit."""
    table = RouteTable()
    table.add("/a/{x}/c", 1)
    table.add("/{y}/b/d", 2)

    assert table.route_of("/a/b/d") == "/{y}/b/d"
    assert table.route_of("/a/b/c") == "/a/{x}/c"
    assert table.route_of("/a/b/e") is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("networks", "expected a path such as /v2.0/networks/{id}"),
        ("GET /v2.0/networks", "expected a path such as"),
        ("/v2.0/{id", "expected a path such as"),
        ("/v2.0/x{id}", "expected a path such as"),
        ("/v2.0/{}", "expected a path such as"),
        ("/v2.0/*/x", "expected a path such as"),
        ("/v2.0/a b", "expected a path such as"),
        ("/v2.0/ü", "expected a path such as"),
        ("/v2.0/^.*$", "expected a path such as"),
        ("/a" * 17, "expected a path such as"),
        ("/" + "a" * 65, "expected a path such as"),
        ("/known/{other}/", "the same paths as in line 1"),
        ("/\x1b[31m", "expected a path such as"),
    ],
)
def test_a_line_that_is_no_template_is_one_error(tmp_path, line, reason):
    """File, line, what was read, what is expected; nothing more."""
    path = tmp_path / "routes.txt"
    path.write_text(f"/known/{{id}}\n\n{line}\n/networks\n")

    with pytest.raises(ConfigError, match=re.escape(reason)) as caught:
        read_routes(str(path))

    shown = str(caught.value)
    assert shown.startswith("routes.txt, line 3: ")
    assert shown.isprintable()
    assert len(shown) < 250


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"\xff\xfe/\x00a", "no text in UTF-8"),
        (b"/a\n" * 400_000, "bytes, more than"),
        (b"".join(b"/a%d\n" % n for n in range(MAX_ROUTES + 1)), "at most"),
    ],
)
def test_a_file_that_holds_no_routes_is_one_error(tmp_path, content, reason):
    """Missing, binary, too large."""
    path = tmp_path / "routes.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=reason) as caught:
        read_routes(str(path))

    assert "routes.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_does_not_block(tmp_path):
    """A pipe would have the start wait for its writer."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(ConfigError, match="routes_file"):
            read_routes(str(tmp_path / name))


@pytest.mark.parametrize("path", [None, ""])
def test_without_a_file_there_are_no_routes(path):
    """As the option's default."""
    assert read_routes(path) is None


_part = st.sampled_from(["a", "b", "{x}", "{y}", "v2.0"])
_templates = st.lists(
    st.lists(_part, max_size=4).map(lambda parts: "/" + "/".join(parts)),
    max_size=12,
)


@given(_templates, st.lists(st.sampled_from("abc"), max_size=5))
def test_a_route_fits_its_path(templates, parts):
    """And where none is found, none fits."""
    table = RouteTable()
    given_ones = []
    for number, template in enumerate(templates, 1):
        try:
            table.add(template, number)
        except ValueError:
            continue
        given_ones.append(template)

    found = table.route_of("/" + "/".join(parts))

    fitting = [
        template
        for template in given_ones
        if re.fullmatch(
            re.sub(r"\{\w\}", "[^/]+", template), "/" + "/".join(parts)
        )
    ]
    assert (found is None) == (not fitting)
    assert found is None or found in fitting


@given(st.text(max_size=80))
def test_no_line_harms(line):
    """A template, or one line of error."""
    table = RouteTable()
    try:
        table.add(line, 1)
    except ValueError as exc:
        assert "\n" not in str(exc)
