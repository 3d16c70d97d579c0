# SPDX-License-Identifier: Apache-2.0
"""What the functional tests need beside nova: a database, a broker."""

from __future__ import annotations

import os

import pytest
import sqlalchemy
from services import RABBIT, broker_here, missing

from demo.databases.mysql_server import SERVER_URL


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
    broker_here()
    return RABBIT
