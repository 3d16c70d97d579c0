# SPDX-License-Identifier: Apache-2.0
"""The services that are tried, in this order."""

from __future__ import annotations

from tests.other_services.services import (
    cinder,
    glance,
    ironic,
    keystone,
    neutron,
    placement,
)

SERVICES = {
    module.SERVICE.name: module.SERVICE
    for module in (placement, keystone, glance, cinder, neutron, ironic)
}
