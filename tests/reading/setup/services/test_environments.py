# SPDX-License-Identifier: Apache-2.0
"""What a Python environment has, seen from outside."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from service_hosts import Host

from nova_profiler.reading.setup.services.environments import python_at


def test_versions_by_package(tmp_path):
    """In any spelling of a name; what is of no interest is left out."""
    packages = {"Nova": "34.0.0", "oslo.service": "4.8.0", "six": "1.17.0"}
    prefix = Host(tmp_path).python(packages=packages)

    found = python_at(str(prefix))

    assert found.version == "3.11"
    assert found.packages == {"nova": "34.0.0", "oslo-service": "4.8.0"}
    assert not found.has_driver


def test_the_entry_point_of_ours(tmp_path):
    """Installed with it, and by an older version without."""
    host = Host(tmp_path)

    new = python_at(str(host.python("new")))
    old = python_at(str(host.python("old", driver=False)))

    assert (new.has_driver, old.has_driver) == (True, False)
    assert new.packages["nova-profiler"] == "0.1.0"


def test_the_systems_packages_where_an_environment_has_them(tmp_path):
    """As devstack's has; the environment's own come first."""
    host = Host(tmp_path)
    host.python("usr", packages={"nova": "30.0.0", "greenlet": "3.0"})
    host.python("venv", packages={"nova": "34.0.0"})
    settings = tmp_path / "venv" / "pyvenv.cfg"

    settings.write_text("include-system-site-packages = false\n")
    alone = python_at("/venv", str(tmp_path))
    settings.write_text("include-system-site-packages = true\n")
    both = python_at("/venv", str(tmp_path))

    assert alone.packages == {"nova": "34.0.0"}
    assert both.packages == {"nova": "34.0.0", "greenlet": "3.0"}


def test_what_is_no_environment(tmp_path):
    """Nothing is known of it."""
    assert python_at(str(tmp_path)) is None


def test_the_python_of_the_tests():
    """A real one: oslo.config is in it."""
    assert "oslo-config" in python_at(sys.prefix).packages


@pytest.mark.parametrize(
    "name",
    ["pyvenv.cfg", "lib/python3.11/site-packages/{ours}/entry_points.txt"],
)
def test_a_pipe_is_not_waited_for(tmp_path, name):
    """Another user's environment may have one in the place of a file."""
    prefix = Host(tmp_path).python(driver=False)
    os.mkfifo(prefix / name.format(ours="nova_profiler-0.1.0.dist-info"))
    found = []
    # One that waits would wait for ever: it is left behind.
    looking = threading.Thread(
        target=lambda: found.append(python_at(str(prefix))), daemon=True
    )
    looking.start()
    looking.join(20)

    assert [one.has_driver for one in found] == [False]


def test_a_folder_with_letters_of_patterns(tmp_path):
    """It is that folder, and not one that matches."""
    (tmp_path / "e1").mkdir()
    host = Host(tmp_path)
    prefix = host.python("e[1]")

    assert python_at(str(prefix)).packages["nova"] == "34.0.0"
    assert python_at(str(tmp_path / "e?1?")) is None
