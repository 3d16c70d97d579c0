# SPDX-License-Identifier: Apache-2.0
"""The service of a file, a container, a pod and a unit, by its name."""

from __future__ import annotations

import pytest

from nova_profiler.reading.logs.line_parts.services import (
    service_of_file,
    service_of_unit,
)


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("cinder/api.log", "cinder-api"),
        ("cinder/volume.log", "cinder-volume"),
        ("neutron/server.log", "neutron-server"),
        ("screen-n-cond-cell1.txt.gz", "nova-conductor"),
        ("httpd/nova_api_wsgi_access.log", "nova-api"),
        ("kolla/nova/apache-access.log", "nova-api"),
        ("nova/uwsgi.log", "nova-api"),
        ("containers/httpd/nova-api/access_log", "nova-api"),
        ("infra1_nova_api_container-1a2b3c4d/nova-api-metadata.log",
         "nova-metadata"),
        ("pods/openstack_glance-default-external-api-0_x/glance-log/0.log",
         "glance-api"),
        ("pods/openstack_placement-7f_x/placement-log/0.log", "placement"),
        ("nova-api-osapi-7d9c_openstack_nova-osapi-0123abc.log", "nova-api"),
        ("uwsgi-nova.log", "nova-api"),
        ("access_log.txt", "access_log"),
    ],
)  # fmt: skip
def test_files(name, service):
    """As packages, charts and collections name them."""
    assert service_of_file(name) == service


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("devstack@n-api.service", "nova-api"),
        ("tripleo_nova_metadata.service", "nova-metadata"),
        ("edpm_ovn_metadata_agent.service", "neutron-ovn-metadata-agent"),
        ("kolla-nova_api-container.service", "nova-api"),
        ("nova-cell1-conductor-0", "nova-conductor"),
        ("glance-default-single-0", "glance-api"),
        ("glance-log", "glance-api"),
        ("neutron_back", "neutron-server"),
        ("snap.microstack.nova-uwsgi.service", "nova-api"),
        ("apache2.service", "apache2"),
    ],
)
def test_units_containers_and_backends(name, service):
    """What only a front or a web server names is that."""
    assert service_of_unit(name) == service
