# SPDX-License-Identifier: Apache-2.0
"""An application whose statement hangs, as behind a lock of the database."""

from __future__ import annotations

import os
import time
from typing import Any

import sqlalchemy

from nova_profiler.factory import filter_factory

engine = sqlalchemy.create_engine("sqlite://")


@sqlalchemy.event.listens_for(engine, "connect")
def _connected(connection: Any, record: Any) -> None:
    connection.create_function("hang", 1, time.sleep)


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer, or hang in a statement."""
    if environ["PATH_INFO"] == "/v2.1/servers/detail":
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT hang(60)"))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


application = filter_factory(
    {},
    hooks="sqlalchemy,threads",
    slow_ms="500",
    dump_dir=os.environ["DUMPS"],
    log_file=os.environ["DUMPS"] + "/requests.jsonl",
)(app)
