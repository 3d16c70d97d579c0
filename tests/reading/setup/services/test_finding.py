# SPDX-License-Identifier: Apache-2.0
"""The services of a host: which are there, which are on, by what."""

from __future__ import annotations

import os

import pytest
from service_hosts import DRIVER, FILTER, Host

NOVA_CONF = "[oslo_messaging_notifications]\ndriver = messagingv2\n"
UWSGI = "[uwsgi]\nmodule = {}\n"
WRAPPED = (
    UWSGI.format("nova_profiler.wsgi:application")
    + "env = NOVA_PROFILER_APPLICATION=placement.wsgi.api:application\n"
)


@pytest.fixture
def host(tmp_path):
    """Return a host without anything on it."""
    return Host(tmp_path)


def names(host) -> list[str]:
    return [one.kind.service for one in host.services()]


def test_nothing_is_on_an_empty_host(host):
    """Neither files nor processes: no services."""
    assert host.services() == []


def test_a_controller_that_does_not_run_yet(host):
    """Each service that the files are for, all of them off."""
    host.paste()
    host.write("nova/nova.conf", NOVA_CONF)
    host.write("placement/placement.conf", "")

    found = host.services()

    assert names(host) == [
        *("nova-api", "nova-metadata", "nova-conductor", "nova-scheduler"),
        *("nova-compute", "placement"),
    ]
    assert {one.on for one in found} == {False}


def test_one_drop_in_switches_all_on(host):
    """The filter alone opens records of requests, so nova-api is off yet."""
    host.paste()
    host.write("nova/nova.conf", NOVA_CONF)
    path = host.write("nova/nova.conf.d/nova-profiler.conf", DRIVER)

    compute = host.service("nova-compute")
    api = host.service("nova-api")

    assert (compute.on, compute.by) == (True, ("driver",))
    assert compute.where == (str(path),)
    assert (api.on, api.by) == (False, ("driver",))


def test_the_filter_of_each_api(host):
    """nova's two APIs have a pipeline each in one file."""
    host.paste(api="nova_profiler ")

    assert host.service("nova-api").on
    assert not host.service("nova-metadata").on

    host.paste(meta="nova_profiler ")
    assert not host.service("nova-api").on
    assert host.service("nova-metadata").by == ("filter",)


def test_a_filter_of_another_name(host):
    """Whatever its section is called."""
    host.paste(
        api="timing ",
        rest=FILTER.replace("filter:nova_profiler", "filter:timing"),
    )

    assert host.service("nova-api").on


def test_placement_by_its_uwsgi_file(host):
    """The application that ours is around is placement's."""
    host.write("placement/placement.conf", "")
    host.write(
        "placement/placement-uwsgi.ini",
        UWSGI.format("placement.wsgi.api:application"),
    )
    assert not host.service("placement").on

    path = host.write("placement/placement-uwsgi.ini", WRAPPED)

    found = host.service("placement")
    assert (found.on, found.by, found.where) == (True, ("wsgi",), (str(path),))


def test_only_what_runs_where_anything_of_a_project_runs(host):
    """nova.conf of a compute host is no sign of a scheduler."""
    host.write("nova/nova.conf", NOVA_CONF)
    host.process(7, "/v/bin/python3", "/v/bin/nova-compute")

    found = host.services()

    assert [one.kind.service for one in found] == ["nova-compute"]
    assert found[0].running.pids == (7,)


def test_workers_count_as_one_service(host):
    """They have the same configuration."""
    host.write("nova/nova.conf", NOVA_CONF)
    words = ("/v/bin/python3", "/v/bin/nova-conductor")
    host.process(7, *words)
    host.process(8, *words, parent=7)

    assert host.service("nova-conductor").running.pids == (7, 8)


def test_each_cell_by_its_own_files(host):
    """Two conductors of one host: one is on, the other is not."""
    one = host.write("nova/nova_cell1.conf", DRIVER)
    two = host.write("nova/nova_cell2.conf", "")
    words = ("/v/bin/python3", "/v/bin/nova-conductor", "--config-file")
    host.process(7, *words, str(one))
    host.process(8, *words, str(two))

    found = {one.running.pids: one.on for one in host.services()}
    texts = [one.found for one in host.points("nova-conductor")]

    assert found == {(7,): True, (8,): False}
    assert texts == ["on by driver, pid 7", "off, pid 8"]


