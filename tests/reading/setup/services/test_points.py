# SPDX-License-Identifier: Apache-2.0
"""A point of each service: on or off, what it lacks, and the remedy."""

from __future__ import annotations

import shlex

import pytest
from service_hosts import DRIVER, PACKAGES, Host

from nova_profiler.reading.setup import OK, WARNING, WRONG
from nova_profiler.reading.setup.services import DRIVER as BY_DRIVER
from nova_profiler.reading.setup.services import Python, Running, Service
from nova_profiler.reading.setup.services.known import KINDS
from nova_profiler.reading.setup.services.versions import lacks_of

SPAWNED = ("/v/bin/python3", "-c", "spawn_main()", "--multiprocessing-fork")


@pytest.fixture
def host(tmp_path):
    """Return a host of a nova-compute that is on, and right."""
    made = Host(tmp_path)
    made.write("nova/nova.conf", "")
    made.write("nova/nova.conf.d/nova-profiler.conf", DRIVER)
    return made


def run(host, venv) -> None:
    host.process(7, f"{venv}/bin/python3", f"{venv}/bin/nova-compute")


def test_one_that_is_on(host):
    """By what, how many processes, which version; nothing to do."""
    run(host, host.python())

    (summary, point) = host.points()

    assert summary.found == "1 of 1 are on"
    assert (point.state, point.remedy) == (OK, ())
    assert point.found == "on by driver, 1 process, nova 34.0.0"


def test_one_that_is_off(host):
    """The remedy has the lines and the file."""
    host.write("nova/nova.conf.d/nova-profiler.conf", "")
    run(host, host.python())

    (summary, point) = host.points()

    assert summary.found == "0 of 1 are on; not nova-compute"
    assert point.state == WARNING
    assert point.found.startswith("off")
    assert point.remedy == (
        "[oslo_messaging_notifications] driver = nova_profiler",
        f"in {host.etc}/nova/nova.conf.d/nova-profiler.conf",
    )


def test_one_that_is_on_and_disabled(host):
    """enabled = false is named: no record comes of it."""
    host.write("nova/nova.conf", "[nova_profiler]\nenabled = false\n")
    run(host, host.python())

    (summary, point) = host.points()

    assert summary.state == WARNING
    assert "enabled = false" in point.found
    assert point.remedy == ("enabled = true",)


def test_the_package_is_missing_in_its_python(host):
    """The driver is configured where it is not installed."""
    venv = host.python(packages={"nova": "34.0.0"})
    run(host, venv)

    (summary, point) = host.points()

    assert summary.found == "0 of 1 are on; not nova-compute"
    assert point.state == WRONG
    assert point.found.endswith(f"nova-profiler is not in its Python, {venv}")
    assert point.remedy == (
        f"{venv}/bin/python3 -m pip install nova_profiler-*.whl",
    )


def test_a_path_is_quoted_in_a_command(host):
    """Whoever pastes the remedy runs pip, and nothing else."""
    venv = host.python("v'; id #", packages={"nova": "34.0.0"})
    run(host, venv)

    (point,) = host.points("nova-compute")

    (line,) = point.remedy
    assert shlex.split(line)[:2] == [f"{venv}/bin/python3", "-m"]


def test_the_paste_file_is_quoted_in_a_command(tmp_path):
    """As --etc may name any folder."""
    (tmp_path / "a b").mkdir()
    host = Host(tmp_path / "a b")
    path = host.paste()
    host.write("nova/nova.conf", "")

    (point,) = host.points("nova-api")

    (line,) = point.remedy
    assert shlex.split(line)[2:] == ["--paste", str(path)]


@pytest.mark.parametrize("is_below", [False, True])
def test_a_python_that_others_may_change(host, is_below):
    """Any process can call itself nova-compute: no command is made of it."""
    venv = host.python("a/venv", packages={"nova": "34.0.0"})
    (venv.parent if is_below else venv).chmod(0o777)
    run(host, venv)

    points = host.points("nova-compute")

    assert [one.found for one in points] == [
        "on by driver, 1 process",
        f"pid 7: Python not looked at: others may change {venv}",
    ]
    assert points[1].state == WARNING
    assert str(venv) not in " ".join(points[1].remedy)


@pytest.mark.parametrize("form", ["--venv=a/v", "--venv=-rf"])
def test_a_python_without_a_whole_path(host, form, monkeypatch):
    """It is relative to a folder of the process: not known."""
    venv = host.python("a/v", packages={"nova": "34.0.0"})
    monkeypatch.chdir(venv.parent.parent)
    host.process(7, "/usr/bin/nova-compute", form)

    assert host.service("nova-compute").python is None


def test_the_wrapped_application_needs_the_package(host):
    """Without it the service does not start."""
    host.write("placement/placement.conf", "")
    host.write(
        "placement/placement-uwsgi.ini",
        "[uwsgi]\nmodule = nova_profiler.wsgi:application\n"
        "env = NOVA_PROFILER_APPLICATION=placement.wsgi.api:application\n",
    )
    venv = host.python(packages={"openstack_placement": "16.0.0"})

    (point,) = host.points("placement", str(venv))

    assert point.found.startswith("off though named by wsgi, placement 16.0.0")
    assert point.found.endswith("it does not start")


