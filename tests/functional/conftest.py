# SPDX-License-Identifier: Apache-2.0
"""What the functional tests need beside nova: a database, a broker."""

from __future__ import annotations

import os
import socket
import urllib.parse

import pytest
import sqlalchemy
from services import missing

from demo.databases.mysql_server import SERVER_URL

RABBIT_URL = "rabbit://guest:guest@127.0.0.1:5672/"


@pytest.fixture(scope="session")
def mysql_server() -> str:
    """Return the URL of a MySQL or MariaDB server that answers."""
    url = os.environ.get("MYSQL_URL", SERVER_URL)
    try:
        with sqlalchemy.create_engine(url).connect():
            return url
    except sqlalchemy.exc.SQLAlchemyError as exc:
        missing(f"no MySQL or MariaDB at MYSQL_URL: {exc.orig}")


@pytest.fixture(scope="session")
def rabbit() -> str:
    """Return the URL of a RabbitMQ that answers."""
    url = os.environ.get("RABBIT_URL", RABBIT_URL)
    address = urllib.parse.urlsplit(url)
    try:
        place = address.hostname or "", address.port or 5672
        socket.create_connection(place, 10).close()
    except OSError as exc:
        missing(f"no RabbitMQ at RABBIT_URL: {exc}")
    return url
