# SPDX-License-Identifier: Apache-2.0
"""The real placement, wrapped by its name, under uWSGI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from places import PYTHONPATH
from uwsgi_workers import asked, uwsgi_serving, wait_for

pytestmark = [pytest.mark.functional]

CONF = """
[placement_database]
connection = sqlite:///{folder}/placement.db
sync_on_startup = true
[api]
auth_strategy = noauth2
[nova_profiler]
log_file = {folder}/requests.jsonl
dump_dir = {folder}/dumps
dump_when = all
"""


def test_workers_forked_after_the_load_time_their_requests(tmp_path: Path):
    """uWSGI loads the module in its master, and forks both workers then."""
    (tmp_path / "placement.conf").write_text(CONF.format(folder=tmp_path))
    records = tmp_path / "requests.jsonl"

    def workers() -> set[int]:
        lines = records.read_text().splitlines()
        return {json.loads(line)["pid"] for line in lines}

    def both_have_answered() -> bool:
        assert asked(port, "/resource_providers") == 401
        assert asked(port, "/no/such/thing") == 401
        return len(workers()) == 2

    with uwsgi_serving(
        tmp_path,
        app=("--module", "nova_profiler.wsgi:application"),
        environ={
            "OS_PLACEMENT_CONFIG_DIR": str(tmp_path),
            "NOVA_PROFILER_APPLICATION": "placement.wsgi.api:application",
            "PYTHONPATH": PYTHONPATH,
        },
    ) as port:
        wait_for(both_have_answered)

    found = [json.loads(line) for line in records.read_text().splitlines()]
    assert {record["service"] for record in found} == {"placement"}
    assert {(record["route"], record["status"]) for record in found} == {
        ("/", 200),
        ("/resource_providers", 401),
        ("unmatched", 401),
    }
    dumps = list((tmp_path / "dumps").glob("*/*.json"))
    assert len(dumps) == len(found)
