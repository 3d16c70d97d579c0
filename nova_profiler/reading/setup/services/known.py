# SPDX-License-Identifier: Apache-2.0
"""The services that can be timed: nova's, one row each, and all APIs."""

from __future__ import annotations

from nova_profiler.projects import NOVA, PROJECTS, Project
from nova_profiler.reading.setup.services import (
    DRIVER,
    FILTER,
    WRAPPED,
    Kind,
)

_PLACEMENT = "placement"
_NOVAS = (
    Kind(
        "nova-api",
        NOVA,
        FILTER,
        ("nova-api", "nova-api-os-compute", "nova-api-wsgi"),
        ("nova.wsgi.osapi_compute",),
        "osapi_compute",
    ),
    Kind(
        "nova-metadata",
        NOVA,
        FILTER,
        (
            *("nova-metadata", "nova-api-metadata", "nova-api-meta"),
            *("nova-metadata-wsgi", "nova-metadata-api"),
        ),
        ("nova.wsgi.metadata",),
        "metadata",
    ),
    Kind("nova-conductor", NOVA, DRIVER, ("nova-conductor",)),
    Kind("nova-scheduler", NOVA, DRIVER, ("nova-scheduler",)),
    Kind("nova-compute", NOVA, DRIVER, ("nova-compute",)),
)


def _api_of(project: Project) -> Kind:
    """Return the kind of the service that answers requests of *project*."""
    name = project.name
    programs = (
        *(project.service, f"{name}-api", f"{name}-server"),
        *(f"{name}-wsgi", f"{name}-wsgi-api", f"{name}-api-wsgi"),
        *(f"{name}-public", f"{name}-wsgi-public"),
    )
    module = project.application.partition(":")[0] or f"{name}.wsgi.api"
    return Kind(
        project.service,
        name,
        FILTER if project.has_paste else WRAPPED,
        tuple(dict.fromkeys(programs)),
        (module,),
    )


# Placement's after nova's: it is a part of nova's requests.
_OTHERS = sorted(
    (one for one in PROJECTS if one.name != NOVA),
    key=lambda one: one.name != _PLACEMENT,
)
KINDS: tuple[Kind, ...] = (*_NOVAS, *map(_api_of, _OTHERS))

_BY_PROGRAM = {name: kind for kind in KINDS for name in kind.programs}
_BY_MODULE = {name: kind for kind in KINDS for name in kind.modules}


def kind_of_program(name: str) -> Kind | None:
    """Return the kind of service whose process is called *name*."""
    return _BY_PROGRAM.get(name)


def kind_of_module(application: str) -> Kind | None:
    """Return the kind of service that ``module:callable`` serves."""
    return _BY_MODULE.get(application.partition(":")[0])
