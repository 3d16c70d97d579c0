# SPDX-License-Identifier: Apache-2.0
"""Records into a real ClickHouse, which chdb has as a library.

It runs in a process of its own: ``python -m benchmarks.shipping.clickhouse
FOLDER LOG_FILE QUERY`` prints what is in the table then, as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.shipping.records import Sums
from nova_profiler.reading.shipping import clickhouse
from nova_profiler.reading.shipping.plan import NAME, Plan

# As clickhouse-client is asked for it in the file's head.
_INSERT = (
    f"INSERT INTO {NAME} SETTINGS date_time_input_format = 'best_effort', "
    "input_format_skip_unknown_fields = 1 FORMAT JSONEachRow "
)
# Bytes of one statement.
_MOST = 64 << 20
_SUMS = """
SELECT count(), sum(toInt64(round(duration_ms * 1000))),
    sum(arraySum(arrayMap(one -> one.calls, mapValues(groups)))),
    sum(length(calls)),
    sum(arraySum(arrayMap(one -> toInt64(round(one.ms * 1000)), calls)))
FROM nova_profiler
"""
_SPAN = "SELECT min(started_at), max(started_at) FROM nova_profiler"
_KEY = "SELECT sorting_key FROM system.tables WHERE name = 'nova_profiler'"


def is_here() -> bool:
    """Return whether chdb is installed."""
    return importlib.util.find_spec("chdb") is not None


def stored(
    log_file: Path, folder: Path, query: str = ""
) -> tuple[Sums, dict[str, Any]]:
    """Return what a table made of *log_file* adds up to, and its facts.

    These are ``seconds``, of reading the file, ``sort_key``, ``first`` and
    ``last``, the moments of its records, and ``answer``, the rows of *query*.
    Raises RuntimeError, with what ClickHouse prints, where it refuses.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, folder, log_file, query],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])
    return Sums(*found.pop("sums")), found


def _main(folder: str, log_file: str, query: str) -> None:
    from chdb.session import Session

    session = Session(folder)

    def rows(asked: str) -> list[Any]:
        answer = session.query(asked, "JSONCompactEachRow")
        return [json.loads(line) for line in str(answer).splitlines()]

    session.query("CREATE DATABASE IF NOT EXISTS shipped")
    session.query("USE shipped")
    session.query(clickhouse.text(Plan(log_file, 30)))
    began = time.perf_counter()
    with open(log_file, encoding="ascii") as file:
        while lines := file.readlines(_MOST):
            session.query(_INSERT + "".join(lines))
    seconds = time.perf_counter() - began
    (key,), (first, last) = rows(_KEY)[0], rows(_SPAN)[0]
    found = {
        "sums": [int(one) for one in rows(_SUMS)[0]],
        "seconds": seconds,
        "sort_key": key,
        "first": first,
        "last": last,
        "answer": rows(query) if query else None,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    _main(*sys.argv[1:])
