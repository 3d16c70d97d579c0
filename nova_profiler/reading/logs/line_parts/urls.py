# SPDX-License-Identifier: Apache-2.0
"""The service that a client's URL leads to."""

from __future__ import annotations

import re
from functools import lru_cache

from nova_profiler.reading.logs.line_parts.services import (
    UNKNOWN,
    service_named_in,
)

_URL = re.compile(
    r"https?://(?P<host>\[[^\]/]{1,60}\]|[^\s/:?#]{1,255})"
    r"(?::(?P<port>\d{1,5}))?(?:/(?P<mount>[^/?#\s]{0,60}))?"
)
# The ports that installation guides give.
_PORTS = {
    "5000": "keystone",
    "35357": "keystone",
    "6385": "ironic-api",
    "8004": "heat-api",
    "8774": "nova-api",
    "8775": "nova-metadata",
    "8776": "cinder-api",
    "8778": "placement",
    "8786": "manila-api",
    "9292": "glance-api",
    "9311": "barbican-api",
    "9511": "magnum-api",
    "9696": "neutron-server",
    "9876": "octavia-api",
}
# devstack's mount points.
_MOUNTS = {
    "baremetal": "ironic-api",
    "compute": "nova-api",
    "identity": "keystone",
    "image": "glance-api",
    "load-balancer": "octavia-api",
    "network": "neutron-server",
    "networking": "neutron-server",
    "placement": "placement",
    "share": "manila-api",
    "volume": "cinder-api",
}


def service_of_url(url: str) -> str:
    """Return the service that *url* leads to, by port, mount point or host."""
    found = _URL.match(url)
    if found is None:
        return UNKNOWN
    return _service_of(
        found["host"], found["port"] or "", found["mount"] or ""
    )


@lru_cache(1024)
def _service_of(host: str, port: str, mount: str) -> str:
    return (
        _PORTS.get(port)
        or _MOUNTS.get(mount)
        or service_named_in(host.partition(".")[0])
        or UNKNOWN
    )
