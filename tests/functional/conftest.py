# SPDX-License-Identifier: Apache-2.0
"""What the functional tests need beside nova: a database, a broker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy
from services import RABBIT, broker_here, missing
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from demo.databases.mysql_server import SERVER_URL

# Modules that use the one broker, MySQL's databases or the demo's directory.
# Others have what is theirs alone.
_SHARING = (
    "test_demo_",
    "test_driver_time",
    "test_nova_conductor",
    "test_nova_messages",
    "test_nova_records",
)


class ByModule(LoadScopeScheduling):
    """Has each module in one process, and all that share in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        name = Path(nodeid.partition("::")[0]).stem
        return "sharing" if name.startswith(_SHARING) else name


def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> ByModule:
    """Return who gets which tests, where several processes have them."""
    return ByModule(config, log)


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
