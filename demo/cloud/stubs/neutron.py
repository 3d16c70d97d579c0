# SPDX-License-Identifier: Apache-2.0
"""Process that answers for neutron: one network, and ports as nova makes them.

    python -m demo.cloud.stubs.neutron DELAY_MS

Ports are kept in memory. One that is bound to a host is active at once: nova's
fake driver plugs nothing, so no event comes of a port that is up.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from typing import Any

from demo import identity
from demo.cloud.stubs import answering
from demo.cloud.stubs.answering import Answer, Asked

_NETWORK_ID = "d3e00000-0000-4000-8000-000000000002"
_SUBNET_ID = "d3e00000-0000-4000-8000-000000000003"
_GROUP: dict[str, Any] = {
    "id": "d3e00000-0000-4000-8000-000000000001",
    "name": "default",
}
_NETWORK: dict[str, Any] = {
    "id": _NETWORK_ID,
    "name": "private",
    "tenant_id": identity.PROJECT_ID,
    "project_id": identity.PROJECT_ID,
    "admin_state_up": True,
    "status": "ACTIVE",
    "shared": False,
    "router:external": False,
    "port_security_enabled": True,
    "mtu": 1450,
    "subnets": [_SUBNET_ID],
    "provider:network_type": "vxlan",
    "provider:physical_network": None,
}
_SUBNET: dict[str, Any] = {
    "id": _SUBNET_ID,
    "name": "private",
    "network_id": _NETWORK_ID,
    "cidr": "10.0.0.0/16",
    "ip_version": 4,
    "gateway_ip": "10.0.0.1",
    "dns_nameservers": [],
    "host_routes": [],
    "enable_dhcp": False,
    "ipv6_address_mode": None,
    "ipv6_ra_mode": None,
}
# What nova asks ports by; other words of a query are no condition here.
_CONDITIONS = ("id", "device_id", "network_id", "mac_address")


class Neutron:
    """The ports, and what else a compute service asks for."""

    def __init__(self) -> None:
        self._ports: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(2)
        # Requests are answered in threads, side by side.
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        """Return what neutron answers."""
        if asked.words[0] == "ports":
            with self._lock:
                return self._answer_ports(asked)
        return Answer(200, _fixed(asked))

    def _answer_ports(self, asked: Asked) -> Answer:
        if asked.method == "POST":
            return Answer(201, {"port": self._new(asked.body["port"])})
        if len(asked.words) == 1:
            return Answer(200, {"ports": self._chosen(asked.query)})
        port = self._ports.get(asked.words[1])
        if port is None:
            raise answering.NotThereError("PortNotFound")
        if asked.method == "DELETE":
            del self._ports[port["id"]]
            return Answer(204, None)
        if asked.method == "PUT":
            port.update(asked.body["port"])
        return Answer(200, {"port": port})

    def _new(self, wanted: dict[str, Any]) -> dict[str, Any]:
        high, low = divmod(next(self._numbers) % 60_000, 250)
        fixed = {"subnet_id": _SUBNET_ID, "ip_address": f"10.0.{high}.{low}"}
        port = {
            "id": str(uuid.uuid4()),
            "name": "",
            "network_id": _NETWORK_ID,
            "project_id": identity.PROJECT_ID,
            "tenant_id": identity.PROJECT_ID,
            "device_id": "",
            "device_owner": "",
            "status": "ACTIVE",
            "admin_state_up": True,
            "mac_address": f"fa:16:3e:00:{high:02x}:{low:02x}",
            "fixed_ips": [fixed],
            "security_groups": [_GROUP["id"]],
            "binding:vnic_type": "normal",
            "binding:vif_type": "ovs",
            "binding:vif_details": {},
            "binding:profile": {},
            "port_security_enabled": True,
            "resource_request": None,
            **wanted,
        }
        self._ports[port["id"]] = port
        return port

    def _chosen(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        wanted = {name: query[name] for name in _CONDITIONS if name in query}
        return [
            port
            for port in self._ports.values()
            if all(port[name] in values for name, values in wanted.items())
        ]


def _fixed(asked: Asked) -> dict[str, Any]:
    """Return what never changes: a network, its subnet, a security group."""
    kind, name = asked.words[0], asked.words[-1]
    one = {"networks": _NETWORK, "subnets": _SUBNET, "security-groups": _GROUP}
    if kind == "quotas":
        return {"quota": {"port": -1, "network": -1, "security_group": -1}}
    if kind not in one:
        # No extensions, no floating addresses.
        return {kind: []}
    if len(asked.words) > 1:
        if name != one[kind]["id"]:
            raise answering.NotThereError(f"{kind} {name}")
        return {kind[:-1].replace("-", "_"): one[kind]}
    # nova asks for networks of the project, then for shared ones.
    others = any(
        asked.query.get(name) == ["True"]
        for name in ("shared", "router:external")
    )
    return {kind.replace("-", "_"): [] if others else [one[kind]]}


if __name__ == "__main__":
    answering.run(Neutron().answer)
