# SPDX-License-Identifier: Apache-2.0
"""Routes from paths agree with those that nova's router names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.line_parts.path_routes import (
    is_metadata,
    method_of,
    route_of_path,
    route_of_record,
)

ID = "ac91ed2c-6c0e-4865-afcf-2b1b9fcb5485"
HEX = "54fadb412c4e40cdbaed9335e4c35a9e"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/compute/v2.1/", "/v2.1"),
        # nova asks neutron for the ports of a hundred servers at once.
        (f"/v2.0/ports?{f'device_id={ID}&' * 100}", "/v2.0/ports"),
        ("/v2.1/" + "x" * 1000, "unmatched"),
        ("/v2.0/lbaas/loadbalancers/web", "/v2.0/lbaas/loadbalancers/{id}"),
        ("/v2.0/qos/policies/gold", "/v2.0/qos/policies/{id}"),
        ("/v2/zones/z1/recordsets/r1", "/v2/zones/{id}/recordsets/{id}"),
        (f"/v2/{HEX}/servers/detail", "/v2/servers/detail"),
        ("/v2/demo/servers/17", "/v2/servers/{id}"),
        (f"/compute/v2.1/servers/{ID}/action?x", "/v2.1/servers/{id}/action"),
        (f"/v2.1/servers/{ID}/ips/public", "/v2.1/servers/{id}/ips/{id}"),
        (f"/v2.1/servers/{ID}/shares/k", "/v2.1/servers/{id}/shares/{id}"),
        ("/v2.1/os-keypairs/my-key", "/v2.1/os-keypairs/{id}"),
        (
            "/v2.1/flavors/m1.small/os-extra_specs/hw:cpu_policy",
            "/v2.1/flavors/{id}/os-extra_specs/{id}",
        ),
        ("/v2.1/servers.json", "/v2.1/servers"),
        (f"http://api:8774/v2.1/servers/{ID}", "/v2.1/servers/{id}"),
        ("/2009-04-04/meta-data/instance-id", "/2009-04-04/meta-data/*"),
        ("/latest/user-data", "/latest/user-data"),
        ("/openstack/latest/meta_data.json", "/openstack/latest/*"),
        ("/services/Cloud?AWSAccessKeyId=1", "/services/Cloud"),
        ("/v3/auth/tokens", "/v3/auth/tokens"),
        (f"/v2.0/ports/{ID}", "/v2.0/ports/{id}"),
        (f"/v2/images/{ID}/file", "/v2/images/{id}/file"),
        (f"/v3/{HEX}/volumes/detail", "/v3/volumes/detail"),
        (
            f"/placement/resource_providers/{ID}/allocations",
            "/placement/resource_providers/{id}/allocations",
        ),
        ("/v2.1/\x1b[31m", "unmatched"),
        ("/" + "a/" * 40, "unmatched"),
        ("/" + "a" * 2000, "unmatched"),
    ],
)  # fmt: skip
def test_the_route_of_a_path(path, route):
    """Version kept; mount, project, query string and ids gone."""
    assert route_of_path(path, 200) == route


def test_what_is_not_there_has_no_route():
    """Scanners do not make routes; an id that is gone is no scanner."""
    assert route_of_path("/wp-login.php", 404) == "unmatched"
    assert route_of_path("/v1/images", 400) == "/v1/images"
    assert route_of_path(f"/v2.1/servers/{ID}", 404) == "/v2.1/servers/{id}"


def test_the_route_of_a_record():
    """Placeholders have one name, as logs cannot tell them apart."""
    template = "/v2.1/servers/{server_id}/ips/{id}"

    assert route_of_record(template) == "/v2.1/servers/{id}/ips/{id}"
    assert route_of_record("/v2.1/") == "/v2.1"
    assert route_of_record("/") == "/"


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/servers/{id}/action", f"/servers/{ID}/action"),
        ("/servers/{server_id}/tags/{id}", f"/servers/{ID}/tags/blue"),
        ("/os-hypervisors/{id}/servers", "/os-hypervisors/node-1/servers"),
        ("/os-quota-sets/{id}/defaults", f"/os-quota-sets/{HEX}/defaults"),
        ("/os-floating-ip-dns/{domain_id}/entries/{id}",
         "/os-floating-ip-dns/example.org/entries/www"),
        ("/images/{image_id}/metadata", f"/images/{ID}/metadata"),
    ],
)  # fmt: skip
def test_logs_and_records_agree(template, path):
    """The same request is in the same row, whichever line it is read from."""
    from_log = route_of_path("/v2.1" + path, 200)

    assert from_log == route_of_record("/v2.1" + template)


def test_metadata():
    """The routes that --exclude metadata means."""
    assert is_metadata("/2009-04-04/meta-data/*")
    assert is_metadata("/openstack")
    assert not is_metadata("/v2.1/servers/{id}/metadata")
    assert not is_metadata("/openstackish")


def test_methods():
    """What HTTP has not is one method for all."""
    assert method_of("GET") == "GET"
    assert method_of("\x1b[31m") == "OTHER"


@given(st.text(max_size=300), st.integers(100, 599))
def test_any_path_has_a_printable_route(path, status):
    """Whatever clients ask for, a route is short and shows as it is."""
    route = route_of_path(path, status)

    assert route.isprintable()
    assert len(route) <= 1_000
