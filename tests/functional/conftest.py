# SPDX-License-Identifier: Apache-2.0
"""What the tests with real services share: records read back, services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy

from demo import databases, mysql_databases
from nova_profiler.record import RequestRecord


def records_in(log_file: Path) -> list[RequestRecord]:
    """Return the records of a log file, in the order of their end."""
    return [
        RequestRecord.from_dict(json.loads(line))
        for line in log_file.read_text().splitlines()
    ]


@contextmanager
def marked_app(mode: str, url: str, log_file: Path) -> Iterator[int]:
    """Run marked_app in a process of its own; yields its port."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.functional.marked_app"),
            *(mode, url, str(log_file)),
        ],
        cwd=databases.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        yield int(process.stdout.readline())
        process.stdin.close()
        process.wait(30)


@pytest.fixture(scope="session")
def mysql_server() -> str:
    """Return the URL of a MySQL or MariaDB server that answers."""
    url = os.environ.get("MYSQL_URL", mysql_databases.SERVER_URL)
    try:
        with sqlalchemy.create_engine(url).connect():
            return url
    except sqlalchemy.exc.SQLAlchemyError as exc:
        reason = f"no MySQL or MariaDB at MYSQL_URL: {exc.orig}"
        if os.environ.get("NOVA_PROFILER_REQUIRE_SERVICES"):
            pytest.fail(reason)
        pytest.skip(reason)
