# SPDX-License-Identifier: Apache-2.0
"""Workers that uWSGI replaces while they serve."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from uwsgi_workers import asked, uwsgi_serving, wait_for

pytestmark = [pytest.mark.functional]

CLIENTS = 4


def test_a_reload_loses_neither_a_request_nor_a_record(tmp_path: Path) -> None:
    """Each worker in turn, ``lazy-apps``, while clients ask."""
    fifo = tmp_path / "master"
    reloaded = threading.Event()
    answers: list[int] = []

    def ask(port: int) -> None:
        while not reloaded.is_set():
            answers.append(asked(port))

    def is_reloaded() -> bool:
        log = (tmp_path / "uwsgi.log").read_text()
        return "chain reloading complete" in log

    with uwsgi_serving(tmp_path, "--master-fifo", str(fifo)) as port:
        clients = [
            threading.Thread(target=ask, args=(port,)) for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        fifo.write_text("c")
        try:
            wait_for(is_reloaded)
        finally:
            reloaded.set()
            for client in clients:
                client.join()

    lines = (tmp_path / "requests.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    # uWSGI may break off a connection that it never gave to a worker.
    assert set(answers) <= {200, 0}
    # One more: the server was asked until it answered.
    assert len(records) == answers.count(200) + 1
    assert len({record["pid"] for record in records}) > 2
    assert {record["outcome"] for record in records} == {"ok"}
