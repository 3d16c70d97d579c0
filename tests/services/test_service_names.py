# SPDX-License-Identifier: Apache-2.0
"""The name of a service: that of its program, then of its project."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from oslo_config import cfg

from nova_profiler.services.service_names import service_name_of


@pytest.mark.parametrize(
    ("prog", "project", "name"),
    [
        ("nova-compute", "nova", "nova-compute"),
        ("neutron-dhcp-agent", "neutron", "neutron-dhcp-agent"),
        ("uwsgi", "nova", "nova"),
        ("python3.11", "nova", "nova"),
        ("__main__", "nova", "nova"),
        ("nova-" + "x" * 80, "nova", "nova"),
        ("a b", "a b", "else"),
        (None, None, "else"),
        (5, [], "else"),
    ],
)
def test_the_program_names_the_service(prog, project, name):
    """What only runs programs does not."""
    conf = SimpleNamespace(prog=prog, project=project)

    assert service_name_of(conf, "else") == name


def test_options_that_were_never_read_have_no_name():
    """As in a program that makes its own."""
    assert service_name_of(cfg.ConfigOpts(), "else") == "else"
