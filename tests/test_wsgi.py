# SPDX-License-Identifier: Apache-2.0
"""A server that is pointed to our module serves the real application."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from places import PYTHONPATH

APPLICATION = """
import os


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def made():
    return application


if os.environ.get("FAILS"):
    raise LookupError("of the application's own")
"""
SERVER = """
import json
import os
import sys
import threading

sys.path.insert(0, os.environ["FOLDER"])
threads = threading.active_count()
from nova_profiler.wsgi import application
from wsgiref.util import setup_testing_defaults


def ask(path):
    environ = {}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = path
    statuses = []
    body = application(environ, lambda status, _: statuses.append(status))
    return statuses, b"".join(body).decode()


started = threading.active_count() - threads
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with an application and a file of options."""
    (tmp_path / "a_service.py").write_text(APPLICATION)
    (tmp_path / "options.conf").write_text(
        f"[nova_profiler]\nlog_file = {tmp_path}/records.json\n"
        f"dump_dir = {tmp_path}/dumps\n"
    )
    return tmp_path


def _run(folder, program: str, **environ: str) -> subprocess.CompletedProcess:
    """Run *program* after SERVER, as a server whose configuration is there."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SERVER + program],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **os.environ,
            "PYTHONPATH": PYTHONPATH,
            "FOLDER": str(folder),
            "NOVA_PROFILER_APPLICATION": "a_service:application",
            "NOVA_PROFILER_CONFIG": str(folder / "options.conf"),
            **environ,
        },
    )


def _records(folder) -> list[dict]:
    text = (folder / "records.json").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["a_service:application", "a_service:made()"])
def test_requests_reach_it_through_the_filter(folder, name):
    """By its name, or by that of what makes it."""
    done = _run(
        folder,
        "print(json.dumps(ask('/v1/things')))",
        NOVA_PROFILER_APPLICATION=name,
    )

    assert json.loads(done.stdout) == [["200 OK"], "ok"], done.stderr
    (record,) = _records(folder)
    assert record["service"] == "a_service"
    assert record["route"] == "/v1/things"


def test_workers_forked_after_the_load_have_their_records(folder):
    """Nothing is started before a process serves: a fork would lose it."""
    done = _run(
        folder,
        """
for number in 1, 2:
    if os.fork() == 0:
        ask("/v1/things")
        ask("/v1/things")
        os._exit(0)
for _ in 1, 2:
    os.wait()
print(json.dumps([started, os.getpid()]))
""",
    )

    started, parent = json.loads(done.stdout)
    assert started == 0, done.stderr
    pids = [record["pid"] for record in _records(folder)]
    assert len(pids) == 4
    assert len(set(pids)) == 2
    assert parent not in pids


def test_a_wrong_option_does_not_stop_the_service(folder):
    """It serves without the filter, and the log has the line."""
    (folder / "options.conf").write_text("[nova_profiler]\nslow_ms = soon\n")

    done = _run(folder, "print(json.dumps(ask('/v1/things')))")

    assert json.loads(done.stdout) == [["200 OK"], "ok"], done.stderr
    assert done.stderr == (
        "options.conf, [nova_profiler]: slow_ms = 'soon': expected a number, "
        "0 or more; a_service is served without nova-profiler\n"
    )


def test_a_file_that_is_missing_does_not_stop_it(folder):
    """No more than a wrong option does."""
    (folder / "options.conf").unlink()

    done = _run(folder, "print(json.dumps(ask('/v1/things')))")

    assert json.loads(done.stdout) == [["200 OK"], "ok"], done.stderr
    assert "options.conf: No such file" in done.stderr
    assert not (folder / "records.json").exists()


@pytest.mark.parametrize(
    ("environ", "last"),
    [
        (
            {"NOVA_PROFILER_APPLICATION": "a_service"},
            "NOVA_PROFILER_APPLICATION = 'a_service': expected "
            "module:callable, as in placement.wsgi.api:application",
        ),
        (
            {"NOVA_PROFILER_APPLICATION": "a_service:made"},
            "NOVA_PROFILER_APPLICATION: a_service:made takes no request; if "
            "it makes the application, append ()",
        ),
        (
            {"NOVA_PROFILER_APPLICATION": "no_service:application"},
            "ModuleNotFoundError: No module named 'no_service'",
        ),
        ({"FAILS": "1"}, "LookupError: of the application's own"),
    ],
)
def test_what_cannot_be_served_stops_the_load(folder, environ, last):
    """With our one line, or with what the application itself raised."""
    done = _run(folder, "", **environ)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(last)
