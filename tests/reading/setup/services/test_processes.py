# SPDX-License-Identifier: Apache-2.0
"""The processes that are services, by their command lines."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_hosts import Host

from nova_profiler.reading.setup.services import (
    processes as services_processes,
)
from nova_profiler.reading.setup.services.processes import (
    Process,
    found_in,
    processes,
    spawned_of,
)

SPAWN = (
    "/v/bin/python3",
    "-c",
    "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5)",
    "--multiprocessing-fork",
)


@pytest.mark.parametrize(
    "words, service",
    [
        (["/v/bin/python3", "/v/bin/nova-compute"], "nova-compute"),
        (
            ["/usr/bin/python3", "-s", "/usr/bin/nova-scheduler"],
            "nova-scheduler",
        ),
        (["/v/bin/nova-conductor", "--config-file", "/x"], "nova-conductor"),
        (["nova-apiuWSGI worker 2"], "nova-api"),
        (["nova-api-metauWSGI master"], "nova-metadata"),
        (["placement uWSGI worker 1"], "placement"),
        (["nova-api: uWSGI worker 1"], "nova-api"),
        (
            ["/v/bin/uwsgi", "--ini", "/etc/nova/nova-api-uwsgi.ini"],
            "nova-api",
        ),
        (["uwsgi", "--ini", "/etc/nova/nova-metadata.ini"], "nova-metadata"),
        (["(wsgi:nova-api", "-k", "start"], "nova-api"),
        (
            ["gunicorn: worker [nova.wsgi.osapi_compute:application]"],
            "nova-api",
        ),
        (
            ["/v/bin/python", "/v/bin/gunicorn", "placement.wsgi.api"],
            "placement",
        ),
        (
            ["/usr/bin/uwsgi", "--module", "keystone.wsgi.api:application"],
            "keystone",
        ),
        (["vi", "/usr/bin/nova-compute"], None),
        (["/usr/bin/python3", "/usr/bin/nova-manage", "nova-compute"], None),
        (["tail", "-f", "/var/log/nova-api.ini"], None),
        (["/usr/bin/python3", "-c", "nova-compute"], None),
        (["python3"], None),
        (["nova-compute-exporter"], None),
        ([""], None),
    ],
)
def test_what_runs_a_service(words, service):
    """Its program, its title or its application names it, and no argument."""
    found = found_in([Process(1, 0, tuple(words))])

    assert [one.kind.service for one in found] == (
        [service] if service else []
    )


def test_only_names_are_kept_of_a_command_line():
    """Files and environment, nothing of a password."""
    words = (
        *("/v/bin/python3", "/v/bin/nova-compute", "--config-file=/a.conf"),
        *("--config-file", "/b.conf", "--config-dir", "/c", "--password", "s"),
    )

    (found,) = found_in([Process(1, 0, words)])

    assert found.files == ("/a.conf", "/b.conf")
    assert found.folders == ("/c",)
    assert found.prefix == "/v"


def test_the_environment_that_uwsgi_is_given():
    """It wins over that of the server's own program."""
    words = ("/usr/bin/uwsgi", "--ini", "/e/nova-api.ini", "--venv", "/opt/v")

    (found,) = found_in([Process(1, 0, words)])

    assert (found.prefix, found.uwsgi) == ("/opt/v", "/e/nova-api.ini")


@pytest.mark.parametrize(
    "executable, prefix",
    [("/opt/v/bin/uwsgi", "/opt/v"), ("/usr/bin/uwsgi", ""), ("", "")],
)
def test_a_title_hides_the_environment(executable, prefix):
    """A system's uWSGI may have been given any --venv."""
    process = Process(1, 0, ("nova-apiuWSGI master",), "", executable)

    (found,) = found_in([process])

    assert found.prefix == prefix


def test_spawned_workers_are_the_services_children():
    """By their parent: any program may spawn."""
    running = [
        Process(5, 1, ("/v/bin/python3", "/v/bin/nova-conductor")),
        Process(6, 5, SPAWN),
        Process(7, 1, SPAWN),
    ]

    assert [one.process.pid for one in found_in(running)] == [5]
    assert spawned_of(running, [5]) == [6]


def test_processes_are_read_from_a_folder(tmp_path):
    """A name with brackets, one that is over, one that is none."""
    host = Host(tmp_path)
    host.process(12, "/v/bin/nova-compute", "--x", parent=3)
    host.process(13)
    (host.proc / "14").mkdir()
    (host.proc / "self").mkdir()

    found = sorted(processes(str(host.proc)))

    assert found[0] == Process(12, 3, ("/v/bin/nova-compute", "--x"))
    assert found[1].words == ()
    assert len(found) == 2
    assert list(processes(str(tmp_path / "none"))) == []


def test_this_machine_can_be_looked_at():
    """The process of the tests is one of its processes."""
    assert os.getpid() in [one.pid for one in processes()]


@given(st.lists(st.text(max_size=40), max_size=6).map(tuple))
def test_any_command_line_can_be_looked_at(words):
    """Whatever a process calls itself."""
    found_in([Process(1, 0, words)])


def test_only_the_start_of_a_title_is_looked_at(monkeypatch):
    """A long one would take the square of its letters."""
    seen = []

    class Form:
        def match(self, text):
            seen.append(len(text))

    monkeypatch.setattr(services_processes, "_TITLES", (Form(),))

    assert found_in([Process(1, 0, ("a" * 20_000,))]) == []
    assert seen == [200]
