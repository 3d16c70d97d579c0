# SPDX-License-Identifier: Apache-2.0
"""Requests of ORM queries over a real driver, which is on a clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from time import perf_counter
from typing import Any

import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.pool import StaticPool

from benchmarks.truth.clocks import CLOCKS

_QUERIES = 12
_SERVERS = 50
_DEVICES = 6
_DAY = datetime(2026, 11, 21, 10, 35)


class Base(orm.DeclarativeBase):
    """The tables of the ORM load."""


class Server(Base):
    """A row with columns that Python converts, as nova's have."""

    __tablename__ = "servers"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    host: orm.Mapped[str]
    created_at: orm.Mapped[datetime]
    updated_at: orm.Mapped[datetime]
    devices: orm.Mapped[list[Device]] = orm.relationship(
        lazy="selectin"  # codespell:ignore selectin
    )


class Device(Base):
    """A child row."""

    __tablename__ = "devices"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    server_id: orm.Mapped[int] = orm.mapped_column(
        sqlalchemy.ForeignKey("servers.id")
    )
    created_at: orm.Mapped[datetime]
    updated_at: orm.Mapped[datetime]


class TimedConnection(sqlite3.Connection):
    """A connection whose cursors are timed."""

    def cursor(self, *args: Any) -> Any:
        return super().cursor(TimedCursor)


class TimedCursor(sqlite3.Cursor):
    """A cursor with a clock round each call of the driver."""

    def execute(self, *args: Any) -> Any:
        return in_driver(super().execute, *args)

    def fetchone(self) -> Any:
        return in_driver(super().fetchone)

    def fetchmany(self, *args: Any) -> Any:
        return in_driver(super().fetchmany, *args)

    def fetchall(self) -> Any:
        return in_driver(super().fetchall)


def in_driver(call: Callable[..., Any], *args: Any) -> Any:
    began = perf_counter()
    try:
        return call(*args)
    finally:
        CLOCKS["in_driver"] += perf_counter() - began


# Their one connection stays open until close().
_ENGINES: list[sqlalchemy.Engine] = []


def close() -> None:
    """Close the databases of all loads."""
    while _ENGINES:
        _ENGINES.pop().dispose()


def orm_queries() -> Callable[[], None]:
    """Return a request that loads servers and their devices."""
    engine = sqlalchemy.create_engine(
        "sqlite://",
        poolclass=StaticPool,
        connect_args={"factory": TimedConnection, "check_same_thread": False},
    )
    _ENGINES.append(engine)
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        for number in range(_SERVERS):
            session.add(_server(number))
        session.commit()

    def request() -> None:
        for _ in range(_QUERIES):
            with orm.Session(engine) as session:
                found = session.scalars(sqlalchemy.select(Server))
                views = [_view_of(server) for server in found]
                assert len(views) == _SERVERS

    return request


def _view_of(server: Server) -> dict[str, Any]:
    """Return *server* as an API shows it."""
    return {
        "name": server.name,
        "host": server.host,
        "created": server.created_at.isoformat(),
        "updated": server.updated_at.isoformat(),
        "devices": [
            {
                "id": device.id,
                "created": device.created_at.isoformat(),
                "updated": device.updated_at.isoformat(),
            }
            for device in server.devices
        ],
    }


def _server(number: int) -> Server:
    return Server(
        name=f"server-{number}",
        host="compute-1",
        created_at=_DAY,
        updated_at=_DAY,
        devices=[
            Device(created_at=_DAY, updated_at=_DAY) for _ in range(_DEVICES)
        ],
    )
