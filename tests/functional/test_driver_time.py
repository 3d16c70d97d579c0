# SPDX-License-Identifier: Apache-2.0
"""The driver's time agrees with what the database server itself measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from demo import load
from tests.functional.log_files import records_in
from tests.functional.programs import marked_server

pytestmark = [pytest.mark.functional, pytest.mark.services]

# Long enough that a busy machine is not 5 % of any.
SLEEPS = ("0.25", "0.5", "1.0")
_MARKED = "sql_text LIKE 'SELECT SLEEP(%'"


@pytest.fixture
def slow_log(mysql_server: str) -> Iterator[sa.Connection]:
    """Return a connection; the server logs every statement to its table."""
    engine = sa.create_engine(mysql_server, isolation_level="AUTOCOMMIT")
    wanted = {"slow_query_log": 1, "log_output": "TABLE", "long_query_time": 0}
    with engine.connect() as connection:
        before = {
            name: connection.execute(
                sa.text(f"SELECT @@GLOBAL.{name}")
            ).scalar()
            for name in wanted
        }
        _set(connection, wanted)
        try:
            yield connection
        finally:
            _set(connection, before)
    engine.dispose()


@pytest.mark.parametrize("mode", ["threads", "eventlet"])
def test_driver_time_is_the_servers(
    mode: str, mysql_server: str, slow_log: sa.Connection, tmp_path: Path
) -> None:
    """Each SELECT SLEEP took what the server's slow log has, within 5 %."""
    log_file = tmp_path / "requests.jsonl"
    started = slow_log.execute(sa.text("SELECT NOW(6)")).scalar()
    with marked_server.running(mode, mysql_server, log_file) as port:
        load.ask_each(port, [f"/sleep/{seconds}" for seconds in SLEEPS])
    measured = [record.groups["sql"].ms for record in records_in(log_file)]
    by_server = [
        seconds * 1000
        for (seconds,) in slow_log.execute(
            sa.text(
                "SELECT TIME_TO_SEC(query_time) FROM mysql.slow_log "
                f"WHERE start_time >= :started AND {_MARKED} "
                "ORDER BY start_time"
            ),
            {"started": started},
        )
    ]

    assert measured == pytest.approx([float(ms) for ms in by_server], rel=0.05)


def _set(connection: sa.Connection, variables: dict[str, Any]) -> None:
    for name, value in variables.items():
        connection.execute(
            sa.text(f"SET GLOBAL {name} = :value"), {"value": value}
        )
