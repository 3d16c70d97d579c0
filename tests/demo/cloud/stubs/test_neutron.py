# SPDX-License-Identifier: Apache-2.0
"""The stub of neutron, asked as nova asks."""

from __future__ import annotations

from typing import Any

import pytest

from demo.cloud.stubs.answering import Asked, NotThereError
from demo.cloud.stubs.neutron import Neutron


@pytest.fixture
def neutron() -> Neutron:
    return Neutron()


def ask(
    neutron: Neutron,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    **query: str,
) -> Any:
    words = path.split("/")
    lists = {name.replace("__", ":"): [value] for name, value in query.items()}
    return neutron.answer(Asked(method, words, lists, {}, body or {})).body


def new_port(neutron: Neutron, **fields: str) -> dict[str, Any]:
    body = {"port": {"device_id": "server1", **fields}}
    made: dict[str, Any] = ask(neutron, "POST", "ports", body)["port"]
    return made


def test_a_port_is_there_until_it_is_deleted(neutron):
    """It has what nova gave it, and an address of its own."""
    one, other = new_port(neutron), new_port(neutron, device_id="server2")

    assert ask(neutron, "GET", "ports", device_id="server1") == {
        "ports": [one]
    }
    assert one["fixed_ips"] != other["fixed_ips"]
    assert one["mac_address"] != other["mac_address"]

    ask(neutron, "DELETE", f"ports/{one['id']}")
    with pytest.raises(NotThereError, match="PortNotFound"):
        ask(neutron, "GET", f"ports/{one['id']}")


def test_a_port_takes_what_nova_binds_it_to(neutron):
    """And is active at once: no event comes."""
    one = new_port(neutron)
    host = {"port": {"binding:host_id": "demo-compute"}}

    ask(neutron, "PUT", f"ports/{one['id']}", host)

    port = ask(neutron, "GET", f"ports/{one['id']}")["port"]
    assert (port["binding:host_id"], port["status"]) == (
        "demo-compute",
        "ACTIVE",
    )


def test_there_is_one_network_of_the_project(neutron):
    """nova takes it for a server that names none."""
    (network,) = ask(neutron, "GET", "networks", shared="False")["networks"]

    assert ask(neutron, "GET", "networks", shared="True") == {"networks": []}
    assert ask(neutron, "GET", "networks", router__external="True") == {
        "networks": []
    }
    (subnet,) = ask(neutron, "GET", "subnets")["subnets"]
    assert subnet["network_id"] == network["id"]
    assert ask(neutron, "GET", f"networks/{network['id']}") == {
        "network": network
    }


def test_what_there_is_none_of_is_an_empty_list(neutron):
    """Extensions and floating addresses."""
    assert ask(neutron, "GET", "extensions") == {"extensions": []}
    assert ask(neutron, "GET", "floatingips") == {"floatingips": []}
    with pytest.raises(NotThereError, match="networks other"):
        ask(neutron, "GET", "networks/other")