def test_a_program_has_files_of_its_own(host):
    """Those of nova-api are not uWSGI's."""
    host.write("nova/nova.conf", "")
    host.write("nova/nova-api.conf", DRIVER)
    host.process(7, "/v/bin/python3", "/v/bin/nova-api")
    assert host.service("nova-api").by == ("driver",)

    (host.proc / "7" / "cmdline").write_bytes(b"nova-apiuWSGI worker 1\0")
    assert host.service("nova-api").by == ()


def test_a_drop_in_counts_beside_a_config_file(host):
    """devstack's nova-compute has --config-file nova-cpu.conf."""
    cpu = host.write("nova/nova-cpu.conf", NOVA_CONF)
    host.write("nova/nova.conf.d/nova-profiler.conf", DRIVER)
    host.process(
        7, "/v/bin/python3", "/v/bin/nova-compute", f"--config-file={cpu}"
    )

    assert host.service("nova-compute").on


def test_the_python_of_a_process(host):
    """That of its own environment, or the one of uWSGI's file."""
    host.write("nova/nova.conf", NOVA_CONF)
    venv = host.python()
    host.process(7, f"{venv}/bin/python3", f"{venv}/bin/nova-compute")
    ini = host.write(
        "nova/nova-api-uwsgi.ini",
        UWSGI.format("nova.wsgi.osapi_compute:application")
        + f"venv = {venv}\n",
    )
    host.paste()
    host.process(8, "/usr/bin/uwsgi", "--ini", str(ini))

    for name in ("nova-compute", "nova-api"):
        python = host.service(name).python
        assert python.prefix == str(venv)
        assert python.packages["nova"] == "34.0.0"


def test_a_folder_of_another_user(host, monkeypatch):
    """Not "off": what is in it is not known."""
    path = host.write("nova/nova.conf", NOVA_CONF)
    host.process(7, "/v/bin/python3", "/v/bin/nova-compute")
    # For root, too, who may read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    found = host.service("nova-compute")

    assert found.on is None
    assert set(found.unreadable) == {str(path.parent)}


def test_a_process_whose_files_are_not_found(host):
    """It runs in a container, or reads them elsewhere."""
    host.process(7, "/v/bin/python3", "/v/bin/nova-compute")

    found = host.service("nova-compute")

    assert found.on is None
    assert found.unreadable == (str(host.etc / "nova"),)


def test_files_that_cannot_be_parsed(host):
    """The one that has no option in a line, and a paste file of that kind."""
    host.write("nova/nova.conf", "nothing of the kind\n")
    host.write("nova/api-paste.ini", "nothing of the kind\n")

    assert host.service("nova-compute").on is None
    assert host.service("nova-api").on is None


def test_another_project_with_paste(host):
    """glance has the filter in its own file."""
    host.write(
        "glance/glance-api-paste.ini",
        "[composite:api]\npaste.composite_factory = glance.api:factory\n"
        "keystone = nova_profiler cors rootapp\n"
        "[app:rootapp]\npaste.app_factory = x:y\n"
        f"[filter:cors]\npaste.filter_factory = x:z\n{FILTER}",
    )
    host.write("glance/glance-api.conf", "")

    assert host.service("glance-api").on


def test_uwsgi_files_in_a_folder_with_letters_of_patterns(tmp_path):
    """A copy of /etc may be anywhere."""
    (tmp_path / "e[1]").mkdir()
    host = Host(tmp_path / "e[1]")
    host.write("placement/placement.conf", "")
    host.write(
        "placement/placement-uwsgi.ini",
        "[uwsgi]\nmodule = nova_profiler.wsgi:application\n"
        "env = NOVA_PROFILER_APPLICATION=placement.wsgi.api:application\n",
    )

    assert host.service("placement").on
