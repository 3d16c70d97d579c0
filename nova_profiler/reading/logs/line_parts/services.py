# SPDX-License-Identifier: Apache-2.0
"""The service that wrote a line, by its logger, its unit or its file."""

from __future__ import annotations

import os
import re
from functools import lru_cache

UNKNOWN = "unknown"

# devstack's names of screens, units and files.
_DEVSTACK = {
    "c-api": "cinder-api",
    "c-bak": "cinder-backup",
    "c-sch": "cinder-scheduler",
    "c-vol": "cinder-volume",
    "g-api": "glance-api",
    "g-reg": "glance-registry",
    "h-api": "heat-api",
    "h-eng": "heat-engine",
    "key": "keystone",
    "n-api": "nova-api",
    "n-api-meta": "nova-metadata",
    "n-cond": "nova-conductor",
    "n-cpu": "nova-compute",
    "n-net": "nova-network",
    "n-sch": "nova-scheduler",
    "n-super-cond": "nova-conductor",
    "placement-api": "placement",
    "q-svc": "neutron-server",
}
# By project, the service that answers requests.
_APIS = {
    "cinder": "cinder-api",
    "glance": "glance-api",
    "heat": "heat-api",
    "ironic": "ironic-api",
    "keystone": "keystone",
    "manila": "manila-api",
    "neutron": "neutron-server",
    "nova": "nova-api",
    "octavia": "octavia-api",
    "placement": "placement",
}
_ENDINGS = re.compile(
    r"(?:\.(?:log|txt|json|jsonl|gz|bz2|xz|zst|old|service|\d+)"
    r"|[._-]\d{4}-?\d\d-?\d\d[\w:.-]*|-cell\d+|@\S*)\Z"
)
_BEGINNINGS = re.compile(r"(?:screen-|devstack@)")
# As file systems have it; a name in JSON may be of any length.
_LONGEST_NAME = 255
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}\Z")


def service_of_logger(logger: str) -> str | None:
    """Return the service that answers requests and logs as *logger*."""
    if "metadata" in logger and logger.startswith("nova."):
        return "nova-metadata"
    return _APIS.get(logger.partition(".")[0])


@lru_cache(4096)
def service_of_unit(unit: str) -> str | None:
    """Return the service of a unit such as ``devstack@n-api.service``."""
    return _service_of_name(unit)


@lru_cache(4096)
def service_of_file(name: str) -> str | None:
    """Return the service whose log is called *name*.

    ``/var/log/nova/nova-api.log.1.gz`` and ``screen-n-api.txt`` are both
    of ``nova-api``.
    """
    return _service_of_name(os.path.basename(name))


def _service_of_name(name: str) -> str | None:
    if len(name) > _LONGEST_NAME:
        return None
    name = _BEGINNINGS.sub("", name, count=1)
    # A name has few endings; the limit ends a hostile one.
    for _ in range(8):
        shorter = _ENDINGS.sub("", name)
        if shorter == name:
            break
        name = shorter
    if not _PLAIN.match(name):
        return None
    return _DEVSTACK.get(name, name)
