# SPDX-License-Identifier: Apache-2.0
"""The names that packages, containers and units have for a service.

One table: a project, the words after its name, the service. A new packaging
is a row, or a word of ``NOISE``.
"""

from __future__ import annotations

import re

from nova_profiler import projects

# devstack's names of screens, units and files.
DEVSTACK = {
    "b-api": "barbican-api",
    "c-api": "cinder-api",
    "c-bak": "cinder-backup",
    "c-sch": "cinder-scheduler",
    "c-vol": "cinder-volume",
    "dgr-api": "designate-api",
    "designate-api": "designate-api",
    "g-api": "glance-api",
    "g-reg": "glance-registry",
    "h-api": "heat-api",
    "h-api-cfn": "heat-api-cfn",
    "h-eng": "heat-engine",
    "ir-api": "ironic-api",
    "ir-cond": "ironic-conductor",
    "key": "keystone",
    "m-api": "manila-api",
    "m-dat": "manila-data",
    "m-sch": "manila-scheduler",
    "m-shr": "manila-share",
    "n-api": "nova-api",
    "n-api-meta": "nova-metadata",
    "n-cond": "nova-conductor",
    "n-cpu": "nova-compute",
    "n-net": "nova-network",
    "n-novnc": "nova-novncproxy",
    "n-sch": "nova-scheduler",
    "n-super-cond": "nova-conductor",
    "o-api": "octavia-api",
    "o-cw": "octavia-worker",
    "o-hk": "octavia-housekeeping",
    "o-hm": "octavia-health-manager",
    # TripleO's and RHOSO's name, without the project's.
    "ovn-metadata-agent": "neutron-ovn-metadata-agent",
    "placement-api": "placement",
    "q-agt": "neutron-openvswitch-agent",
    "q-dhcp": "neutron-dhcp-agent",
    "q-l3": "neutron-l3-agent",
    "q-meta": "neutron-metadata-agent",
    "q-ovn-agent": "neutron-ovn-agent",
    "q-ovn-metadata-agent": "neutron-ovn-metadata-agent",
    "q-svc": "neutron-server",
}
# By project, the service that answers requests.
APIS = {project.name: project.service for project in projects.PROJECTS}
# By project, the words after its name that name a service of its own; None
# for the service that answers requests. Of two that fit the first holds.
_SAME = None
ROLES: dict[str, dict[str, str | None]] = {
    "cinder": dict.fromkeys(["api", "wsgi"], _SAME)
    | {one: f"cinder-{one}" for one in ("scheduler", "volume", "backup")},
    "glance": {"registry": "glance-registry"}
    | dict.fromkeys(["api", "wsgi", "single"], _SAME),
    "heat": {
        "api-cfn": "heat-api-cfn",
        "cfn": "heat-api-cfn",
        "cfnapi": "heat-api-cfn",
        "engine": "heat-engine",
        "api": _SAME,
    },
    "ironic": {
        "conductor": "ironic-conductor",
        "inspector": "ironic-inspector",
        "api": _SAME,
    },
    "keystone": dict.fromkeys(
        ["api", "public", "main", "admin", "keystone"], _SAME
    ),
    "manila": dict.fromkeys(["api", "wsgi"], _SAME)
    | {one: f"manila-{one}" for one in ("scheduler", "share", "data")},
    "neutron": {
        **{
            f"{one}-agent": f"neutron-{one}-agent"
            for one in (
                "ovn-metadata",
                "metadata",
                "dhcp",
                "l3",
                "openvswitch",
                "linuxbridge",
                "ovn",
                "ovs",
                "sriov-nic",
                "sriov",
                "metering",
            )
        },
        "rpc-server": "neutron-rpc-server",
        "server": _SAME,
        "api": _SAME,
        "httpd": _SAME,
    },
    "nova": {
        "api-metadata": "nova-metadata",
        "metadata": "nova-metadata",
        "api-meta": "nova-metadata",
        "placement": "placement",
        "novncproxy": "nova-novncproxy",
        "spicehtml5proxy": "nova-spicehtml5proxy",
        "serialproxy": "nova-serialproxy",
        "consoleauth": "nova-consoleauth",
        "conductor": "nova-conductor",
        "scheduler": "nova-scheduler",
        "network": "nova-network",
        "cert": "nova-cert",
        "compute": "nova-compute",
        "libvirt": "nova-libvirt",
        "osapi": _SAME,
        "api": _SAME,
    },
    "octavia": {
        "worker": "octavia-worker",
        "housekeeping": "octavia-housekeeping",
        "health-manager": "octavia-health-manager",
        "driver-agent": "octavia-driver-agent",
        "api": _SAME,
    },
    "placement": {"api": _SAME, "placement": _SAME, "wsgi": _SAME},
    "swift": {"proxy": _SAME},
}
# `nova-api-os-compute` answers requests, for all that its name ends with.
ALIASES = (("api-os-compute", "api"), ("osapi-compute", "api"))
# What stands in front of a name, by devstack, RPM, TripleO, kolla, RHOSO.
BEFORE = re.compile(
    r"(?:screen-|devstack@|openstack[-_]|tripleo[-_]|edpm[-_]|kolla-"
    r"|docker[-_]|podman-|k8s_)"
)
# Words that leave a name to the service that answers requests.
FRONT_WORDS = frozenset(
    (
        "access admin apache apache2 back backend error external front "
        "frontend httpd internal log logs public ssl uwsgi wsgi"
    ).split()
)
PROJECTS = frozenset([*APIS])

# By the begin of a logger, the service whose own code logs so; the longest
# first. Code of nova.compute.api and cinder.volume.api runs in the API.
LOGGERS = (
    ("cinder.api", "cinder-api"),
    ("cinder.backup.manager", "cinder-backup"),
    ("cinder.scheduler.rpcapi", None),
    ("cinder.scheduler", "cinder-scheduler"),
    ("cinder.volume.api", "cinder-api"),
    ("cinder.volume.drivers", "cinder-volume"),
    ("cinder.volume.flows.api", "cinder-api"),
    ("cinder.volume.flows.manager", "cinder-volume"),
    ("cinder.volume.manager", "cinder-volume"),
    ("glance", "glance-api"),
    ("heat.api", "heat-api"),
    ("heat.engine", "heat-engine"),
    ("keystone", "keystone"),
    ("manila.api", "manila-api"),
    ("manila.scheduler.manager", "manila-scheduler"),
    ("manila.share.manager", "manila-share"),
    ("neutron.agent.dhcp", "neutron-dhcp-agent"),
    ("neutron.agent.l3", "neutron-l3-agent"),
    ("neutron.agent.metadata", "neutron-metadata-agent"),
    ("neutron.agent.ovn.metadata", "neutron-ovn-metadata-agent"),
    (
        "neutron.plugins.ml2.drivers.openvswitch.agent",
        "neutron-openvswitch-agent",
    ),
    ("neutron.agent", None),
    ("neutron", "neutron-server"),
    ("nova.api.metadata", "nova-metadata"),
    ("nova.api", "nova-api"),
    ("nova.compute.claims", "nova-compute"),
    ("nova.compute.manager", "nova-compute"),
    ("nova.compute.resource_tracker", "nova-compute"),
    ("nova.conductor", "nova-conductor"),
    ("nova.metadata", "nova-metadata"),
    ("nova.osapi_compute", "nova-api"),
    ("nova.scheduler.host_manager", "nova-scheduler"),
    ("nova.scheduler.manager", "nova-scheduler"),
    ("nova.virt", "nova-compute"),
    ("placement", "placement"),
)
