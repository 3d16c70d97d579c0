# SPDX-License-Identifier: Apache-2.0
"""Routes of other services, of words that stand in public API references.

What a path holds beside these words may be an id, a name that a user gave,
or a secret: it becomes ``{id}``. So no text of a user's is in a route, and
there are not many of them.
"""

from __future__ import annotations

from nova_profiler.routes import ID

MOST_PARTS = 12

_VERSIONS = "v1 v1.0 v1.1 v1.4 v2 v2.0 v2.1 v3 v4"
# Where the API of a service begins, and what several have.
_PREFIXES = (
    "accelerator baremetal compute dns identity image key-manager "
    "load-balancer network object-store orchestration placement share volume"
)
_COMMON = (
    "action actions default defaults detail extensions limits metadata quotas "
    "services stats status summary system tags tasks types usage usages"
)
_BY_SERVICE = (
    # Placement.
    "aggregates allocation_candidates allocations inventories reshaper "
    "resource_classes resource_providers traits",
    # Neutron.
    "address-groups address-scopes agents auto-allocated-topology "
    "availability_zones bandwidth_limit_rules bgp-peers bgp-speakers bgpvpn "
    "bgpvpns bindings activate add_router_interface remove_router_interface "
    "dhcp-agents dhcp-networks dscp_marking_rules endpoint-groups "
    "firewall_groups firewall_policies firewall_rules flavors floatingips "
    "fwaas l3-agents l3-routers local_ips logs metering "
    "metering-label-rules metering-labels minimum_bandwidth_rules "
    "minimum_packet_rate_rules network-ip-availabilities "
    "network_segment_ranges networks policies port_forwardings ports qos "
    "rbac-policies routers rule-types security-group-rules security-groups "
    "segments service-providers service_profiles sfc subnetpools subnets "
    "add_subports remove_subports get_subports trunks vpn vpnservices",
    # Glance.
    "cache deactivate reactivate export_locations file images import info "
    "locations members metadefs namespaces properties resource_types schemas "
    "stage stores",
    # Cinder.
    "attachments backups cgsnapshots clusters consistencygroups encryption "
    "group_snapshots group_types groups messages os-availability-zone "
    "os-quota-class-sets os-quota-sets os-services os-volume-transfer "
    "qos-specs scheduler-stats snapshots volume-transfers volumes",
    # Keystone.
    "OS-EP-FILTER OS-FEDERATION OS-INHERIT OS-OAUTH1 OS-OAUTH2 OS-SIMPLE-CERT "
    "OS-TRUST access_rules access_token application_credentials auth catalog "
    "credentials domains ec2tokens endpoints identity_providers mappings "
    "mapping model project_id projects protocols regions registered_limits "
    "role_assignments role_inferences roles s3tokens saml2 service_providers "
    "tenants token tokens trusts users websso",
    # Ironic.
    "allocation bios boot_device chassis conductors connectors console "
    "deploy_templates drivers events firmware history indicators inject_nmi "
    "inventory lookup heartbeat maintenance management nodes passthru "
    "portgroups ports power provision raid runbooks states supported targets "
    "validate vendor_passthru vifs volume",
    # Cyborg, Manila, Barbican.
    "accelerator_requests attributes deployables device_profiles devices "
    "access_rules resource-locks share-access-rules share-groups "
    "share-networks share-servers share_instances shares consumers "
    "containers orders payload secrets acl",
    # Nova, Octavia, Heat, Designate.
    "flavors flavor-access os-extra_specs os-aggregates os-cells "
    "os-hypervisors os-instance-actions os-interface os-keypairs "
    "os-migrations os-security-groups os-server-external-events "
    "os-server-groups os-simple-tenant-usage os-volume_attachments "
    "remote-consoles servers tags topology amphorae healthmonitors lbaas "
    "listeners loadbalancers octavia pools l7policies rules providers "
    "resources stacks template outputs nameservers recordsets zones",
    # Metadata of instances.
    "latest meta-data meta_data.json network_data.json openstack user-data "
    "user_data vendor_data.json vendor_data2.json",
)
WORDS = frozenset(
    " ".join((_VERSIONS, _PREFIXES, _COMMON, *_BY_SERVICE)).split()
)


def parts_of(url: str) -> tuple[str, str]:
    """Return the authority of *url* and the route of its path.

    The route is of known words. The authority is empty where there is none.
    """
    # Each step that is not needed is a tenth of it all.
    if "?" in url:
        url = url.partition("?")[0]
    if "#" in url:
        url = url.partition("#")[0]
    scheme, mark, rest = url.partition("//")
    if not mark or "/" in scheme:
        # A path alone.
        rest = url
    authority, *parts = rest.split("/", MOST_PARTS + 1)
    if len(parts) > MOST_PARTS:
        parts[MOST_PARTS:] = [ID]
    words = [part if part in WORDS else _other(part) for part in parts if part]
    return authority, "/" + "/".join(words)


def host_of(authority: str) -> str:
    """Return the host of *authority*, without port and user."""
    host = authority.rpartition("@")[2]
    if host[:1] == "[":
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _other(part: str) -> str:
    bare = part.removesuffix(".json")
    return bare if bare in WORDS else ID
