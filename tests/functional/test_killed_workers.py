# SPDX-License-Identifier: Apache-2.0
"""Requests that uWSGI kills their worker for, seen before and after."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uwsgi_workers import asked, uwsgi_serving, wait_for

from nova_profiler.cli import main

pytestmark = [pytest.mark.functional]

WAYS = {
    "harakiri": ["--harakiri", "3"],
    "graceful": [
        *("--harakiri", "3", "--harakiri-graceful-timeout", "2"),
        *("--harakiri-graceful-signal", "15"),
    ],
}
PATH = "/v2.1/servers/detail"


@pytest.fixture(params=WAYS)
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Run uWSGI with two workers that hang when they are asked to."""
    with uwsgi_serving(tmp_path, *WAYS[request.param]) as port:
        yield port


def figures(capsys: Any, command: str, tmp_path: Path) -> Any:
    """Return what a command prints as JSON, None where it fails."""
    code = main([command, "--json", "--dump-dir", str(tmp_path)])
    printed = capsys.readouterr().out
    return json.loads(printed) if code == 0 else None


def listed(capsys: Any, tmp_path: Path) -> Any:
    """Return the dumps that there are, None where the command fails."""
    found = figures(capsys, "list", tmp_path)
    return found and found["dumps"]


def test_a_request_that_its_worker_is_killed_for_is_found(
    port: int, tmp_path: Path, capsys: Any
) -> None:
    """While it hangs, at once when it was killed, and as a record."""
    hanging = threading.Thread(target=asked, args=(port, PATH))
    hanging.start()

    def seen() -> Any:
        fields = figures(capsys, "running", tmp_path)
        for one in fields["requests"] if fields else ():
            # Not while it connects to the database.
            groups = [call["group"] for call in one["open_calls"] or ()]
            if one["path"] == PATH and "sql" in groups:
                return one
        return None

    now = wait_for(seen)
    hanging.join()
    # Before another worker has served a request. The kernel closes what a
    # process had before that process has ended.
    (before,) = wait_for(lambda: listed(capsys, tmp_path))
    wait_for(lambda: asked(port) == 200)

    def recorded() -> Any:
        # The thread of a request logs what another one finds.
        asked(port)
        lines = (tmp_path / "requests.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [one for one in found if one["outcome"] == "killed"]

    (record,) = wait_for(recorded)
    assert [call["group"] for call in now["open_calls"]] == ["sql"]
    assert now["open_stacks"][0]["frames"]
    assert before["outcome"] == "killed"
    assert before["started_at"] == record["started_at"]
    assert record["path"] == PATH
    assert record["pid"] == now["pid"]
    assert record["duration_ms"] > 500
    # The dump comes after the line.
    (entry,) = wait_for(lambda: listed(capsys, tmp_path))
    assert entry["outcome"] == "killed"
    assert "/.running/" not in entry["file"]
