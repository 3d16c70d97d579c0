# SPDX-License-Identifier: Apache-2.0
"""History over S3's own protocol: the figures that a directory gives."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from places import PYTHONPATH
from run_builders import run_of
from services import missing

pytestmark = pytest.mark.services

# In a process of its own: servers and clients leave threads.
ASKING = """
import json, os, sys
import boto3
from click.testing import CliRunner
from moto.server import ThreadedMotoServer
from nova_profiler import cli
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
boto3.client("s3").create_bucket(Bucket="runs")
printed = []
for command in json.loads(sys.argv[1]):
    result = CliRunner().invoke(cli.group, command)
    printed.append([result.exit_code, result.stdout, str(result.exception)])
print(json.dumps(printed))
server.stop()
"""
URL = "s3://runs/nightly"


def asked(commands: list[list[str]]) -> list[list]:
    """Return exit code, page and error of each command, over one server."""
    if importlib.util.find_spec("moto") is None:
        missing("no moto: make functional installs it")
    done = subprocess.run(
        [sys.executable, "-c", ASKING, json.dumps(commands)],
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONPATH": PYTHONPATH,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def log_of(path, seed: int, **how) -> str:
    """Write a run as lines of nova's own log; return the file's name."""
    lines = [
        f"2026-11-{21 + how.get('day', 0)} 08:00:{n % 60:02d}.000 1 INFO "
        "nova.api.openstack.requestlog [-] 192.0.2.7 "
        f'"GET {one.route}" status: 200 len: 10 microversion: - '
        f"time: {one.ms / 1000:.6f}\n"
        for n, one in enumerate(run_of(seed, routes=9, calls=30, **how))
    ]
    path.write_text("".join(lines))
    return str(path)


def test_runs_in_a_bucket_have_the_figures_of_a_directory(tmp_path):
    """Added, listed, compared and removed over HTTP."""
    logs = [
        log_of(tmp_path / "one.log", 1),
        log_of(tmp_path / "two.log", 2, day=1, slowed=1.6),
    ]
    place = str(tmp_path / "history")

    def commands(history: str) -> list[list[str]]:
        where = ["--history", history, "--json"]
        return [
            *(
                ["history", "add", f"n{number}", log, *where]
                for number, log in enumerate(logs)
            ),
            ["history", "trend", *where],
            ["compare", "n0", "n1", "--fail-above", "10", *where],
            ["history", "remove", "n0", *where],
            ["history", "list", *where],
        ]

    there, here = asked(commands(URL)), asked(commands(place))

    assert [one[0] for one in there] == [0, 0, 0, 1, 0, 0]
    for number in (2, 3, 4):
        assert there[number] == here[number]
    slower = [
        row["route"]
        for row in json.loads(there[3][1])["routes"]
        if row["verdict"] == "slower"
    ]
    assert slower == ["/r7"]
    runs = json.loads(there[5][1])["runs"]
    assert [run["name"] for run in runs] == ["n1"]


def test_a_bucket_that_is_not_there_is_one_line():
    """With the place, in the store's own words."""
    ((code, _, error),) = asked(
        [["history", "list", "--history", "s3://nobody/h"]]
    )

    assert code == 1
    assert error.startswith("s3://nobody/h: ")
    assert "bucket does not exist" in error
