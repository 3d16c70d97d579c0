# SPDX-License-Identifier: Apache-2.0
"""A request's route from its path: the name that nova's router would give.

A log has only the path. Words of nova's API stay, all others become
``{id}``; in paths of other services the parts that look like ids do.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nova_profiler.routes import (
    ID,
    ID_FORMS,
    METHODS,
    OTHER_METHOD,
    PLAIN_PART,
    UNMATCHED,
    metadata_route_of,
)

# What may follow a version (and a project) in nova's paths.
_COLLECTIONS = frozenset(
    """
    extensions flavors images limits os-agents os-aggregates
    os-assisted-volume-snapshots os-availability-zone os-baremetal-nodes
    os-cells os-certificates os-cloudpipe os-console-auth-tokens
    os-fixed-ips os-floating-ip-dns os-floating-ip-pools os-floating-ips
    os-floating-ips-bulk os-fping os-hosts os-hypervisors
    os-instance_usage_audit_log os-keypairs os-migrations os-networks
    os-quota-class-sets os-quota-sets os-security-group-default-rules
    os-security-group-rules os-security-groups os-server-external-events
    os-server-groups os-services os-simple-tenant-usage os-snapshots
    os-tenant-networks os-volumes os-volumes_boot servers
    """.split()
)
_WORDS = _COLLECTIONS | frozenset(
    """
    action add capacities consoles defaults detail diagnostics entries info
    ips metadata migrations os-extra_specs os-flavor-access
    os-instance-actions os-interface os-server-password
    os-virtual-interfaces os-volume_attachments reboot remote-consoles
    search shares shutdown startup statistics sync_instances tags topology
    uptime file members
    """.split()
)
# The same of the other services: collections, and words that may follow.
_OTHER_COLLECTIONS = frozenset(
    """
    address-groups address-scopes agents allocation_candidates allocations
    amphorae attachments auto-allocated-topology availability_zones backups
    cgsnapshots chassis clusters consistencygroups credentials domains drivers
    endpoints floatingips group_snapshots group_types groups healthmonitors
    ikepolicies l7policies listeners loadbalancers local-ips logs messages
    metering-labels namespaces network-ip-availabilities networks nodes
    os-volume-transfer policies pools portgroups ports projects qos-specs
    quotas rbac-policies recordsets regions resource_classes resource_providers
    roles router-interfaces routers secrets security-group-rules
    security-groups segments service_profiles services share_networks shares
    snapshots stacks subnetpools subnets tasks tenants traits trunks types
    users volume-transfers volume_types volumes workers zones
    """.split()
)
# What may stand before a collection: a part of an API.
_AREAS = frozenset("fwaas lbaas metadefs octavia qos vpn".split())
_WITHOUT_VERSION = frozenset(
    "allocation_candidates allocations resource_classes resource_providers "
    "traits".split()
)
_OTHER_WORDS = frozenset(
    """
    accept action add_router_interface add_extraroutes aggregates aggregate
    bandwidth_limit_rules config default default_subnetpools detail details
    dhcp-agents dhcp-networks encryption events export_record extensions
    extra_specs failover get_pools import_record inventories l3-agents
    l3-routers metadata os-volume-type-access port_forwardings preview
    provision remove_extraroutes remove_router_interface resources restore
    reset_status share-types states status summary tags template traits usages
    validate vifs
    """.split()
)
_NOVA_VERSIONS = frozenset(["v1.1", "v2", "v2.1", "v3"])

_UUID = re.compile(
    r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?"
    r"[0-9a-fA-F]{12}(?![^/?#])"
)
_ID = re.compile(rf"{ID_FORMS}|{re.escape(ID)}")
_VERSION = re.compile(r"v\d{1,2}(?:\.\d{1,3})?")
_NAMED = re.compile(r"\{[^{}/]*\}")
_MOST_PARTS = 12
_LONGEST = 1_000
# Where an application may be mounted: /compute, /api/compute.
_DEEPEST_MOUNT = 4
# Answers to what is not there.
_NOT_THERE = frozenset([404, 414, 501])


def method_of(text: str) -> str:
    """Return *text* if it is a method of HTTP, ``OTHER`` if it is not."""
    return text if text in METHODS else OTHER_METHOD


def route_of_path(path: str, status: int) -> str:
    """Return the route of a request for *path*: ``/v2.1/servers/{id}``.

    Without query string, mount point and project. A path that a client made
    up is ``unmatched``: the status is 404 or the like.
    """
    # A query may name hundreds of ports, and says nothing about the route.
    path = path.partition("?")[0]
    if len(path) > _LONGEST:
        return UNMATCHED
    # Before the cache, which so holds one route for all servers.
    route, is_guess = _route_of(_UUID.sub(ID, path))
    if is_guess and status in _NOT_THERE:
        return UNMATCHED
    return route


def route_of_record(route: str) -> str:
    """Return the route of a record, every placeholder as ``{id}``."""
    return _NAMED.sub(ID, route).rstrip("/") or "/"


def is_metadata(route: str) -> bool:
    """Return whether *route* is one of the metadata API."""
    return _METADATA_ROUTE.match(route) is not None


_METADATA_ROUTE = re.compile(
    r"/(?:1\.0|\d{4}-\d\d-\d\d|latest|openstack)(?:/|\Z)"
)


@lru_cache(8192)
def _route_of(path: str) -> tuple[str, bool]:
    """Return the route, and whether it is a guess."""
    if "://" in path:
        # A client asks a proxy for the whole URL.
        path = "/" + path.partition("://")[2].partition("/")[2]
    parts = [part for part in path.partition("#")[0].split("/") if part]
    if len(parts) > _MOST_PARTS:
        return UNMATCHED, False
    place = _version_at(parts)
    if place is not None:
        return _versioned(parts[place], parts[place + 1 :])
    if _METADATA_ROUTE.match(path):
        known = metadata_route_of(path)
        if known is not None:
            return known, False
    # placement has no version, and may have a mount point.
    for place, part in enumerate(parts[:2]):
        if part in _WITHOUT_VERSION:
            return _of_others(parts, place)
    return _guessed(parts), bool(parts)


def _version_at(parts: list[str]) -> int | None:
    for place, part in enumerate(parts[: _DEEPEST_MOUNT + 1]):
        if _VERSION.fullmatch(part):
            return place
        if not PLAIN_PART.fullmatch(part):
            return None
    return None


def _versioned(version: str, parts: list[str]) -> tuple[str, bool]:
    if parts and parts[-1].endswith(".json"):
        parts[-1] = parts[-1].removesuffix(".json")
    if _has_project(parts):
        parts = parts[1:]
    if version in _NOVA_VERSIONS and (not parts or parts[0] in _COLLECTIONS):
        named = [part if part in _WORDS else ID for part in parts]
        return "/" + "/".join([version, *named]), False
    return _of_others([version, *parts], 1)


def _of_others(parts: list[str], first: int) -> tuple[str, bool]:
    """Return the route of a path of another service than nova.

    *first* is the place of its collection, which may have a part of the API
    before it. What follows a collection is an id or a name, whether it is
    there or not.
    """
    if len(parts) > first + 1 and parts[first] in _AREAS:
        first += 1
    if len(parts) <= first or parts[first] not in _OTHER_COLLECTIONS:
        return _guessed(parts), bool(parts)
    named = parts[:first]
    is_collection = False
    for part in parts[first:]:
        is_word = part in _OTHER_WORDS or (
            part in _OTHER_COLLECTIONS and not is_collection
        )
        is_name = not is_word and (
            is_collection
            or _ID.fullmatch(part) is not None
            or not PLAIN_PART.fullmatch(part)
        )
        named.append(ID if is_name else part)
        is_collection = part in _OTHER_COLLECTIONS
    return "/" + "/".join(named), False


def _has_project(parts: list[str]) -> bool:
    if not parts or parts[0] in _WORDS:
        return False
    if len(parts) > 1 and parts[1] in _COLLECTIONS:
        return True
    return parts[0] == ID


def _guessed(parts: list[str]) -> str:
    named = []
    for part in parts:
        if _ID.fullmatch(part):
            named.append(ID)
        elif PLAIN_PART.fullmatch(part):
            named.append(part)
        else:
            return UNMATCHED
    return "/" + "/".join(named)
