# SPDX-License-Identifier: Apache-2.0
"""The services that are known, and the names of their processes."""

from __future__ import annotations

from collections import Counter

import pytest

from nova_profiler.projects import PROJECTS
from nova_profiler.reading.setup.services import DRIVER, FILTER, WRAPPED
from nova_profiler.reading.setup.services.known import (
    KINDS,
    kind_of_module,
    kind_of_program,
)


def test_each_project_has_its_api():
    """Each row of the table of projects, nova's with its other services."""
    assert {one.project for one in KINDS} == {one.name for one in PROJECTS}
    assert [one.service for one in KINDS[:6]] == [
        *("nova-api", "nova-metadata", "nova-conductor", "nova-scheduler"),
        *("nova-compute", "placement"),
    ]


def test_a_name_means_one_service():
    """Neither a program nor a module is two services'."""
    names = Counter(
        name for one in KINDS for name in (*one.programs, *one.modules)
    )

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    "program, way",
    [
        ("nova-compute", DRIVER),
        ("nova-api", FILTER),
        ("placement-api", WRAPPED),
        ("keystone-wsgi-public", WRAPPED),
        ("neutron-server", FILTER),
        ("neutron-api", FILTER),
        ("glance-api", FILTER),
    ],
)
def test_programs_as_packages_call_them(program, way):
    """And by what they are switched on."""
    assert kind_of_program(program).way == way


def test_modules_as_servers_load_them():
    """With the name of the application, and without."""
    for module in ("placement.wsgi.api:application", "placement.wsgi.api"):
        assert kind_of_module(module).service == "placement"
    assert kind_of_module("placement.wsgi.apis") is None
