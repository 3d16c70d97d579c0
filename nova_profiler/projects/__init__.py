# SPDX-License-Identifier: Apache-2.0
"""What is known of OpenStack's projects besides nova, one row each.

Both wings read it: the filter for its defaults, ``check`` for what it prints,
the readers of logs for the names of services.
"""

from __future__ import annotations

from typing import NamedTuple

NOVA = "nova"
# Where the DB API of nova is, in its releases.
NOVA_DB_API = ("nova.db.main.api", "nova.db.sqlalchemy.api")


class Project(NamedTuple):
    """One project: its package, and the service that answers requests."""

    # Of its package, and of its configuration files.
    name: str
    service: str
    # What has its DB API, if it has one: modules, or module:Class.
    db_api: tuple[str, ...] = ()
    # What names its routes, as `check` prints it.
    router: str = ""
    # Whether PasteDeploy loads its API; else what nova_profiler.wsgi wraps.
    has_paste: bool = True
    application: str = ""
    # The environment variable with the folder of its configuration file, and
    # whether that is not read into oslo.config's global configuration.
    folder_variable: str = ""
    has_own_conf: bool = False
    # The releases with which `make other-services` was run.
    tried: tuple[int, ...] = ()
    # Its distribution, where that is not called as its package is.
    distribution: str = ""


_ROUTES = "Routes"
_PECAN = "pecan, which leaves no template: ids become {id}"
PROJECTS = (
    Project("barbican", "barbican-api", router=_PECAN),
    Project(
        "cinder",
        "cinder-api",
        db_api=("cinder.db.api",),
        router=_ROUTES,
        tried=(29,),
    ),
    Project("designate", "designate-api", router=_PECAN),
    Project(
        "glance",
        "glance-api",
        db_api=("glance.db.sqlalchemy.api",),
        router=_ROUTES,
        tried=(33,),
    ),
    Project("heat", "heat-api", db_api=("heat.db.api",), router=_ROUTES),
    Project(
        "ironic",
        "ironic-api",
        db_api=("ironic.db.sqlalchemy.api:Connection",),
        router=_PECAN,
        has_paste=False,
        application="ironic.wsgi.api:application",
        tried=(39,),
    ),
    Project(
        "keystone",
        "keystone",
        router="Flask",
        has_paste=False,
        application="keystone.wsgi.api:application",
        folder_variable="OS_KEYSTONE_CONFIG_DIR",
        tried=(30,),
    ),
    Project("magnum", "magnum-api", router=_PECAN),
    Project(
        "manila",
        "manila-api",
        db_api=("manila.db.api",),
        router=_ROUTES,
    ),
    Project("neutron", "neutron-server", router=_PECAN, tried=(29,)),
    Project(NOVA, "nova-api", db_api=NOVA_DB_API, router=_ROUTES, tried=(34,)),
    Project(
        "octavia",
        "octavia-api",
        router=_PECAN,
        has_paste=False,
        application="octavia.wsgi.api:application",
    ),
    Project(
        "placement",
        "placement",
        router="its own table",
        has_paste=False,
        application="placement.wsgi.api:application",
        folder_variable="OS_PLACEMENT_CONFIG_DIR",
        has_own_conf=True,
        tried=(16,),
        distribution="openstack-placement",
    ),
    Project("swift", "swift-proxy"),
    Project("trove", "trove-api", router=_ROUTES),
)
BY_NAME = {project.name: project for project in PROJECTS}


def project_named(name: object) -> Project | None:
    """Return the project whose package, or module, is called *name*."""
    if not isinstance(name, str):
        return None
    return BY_NAME.get(name.partition(".")[0])
