# SPDX-License-Identifier: Apache-2.0
"""`report` over all the logs that one nova-api under uWSGI writes."""

from __future__ import annotations

import json
import time

import pytest

from demo import load
from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.cli import main
from tests.functional.log_files import records_in

pytestmark = pytest.mark.functional

CLIENTS, REQUESTS = 3, 5


@pytest.fixture
def logs(monkeypatch):
    """Return the folder of a run with three logs of each request."""
    directory = nova_api.new_directory("tests/report")
    urls = sqlite_files.urls(directory, 2, print)
    start = nova_api._start

    def started(module, *arguments, **more):
        if module == "demo.server.serve":
            module = "tests.functional.programs.logged_uwsgi"
        return start(module, *arguments, **more)

    monkeypatch.setattr(nova_api, "_start", started)
    options = {
        "log_file": str(directory / "requests.jsonl"),
        "log_requests": "true",
    }
    with nova_api.running(directory, urls, "uwsgi", options) as api:
        for path in ("/v2.1/servers", "/v2.1/servers/detail"):
            load.run(api.port, path, CLIENTS, REQUESTS)
        # uWSGI logs a request after its client has the answer, which may be
        # too late for one that ends at once.
        asked = len(records_in(directory / "requests.jsonl"))
        deadline = time.monotonic() + 10
        while _lines_of_uwsgi(directory) < asked:
            assert time.monotonic() < deadline, "uWSGI has logged too little"
            time.sleep(0.05)
    return directory


def _lines_of_uwsgi(directory):
    return (directory / "uwsgi.log").read_text().count("=> generated ")


def test_each_request_is_counted_once(logs, capsys):
    """By uWSGI, requestlog, log_requests and log_file all at once."""
    names = ("uwsgi.log", "nova-api.log", "requests.jsonl")
    calls = {}
    for name in names:
        assert main(["report", "--json", str(logs / name)]) == 0
        calls[name] = json.loads(capsys.readouterr().out)["total"]["calls"]
    paths = [str(logs / name) for name in names]

    assert main(["report", "--json", *paths]) == 0

    found = json.loads(capsys.readouterr().out)
    expected = len(records_in(logs / "requests.jsonl"))
    assert expected >= 2 * CLIENTS * REQUESTS
    assert set(calls.values()) == {expected}
    assert found["total"]["calls"] == expected
    assert found["forms"] == {"log_file": expected}
    # requestlog, log_requests and uWSGI have lines of each as well.
    merged = [
        row["count"] for row in found["unread"] if "merged" in row["kind"]
    ]
    assert merged == [3 * expected]


@pytest.mark.parametrize(
    ("mode", "logger"),
    [
        ("threads", "nova.api.openstack.requestlog"),
        ("eventlet", "nova.osapi_compute.wsgi.server"),
    ],
)
def test_nova_alone_logs_a_line_a_request(capsys, mode, logger):
    """By one logger or the other; the manual has it to grep for."""
    directory = nova_api.new_directory(f"tests/report-{mode}")
    urls = sqlite_files.urls(directory, 2, print)
    own = {"log_file": str(directory / "requests.jsonl")}

    with nova_api.running(directory, urls, mode, own) as api:
        load.run(api.port, "/v2.1/servers", 1, REQUESTS)

    lines = (directory / "nova-api.log").read_text().splitlines()
    written = [line for line in lines if f" {logger} " in line]
    (directory / "own.log").write_text("\n".join(written))
    capsys.readouterr()
    assert main(["report", "--json", str(directory / "own.log")]) == 0
    calls = json.loads(capsys.readouterr().out)["total"]["calls"]
    assert calls == len(records_in(directory / "requests.jsonl")) >= REQUESTS
