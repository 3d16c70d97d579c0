# SPDX-License-Identifier: Apache-2.0
"""Messages of nova's own client and server, switched on by one drop-in file.

Over the transport without a broker and over RabbitMQ, with threads and with
eventlet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any, NamedTuple

import pytest
from places import PYTHONPATH, TESTS
from services import RABBIT, broker_here

from nova_profiler.record import RequestRecord

pytestmark = pytest.mark.functional

PROGRAM = TESTS / "functional" / "programs" / "nova_messages.py"
GROUP = "oslo.messaging.notify.drivers"


class Run(NamedTuple):
    """What a process printed, and the records that it wrote."""

    mode: str
    url: str
    seen: dict[str, Any]
    records: list[RequestRecord]
    text: str

    def of(self, route: str, method: str = "CALL") -> list[RequestRecord]:
        wanted = f"rpc conductor {route}", method
        return [
            one for one in self.records if (one.route, one.method) == wanted
        ]


@pytest.fixture(
    scope="module",
    params=[
        ("threads", "fake://"),
        ("eventlet", "fake://"),
        ("threads", RABBIT),
        ("eventlet", RABBIT),
    ],
    ids=["threads-fake", "eventlet-fake", "threads-rabbit", "eventlet-rabbit"],
)
def run(request, tmp_path_factory) -> Iterator[Run]:
    """Return what one process served."""
    points = metadata.entry_points(group=GROUP)
    if "nova_profiler" not in {point.name for point in points}:
        pytest.fail("the driver is no entry point here: pip install -e .")
    mode, url = request.param
    if url == RABBIT:
        broker_here()
    directory = tmp_path_factory.mktemp("messages")
    # What an operator has, and beside it the file that switches us on.
    (directory / "nova.conf").write_text(
        f"[DEFAULT]\ntransport_url = {url}\nlog_dir = {directory}\n"
        "[oslo_messaging_notifications]\ndriver = noop\n"
        "[notifications]\nnotification_format = versioned\n"
    )
    (directory / "nova.conf.d").mkdir()
    (directory / "nova.conf.d" / "nova-profiler.conf").write_text(
        "[oslo_messaging_notifications]\ndriver = nova_profiler\n"
        f"[nova_profiler]\ndump_dir = {directory}/dumps\n"
        f"log_file = {directory}/records.json\n"
        "log_requests = message:all\ndump_when = message:failed\n"
    )
    disabled = "1" if mode == "threads" else "0"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAM), str(directory)],
        capture_output=True,
        text=True,
        timeout=200,
        env={
            **os.environ,
            "PYTHONPATH": PYTHONPATH,
            "OS_NOVA_DISABLE_EVENTLET_PATCHING": disabled,
        },
    )
    assert done.returncode == 0, done.stderr
    text = (directory / "records.json").read_text()
    yield Run(
        mode,
        url,
        json.loads(done.stdout.splitlines()[-1]),
        [
            RequestRecord.from_dict(json.loads(one))
            for one in text.splitlines()
        ],
        text,
    )


def test_answers_are_what_they_are_without_us(run):
    """An expected exception, a failure, a method that is not there."""
    answers = run.seen["answers"]

    assert answers["ping"] is True
    assert answers["chain"] is True
    assert answers["missing"].startswith("InstanceNotFound")
    assert answers["broken"] == "ValueError"
    assert answers["no_such_method"] in ("NoSuchMethod", "RemoteError")
    assert answers["object_class_action_versions"] is None


def test_before_the_first_message_nothing_is_open(run):
    """The service may fork, or be a command that serves nothing."""
    before = run.seen["before"]

    assert before["threads"] == 1
    assert (before["dumps"], before["log"]) == (False, False)


def test_noop_stays_off(run):
    """nova builds no payload of a notification."""
    assert run.seen["before"]["notifies"] is False


def test_threads_stay_without_eventlet(run):
    """nova refuses to start where something has loaded it."""
    assert run.seen["after"]["eventlet"] is (run.mode == "eventlet")


def test_each_message_has_one_record(run):
    """Under the name of the program that served it."""
    found = sorted((one.method, one.route, one.outcome) for one in run.records)

    assert found == [
        ("CALL", "rpc conductor Instance.get_by_uuid", "ok"),
        ("CALL", "rpc conductor broken", "failed"),
        ("CALL", "rpc conductor chain", "ok"),
        ("CALL", "rpc conductor missing", "ok"),
        ("CALL", "rpc conductor other", "failed"),
        ("CALL", "rpc conductor ping", "ok"),
        ("CALL", "rpc conductor ping", "ok"),
        ("CAST", "rpc conductor ping", "ok"),
    ]
    assert {one.service for one in run.records} == {"nova-conductor"}
    assert {one.kind for one in run.records} == {"message"}
    assert {one.user_id for one in run.records} == {"a-user"}
    assert {one.project_id for one in run.records} == {"a-project"}
    assert len({one.record_id for one in run.records}) == len(run.records)
    assert "a-secret" not in run.text


def test_an_answer_that_is_declared_is_no_failure(run):
    """Its class is in the record all the same."""
    (expected,) = run.of("missing")
    (failed,) = run.of("broken")

    assert (expected.outcome, expected.error) == ("ok", "InstanceNotFound")
    assert (failed.outcome, failed.error) == ("failed", "ValueError")


def test_what_a_message_sends_has_it_for_a_parent(run):
    """One of the pings was sent by the chain; no other has a parent."""
    (chain,) = run.of("chain")
    parents = {
        one.parent_id: one for one in run.records if one.parent_id is not None
    }

    assert set(parents) == {chain.record_id}
    child = parents[chain.record_id]
    assert child.route == "rpc conductor ping"
    assert child.request_id == chain.request_id
    assert chain.started_at <= child.sent_at <= child.started_at
    assert [call.name for call in chain.calls if call.group == "rpc"] == [
        "conductor ping"
    ]


def test_the_wait_for_a_worker_is_known_over_a_broker(run):
    """The transport without one has no clock for it."""
    waits = [one.wait_ms for one in run.records]

    if run.url == RABBIT:
        assert all(wait is not None and wait >= 0 for wait in waits)
    else:
        assert waits == [None] * len(waits)


def test_greenthreads_have_no_clock_of_their_own(run):
    """As in nova-api."""
    for one in run.records:
        assert (one.cpu_ms is None) is (run.mode == "eventlet")
