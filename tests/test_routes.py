# SPDX-License-Identifier: Apache-2.0
"""Routes as both wings write them."""

from __future__ import annotations

import pytest

from nova_profiler.routes import metadata_route_of, metric_name, shape_of


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("/v2.1/servers/{id}/action", "v2_1_servers_id_action"),
        ("/", "root"),
        ("/v2.1/os-keypairs", "v2_1_os-keypairs"),
        ("/latest/meta-data/*", "latest_meta-data"),
        ("ä:|#@\n", "root"),
    ],
)
def test_a_metric_name_is_plain(route, name):
    """Letters, digits, _ and - only."""
    assert metric_name(route) == name


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v2.1/servers/17", "/v2.1/servers/{id}"),
        ("/v2.1/servers/", "/v2.1/servers"),
        ("", "/"),
        ("/a" * 13, None),
        ("/" + "x" * 512, None),
        ("/\xe4", None),
    ],
)
def test_a_shape_has_no_ids(path, shape):
    """What no route can look like has no shape."""
    assert shape_of(path) == shape


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/latest/meta-data/hostname", "/latest/meta-data/*"),
        ("/2009-04-04/user-data", "/2009-04-04/user-data"),
        ("/openstack/latest/vendor_data.json", "/openstack/latest/*"),
        ("/2009-04-05/meta-data", None),
        ("/v2.1/servers", None),
    ],
)
def test_the_metadata_api_has_routes_of_its_own(path, route):
    """Its versions are a fixed set, so a client adds no route."""
    assert metadata_route_of(path) == route
