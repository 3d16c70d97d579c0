# SPDX-License-Identifier: Apache-2.0
"""The real nova-conductor with forked workers, asked as by nova-compute."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from places import PYTHONPATH, TESTS
from services import RABBIT

from demo.databases import sqlite_files
from demo.server import configuration, nova_api
from demo.statsd_listener import StatsdListener
from nova_profiler.capture.served import kinds
from nova_profiler.dump_store import DumpStore
from nova_profiler.record import KINDS, RequestRecord

pytestmark = [pytest.mark.functional, pytest.mark.services]

PROGRAMS = TESTS / "functional" / "programs"
TIMES = 12
LIST = "rpc conductor ServiceList.get_all"
GET = "rpc conductor Instance.get_by_uuid"


class Run(NamedTuple):
    """What was asked, and what nova-conductor wrote."""

    asked: dict[str, Any]
    records: list[RequestRecord]
    dumps: list[RequestRecord]
    lines: list[str]
    log: str


def _environment() -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("OS_")},
        "PYTHONPATH": PYTHONPATH,
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1",
    }


def _written(directory: Path, port: int, urls: dict[str, str]) -> None:
    text = configuration.nova_conf_text(directory, urls, "http://[::1]", None)
    (directory / "nova.conf").write_text(text)
    (directory / "nova.conf.d").mkdir()
    (directory / "nova.conf.d" / "test.conf").write_text(
        f"[DEFAULT]\ntransport_url = {RABBIT}\n"
        # A virtual host of its own is more than this needs.
        f"control_exchange = nova-{os.getpid()}\n"
        # SQLite has one writer.
        "report_interval = 600\nservice_down_time = 900\n"
        f"host = conductor-1\nlog_file = {directory}/conductor.log\n"
        "[conductor]\nworkers = 2\n"
        f"[nova_profiler]\ndump_dir = {directory}/dumps\n"
        f"log_file = {directory}/records.json\n"
        f"statsd_host = 127.0.0.1\nstatsd_port = {port}\n"
        "log_requests = message:all\ndump_when = message:all\n"
    )
    (directory / "nova.conf.d" / "nova-profiler.conf").write_text(
        "[oslo_messaging_notifications]\ndriver = nova_profiler\n"
    )


def _asked(directory: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAMS / "ask_conductor.py")]
        + [str(directory), str(TIMES)],
        capture_output=True,
        text=True,
        timeout=200,
        env=_environment(),
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def run(rabbit) -> Iterator[Run]:
    """Return what nova-conductor served."""
    directory = nova_api.new_directory("tests/conductor")
    urls = sqlite_files.urls(directory, 2, print)
    datagrams: list[bytes] = []
    with StatsdListener(datagrams.append) as statsd:
        _written(directory, statsd.port, urls)
        with (directory / "output.log").open("wb") as output:
            conductor = subprocess.Popen(
                [sys.executable, "-W", "ignore"]
                + [str(PROGRAMS / "run_conductor.py")]
                + ["--config-file", str(directory / "nova.conf")]
                + ["--config-dir", str(directory / "nova.conf.d")],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=_environment(),
                start_new_session=True,
            )
        try:
            asked = _asked(directory)
            path = directory / "records.json"
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                if len(path.read_text().splitlines()) >= 2 * TIMES:
                    break
                time.sleep(0.05)
        finally:
            assert conductor.stdin is not None
            conductor.stdin.close()
            try:
                conductor.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(conductor.pid, signal.SIGKILL)
                conductor.wait()
    store = DumpStore(directory / "dumps")
    yield Run(
        asked,
        [
            RequestRecord.from_dict(json.loads(line))
            for line in path.read_text().splitlines()
        ],
        [store.read(one) for one in store.entries()],
        [one.decode() for data in datagrams for one in data.splitlines()],
        (directory / "conductor.log").read_text(),
    )


def of_client(run: Run, route: str) -> list[RequestRecord]:
    """Return the records of *route* that the client asked for."""
    return [
        one
        for one in run.records
        if one.route == route and one.request_id in run.asked["ids"]
    ]


def test_the_answers_are_novas(run):
    """A list from its database, and what is not there."""
    assert "nova-conductor" in run.asked["binaries"]
    assert run.asked["missing"] == TIMES


def test_every_message_has_its_record(run):
    """By the object's method; what is not there is no failure."""
    listed, got = of_client(run, LIST), of_client(run, GET)

    assert len(listed) == len(got) == TIMES
    assert {one.request_id for one in got} == set(run.asked["ids"])
    assert {(one.outcome, one.error) for one in listed} == {("ok", None)}
    assert {(one.outcome, one.error) for one in got} == {
        ("ok", "InstanceNotFound")
    }
    assert {one.service for one in run.records} == {"nova-conductor"}
    assert all(one.wait_ms is not None for one in got)


def test_what_the_conductor_does_is_in_the_record(run):
    """nova-compute has no database: its reads are here."""
    for one in of_client(run, LIST):
        assert one.groups["db_api"].calls >= 1
        assert one.groups["sql"].calls >= 1
        assert sum(one.breakdown_ms.values()) == pytest.approx(
            one.duration_ms, abs=0.1
        )


def test_workers_are_forked_and_have_their_own_ids(run):
    """No record id twice, whichever worker served."""
    ids = Counter(one.record_id for one in run.records)

    assert ids.most_common(1)[0][1] == 1
    assert len({one.pid for one in run.records}) == 2


def test_every_record_has_its_dump(run):
    """As dump_when asks."""
    assert {one.record_id for one in run.dumps} == {
        one.record_id for one in run.records
    }
    assert all(one.timeline is not None for one in run.dumps)


def test_each_worker_sends_metrics(run):
    """The first message's at once; the others wait for ten seconds to pass."""
    first = [line for line in run.lines if ".message.conductor." in line]
    waits = [line for line in run.lines if ".message_wait.conductor:" in line]

    assert len(first) == len(waits) == 2
    assert all(
        line.startswith("nova.nova-conductor.message.conductor.")
        for line in first
    )


def test_nothing_of_ours_failed(run):
    """And the log has no line of a failure."""
    absent = [
        f"serving_{kind.module} failed"
        for kind in KINDS
        if kind.module and find_spec(f"{kinds.__name__}.{kind.module}") is None
    ]
    failures = [
        line
        for line in run.log.splitlines()
        if "are only counted" in line
        and not any(one in line for one in absent)
    ]

    assert failures == []
