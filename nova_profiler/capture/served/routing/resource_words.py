# SPDX-License-Identifier: Apache-2.0
"""Words that name resources in the paths of OpenStack's APIs.

They keep their name in a learned route, whatever stands beside them.
"""

from __future__ import annotations

RESOURCE_WORDS = frozenset(
    # any API
    "action actions all default defaults detail details extensions "
    "healthcheck info limits metadata quotas root status summary tags usage "
    "usages validate version versions "
    # nova
    "consoles diagnostics flavors images ips keypairs migrations networks "
    "servers topology volumes "
    # neutron
    "address-groups address-scopes agents auto-allocated-topology "
    "availability_zones bgpvpns conntrack_helpers "
    "default-security-group-rules flavor-profiles floatingips local_ips log "
    "loggable-resources logs metering-label-rules metering-labels "
    "ndp_proxies network-ip-availabilities network_segment_ranges policies "
    "policy port_associations port_forwardings ports qos rbac-policies "
    "routers rule-types security-group-rules security-groups segments "
    "service-providers service_profiles sfc subnetpools subnets trunks vpn "
    # cinder, glance, manila
    "attachments backups cgsnapshots consistencygroups consumers encryption "
    "file group_snapshots group_types groups import members metadefs "
    "namespaces objects properties qos-specs resource_types scheduler-stats "
    "schemas services share-groups share-networks share-servers share-types "
    "shares snapshots stores tasks types volume-transfers worker-cleanup "
    # keystone
    "access_rules application_credentials auth catalog config credentials "
    "domains ec2tokens endpoint_groups endpoints grants identity_providers "
    "inherited_to_projects mappings oauth1 password projects protocols "
    "regions registered_limits role_assignments role_inferences roles "
    "system tokens trusts users "
    # placement
    "aggregates allocation_candidates allocations inventories reshaper "
    "resource_classes resource_providers traits "
    # ironic, octavia, designate, heat and others
    "alarms allocated amphorae availabilityzones chassis clusters "
    "clustertemplates conductors containers deploy_templates drivers events "
    "failover flavorprofiles health healthmonitors history inspection_rules "
    "l7policies l7rules lbaas listeners loadbalancers lookup management "
    "nameservers nodes orders outputs pools portgroups providers ptrs "
    "recordsets resources runbooks secrets service_statuses service_types "
    "shards software_configs software_deployments stacks states stats "
    "template tlds transfer_accepts transfer_requests vifs volume "
    "zones".split()
)
