# SPDX-License-Identifier: Apache-2.0
"""Which service a request to another one went to, and how."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from nova_profiler.groups import HTTP, IDENTITY

# The project that answers for a type of service.
PROJECTS = {
    "accelerator": "cyborg",
    "baremetal": "ironic",
    "block-storage": "cinder",
    "compute": "nova",
    "identity": "keystone",
    "image": "glance",
    "network": "neutron",
    "shared-file-system": "manila",
    "volume": "cinder",
    "volumev2": "cinder",
    "volumev3": "cinder",
}
# They change nothing, so that their order is free.
_READS = ("GET", "HEAD")


class Called(Protocol):
    """A call of whatever form, by its group and its name."""

    @property
    def group(self) -> str:
        """Return the group that it is timed in."""

    @property
    def name(self) -> str:
        """Return its name within the group."""


class FarRequest(NamedTuple):
    """The parts of a name such as ``network GET /v2.0/ports``."""

    service: str
    verb: str
    route: str

    @property
    def what(self) -> str:
        """Return what was asked: the verb and the route."""
        return f"{self.verb} {self.route}"

    @property
    def is_read(self) -> bool:
        """Return whether it changes nothing over there."""
        return self.verb in _READS


def far_request(call: Called) -> FarRequest | None:
    """Return what *call* asked which service; None if that is not known."""
    words = call.name.split(" ")
    if call.group == IDENTITY.name:
        words.insert(0, "identity")
    elif call.group != HTTP.name:
        return None
    return FarRequest(*words) if len(words) == 3 else None


def project_of(service: str) -> str:
    """Return the project of a type of service, or the type itself."""
    return PROJECTS.get(service, service)