def test_a_version_without_the_driver(host):
    """Half upgraded: the entry point is not there."""
    run(host, host.python(driver=False))

    (point,) = host.points("nova-compute")

    assert point.state == WRONG
    assert point.found.endswith("has no driver")
    assert "--upgrade" in point.remedy[0]


def test_the_filter_needs_no_driver(tmp_path):
    """An older version times requests, as it did."""
    host = Host(tmp_path)
    host.paste(api="nova_profiler ", meta="nova_profiler ")
    host.write("nova/nova.conf", "")

    (point,) = host.points("nova-api", str(host.python(driver=False)))

    assert point.state == OK


def test_a_slip_in_the_drivers(host):
    """Two names in one line are one driver that nobody has."""
    host.write(
        "nova/nova.conf.d/nova-profiler.conf",
        DRIVER.replace("= nova", "= messagingv2,nova"),
    )
    run(host, host.python())

    points = host.points("nova-compute")

    assert [one.state for one in points] == [WARNING, WRONG]
    assert points[1].remedy == ("a line of its own: driver = nova_profiler",)


def test_spawned_workers(host):
    """They read no configuration, so that they have no driver."""
    run(host, host.python())
    for pid in range(20, 26):
        host.process(pid, *SPAWNED, parent=7)

    points = host.points("nova-compute")

    assert points[1].state == WARNING
    assert points[1].found.startswith(
        "workers 20, 21, 22, 23 and 2 more were spawned"
    )


def test_a_service_that_cannot_be_looked_at(host, tmp_path):
    """Who may is named."""
    host.process(7, "/v/bin/nova-compute", f"--config-file={tmp_path}/none")
    host.write("nova/nova.conf.d/nova-profiler.conf", "")

    (_, point) = host.points()

    assert point.state == WARNING
    assert f"{tmp_path}/none cannot be read" in point.found


def test_another_project_that_is_off_is_well(host):
    """Nova's records are whole without it."""
    host.write("keystone/keystone.conf", "")

    (point,) = host.points("keystone")

    assert (point.state, point.found) == (OK, "off")


def lacks(way=BY_DRIVER, version="3.11", **packages) -> list[str]:
    python = Python(
        "/v",
        version,
        {name.replace("_", "-"): one for name, one in packages.items()},
        True,
    )
    service = Service(
        KINDS[0], True, (way,), (), (), (), (), True, Running(), python
    )
    return [found for found, _ in lacks_of(service, python)]


@pytest.mark.parametrize(
    "package, version, is_lacking",
    [
        ("sqlalchemy", "1.3.24", True),
        ("sqlalchemy", "1.4.0", False),
        ("sqlalchemy", "2.1.5", False),
        ("sqlalchemy", "2.2.0b1", True),
        ("greenlet", "0.4.17", True),
        ("greenlet", "3.5.6", False),
        ("oslo_config", "8.7.1", True),
        ("oslo_config", "10.7.0", False),
        ("oslo_service", "4.4.1", False),
        ("oslo_service", "4.5.0", True),
        ("oslo_service", "4.7.0", True),
        ("oslo_service", "4.8.0", False),
        ("oslo_service", "unknown", False),
    ],
)
def test_versions_that_lack_something(package, version, is_lacking):
    """Each end of each range."""
    assert bool(lacks(**{package: version})) == is_lacking


def test_an_old_python_cannot_load_it():
    """3.9 is older than 3.10."""
    assert lacks(version="3.9") == ["Python 3.9 cannot load nova-profiler"]
    assert lacks(version="3.10") == []


def test_spawning_is_nothing_to_a_filter():
    """WSGI servers have workers of their own."""
    assert lacks(way="filter", oslo_service="4.6.0") == []


def test_a_version_that_spawns_is_named_once(tmp_path):
    """Its workers where there are any, else the version."""
    host = Host(tmp_path)
    host.write("nova/nova.conf", DRIVER)
    run(host, host.python(packages={**PACKAGES, "oslo.service": "4.6.0"}))

    def named() -> list[str]:
        points = host.points("nova-compute")
        return [p.found.split(":")[0] for p in points if "spawn" in p.found]

    assert named() == ["oslo.service 4.6.0"]
    host.process(9, *SPAWNED, parent=7)
    assert named() == ["worker 9 was spawned, not forked"]


def test_a_release_that_was_not_tried(tmp_path):
    """Named for a service that is on, with those that were."""
    host = Host(tmp_path)
    host.write("nova/nova.conf", DRIVER)
    run(host, host.python(packages={**PACKAGES, "nova": "99.0.0"}))

    (_, point) = host.points("nova-compute")

    assert point.found == "nova 99.0.0 is not a release that was tried (34)"
    assert point.state == WARNING
