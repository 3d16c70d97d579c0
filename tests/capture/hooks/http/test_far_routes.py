# SPDX-License-Identifier: Apache-2.0
"""Routes of other services hold public words and no text of users."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.hooks.http.far_routes import (
    MOST_PARTS,
    WORDS,
    host_of,
    parts_of,
)
from nova_profiler.routes import ID

UUID = "2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("/v2.0/ports?device_id=7&tenant_id=x", "/v2.0/ports"),
        ("/v2.0/ports.json", "/v2.0/ports"),
        (f"/v2.0/ports/{UUID}/bindings", "/v2.0/ports/{id}/bindings"),
        (f"/placement/resource_providers/{UUID}/inventories/VCPU",
         "/placement/resource_providers/{id}/inventories/{id}"),
        ("/allocation_candidates?resources=VCPU:1", "/allocation_candidates"),
        (f"/v3/{UUID}/volumes/{UUID}/action",
         "/v3/{id}/volumes/{id}/action"),
        ("/v2/images/my-secret-image/file", "/v2/images/{id}/file"),
        ("/v1/AUTH_abc/container/an object", "/v1/{id}/{id}/{id}"),
        ("/v3/auth/tokens", "/v3/auth/tokens"),
        ("/v2.0/ports/#fragment", "/v2.0/ports"),
        ("//v2.0///ports/", "/v2.0/ports"),
        ("/", "/"),
        ("", "/"),
    ],
)  # fmt: skip
def test_ids_and_names_are_collapsed(url, route):
    """Whatever their form is."""
    assert parts_of(f"http://host:9696{url}")[1] == route


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://neutron:9696/v2.0", "neutron"),
        ("https://user:canary@neutron/v2.0", "neutron"),
        ("http://user:can@ry@neutron:1", "neutron"),
        ("http://[2001:db8::1]:9696/", "[2001:db8::1]"),
        ("//neutron/v2.0", "neutron"),
        ("/v2.0/ports", ""),
        ("/v2.0?next=http://canary/", ""),
        ("/v2.0//canary", ""),
        ("http://neutron?next=http://canary@other/", "neutron"),
        ("", ""),
    ],
)
def test_a_host_is_without_port_and_user(url, host):
    assert host_of(parts_of(url)[0]) == host


@given(st.text(), st.lists(st.text(max_size=12)))
def test_no_part_of_any_url_is_in_a_route_but_known_words(text, parts):
    """Neither of a path, a query, a fragment, nor of none of them."""
    for url in (text, f"http://h/{'/'.join(parts)}?{text}"):
        route = parts_of(url)[1]

        words = [word for word in route.split("/") if word]
        assert {*words} <= WORDS | {ID}
        assert len(words) <= MOST_PARTS + 1


def test_a_long_path_is_quick_and_short():
    """Not more parts than any API has."""
    route = parts_of("http://h/" + "v1/" * 1_000_000)[1]

    assert route == "/" + "v1/" * MOST_PARTS + ID
