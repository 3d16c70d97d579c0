# SPDX-License-Identifier: Apache-2.0
"""The picture of what nova's own client and server sent each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from places import PYTHONPATH, TESTS

from nova_profiler.cli import main
from nova_profiler.dump_store import DumpStore

pytestmark = pytest.mark.functional

PROGRAM = TESTS / "functional" / "programs" / "nova_messages.py"


@pytest.fixture(scope="module", params=["threads", "eventlet"])
def dumps(request, tmp_path_factory):
    """Return a dump directory of a conductor in which one calls another."""
    directory = tmp_path_factory.mktemp("picture")
    (directory / "nova.conf").write_text(
        f"[DEFAULT]\ntransport_url = fake://\nlog_dir = {directory}\n"
    )
    (directory / "nova.conf.d").mkdir()
    (directory / "nova.conf.d" / "nova-profiler.conf").write_text(
        "[oslo_messaging_notifications]\ndriver = nova_profiler\n"
        f"[nova_profiler]\ndump_dir = {directory}/dumps\n"
        f"log_file = {directory}/records.json\n"
        "log_requests = message:all\ndump_when = message:all\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAM), str(directory)],
        capture_output=True,
        text=True,
        timeout=200,
        env={
            **os.environ,
            "PYTHONPATH": PYTHONPATH,
            "OS_NOVA_DISABLE_EVENTLET_PATCHING": (
                "1" if request.param == "threads" else "0"
            ),
        },
    )
    assert done.returncode == 0, done.stderr
    return directory / "dumps"


def test_a_call_within_a_message_is_below_it(dumps, capsys):
    """Linked by its id, its name and its moment; the caller waited."""
    store = DumpStore(dumps)
    (request_id,) = {
        record.request_id
        for record in map(store.read, store.entries())
        if record.route == "rpc conductor chain"
    }

    assert main(["show", request_id, "--dump-dir", str(dumps), "--json"]) == 0

    figures = json.loads(capsys.readouterr().out)
    chain, ping = sorted(
        figures["records"], key=lambda one: one["parent"] is not None
    )
    assert (chain["route"], chain["parent"]) == ("rpc conductor chain", None)
    assert (ping["route"], ping["parent_by"]) == ("rpc conductor ping", "id")
    assert ping["parent_waits"]
    assert ping["doubt"] is None
    assert chain["began_ms"] <= ping["sent_ms"] <= ping["arrived_ms"]
    holders = [one["holder"] for one in figures["until_answer"]["shares"]]
    assert set(holders) == {"nova-conductor", "broker"}
