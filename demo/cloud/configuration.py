# SPDX-License-Identifier: Apache-2.0
"""The files that the cloud's services read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from demo.server import configuration

HOST = "demo-compute"
PLACEMENT_LOG = "placement-api.log"
DROP_INS = "nova.conf.d"


class Neighbours(NamedTuple):
    """Where nova finds what it works with."""

    databases: Mapping[str, str]
    transport_url: str
    keystone_url: str
    neutron_url: str
    glance_url: str


def write_placement(
    directory: Path,
    neighbours: Neighbours,
    profiler: Mapping[str, str] | None,
) -> None:
    """Write placement.conf into *directory*."""
    groups = {
        "DEFAULT": {"log_file": str(directory / PLACEMENT_LOG)},
        "placement_database": {
            "connection": neighbours.databases["placement"]
        },
        "keystone_authtoken": _authtoken(neighbours.keystone_url),
        "nova_profiler": profiler or {},
    }
    (directory / "placement.conf").write_text(configuration.conf_text(groups))


def write_nova(
    directory: Path,
    neighbours: Neighbours,
    placement_url: str,
    profiler: Mapping[str, str] | None,
) -> None:
    """Write nova.conf, api-paste.ini and the folder of drop-in files.

    *profiler* are the options of [nova_profiler]; None leaves the profiler
    out of all services.
    """
    groups = _nova(directory, neighbours, placement_url)
    (directory / "nova.conf").write_text(configuration.conf_text(groups))
    paste = configuration.nova_paste().read_text()
    drop_ins = directory / DROP_INS
    drop_ins.mkdir()
    if profiler is not None:
        paste = configuration.with_profiler(paste)
        (drop_ins / configuration.DROP_IN).write_text(drop_in(profiler))
    (directory / "api-paste.ini").write_text(paste)


def drop_in(profiler: Mapping[str, str]) -> str:
    """Return the one file that switches the profiler on in a service."""
    return configuration.conf_text(
        {
            "oslo_messaging_notifications": {"driver": "nova_profiler"},
            "nova_profiler": profiler,
        }
    )


def _nova(
    directory: Path, neighbours: Neighbours, placement_url: str
) -> dict[str, Mapping[str, str]]:
    service = _service_user(neighbours.keystone_url)
    return {
        "DEFAULT": {
            "host": HOST,
            "my_ip": "127.0.0.1",
            "state_path": str(directory),
            "compute_driver": "fake.FakeDriver",
            "transport_url": neighbours.transport_url,
        },
        "api_database": {"connection": neighbours.databases["api"]},
        "database": {"connection": neighbours.databases["cell1"]},
        "oslo_concurrency": {"lock_path": str(directory / "locks")},
        "keystone_authtoken": _authtoken(neighbours.keystone_url),
        "placement": {**service, "endpoint_override": placement_url},
        "neutron": {**service, "endpoint_override": neighbours.neutron_url},
        "glance": {"api_servers": neighbours.glance_url},
        # One process each: a small machine has room for one cloud.
        "conductor": {"workers": "1"},
        "scheduler": {"workers": "1"},
        "vnc": {"enabled": "false"},
        "quota": dict.fromkeys(("instances", "cores", "ram"), "-1"),
        "cache": {"enabled": "false"},
    }


def _service_user(keystone_url: str) -> dict[str, str]:
    """Return how a service gets a token of its own."""
    return {
        "auth_type": "v3password",
        "auth_url": keystone_url,
        "username": "nova",
        "password": "demo",
        "user_domain_id": "default",
        "project_name": "service",
        "project_domain_id": "default",
    }


def _authtoken(keystone_url: str) -> dict[str, str]:
    """Return the options of keystonemiddleware, which checks tokens."""
    return {
        **_service_user(keystone_url),
        "www_authenticate_uri": keystone_url,
        "auth_version": "v3",
        "service_token_roles": "service",
        "service_token_roles_required": "true",
    }
