# SPDX-License-Identifier: Apache-2.0
"""What is said where the cloud cannot be had on a machine."""

from __future__ import annotations

import sqlalchemy as sa

from demo.cloud import broker, databases


def test_without_rabbitmq_its_package_is_named(monkeypatch):
    """The server's program, not its service."""
    monkeypatch.setattr(broker, "_PROGRAMS", ("no-such-program",))

    assert "apt-get install rabbitmq-server" in (broker.missing() or "")


def test_a_server_that_refuses_is_named_without_its_password(monkeypatch):
    """The URL may have one."""

    def connect(*args, **kwargs):
        raise sa.exc.OperationalError("", {}, Exception(1045, "denied\nmore"))

    monkeypatch.setattr(databases, "_engine", connect)
    reason = databases.missing("mysql+pymysql://root:hunter2@127.0.0.1:1")

    assert reason is not None
    assert "127.0.0.1:1: denied; apt-get install mariadb-server" in reason
    assert "hunter2" not in reason
