# SPDX-License-Identifier: Apache-2.0
"""Requests whose time is known part by part, from clocks round the parts."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from time import perf_counter
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.pool import StaticPool

from benchmarks.stack_padding import CHUNK_WORDS, padded_call

# Seconds by part since they were last taken; parts do not overlap.
CLOCKS: dict[str, float] = defaultdict(float)

# The function, and the clock, of a request as a whole.
WHOLE = "whole_request"
# So many that the shortest function takes longer than 12 ms, the time between
# two samples: what comes after the last one of a request is lost.
_TURNS = 500_000
_QUERIES = 12
_SERVERS = 50
_DEVICES = 6
_DAY = datetime(2026, 11, 21, 10, 35)


class Load(NamedTuple):
    """One kind of request, and the functions whose shares are known."""

    name: str
    parts: tuple[str, ...]
    make: Callable[[], Callable[[], None]]
    # Whether it is many small calls that take the time.
    calls_often: bool = False


def taken() -> dict[str, float]:
    """Return the clocks, which start anew."""
    found = dict(CLOCKS)
    CLOCKS.clear()
    return found


# -- 60, 30 and 10 % --------------------------------------------------------


def plain() -> Callable[[], None]:
    """Return a request of three functions that only compute."""

    def request() -> None:
        sixty(6 * _TURNS)
        thirty(3 * _TURNS)
        ten(_TURNS)

    return request


def with_small_calls() -> Callable[[], None]:
    """Return a request whose 30 % go to a function that calls a small one.

    How many such calls take 30 % is found out on this machine.
    """
    turn_s = _seconds(sixty, 6 * _TURNS)
    call_s = _seconds(thirty_by_calls, 3 * _TURNS)
    taken()

    def request() -> None:
        sixty(6 * _TURNS)
        thirty_by_calls(int(3 * _TURNS * turn_s / call_s))
        ten(_TURNS)

    return request


def sixty(turns: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(turns):
        value = (value + number) % 1009
    CLOCKS["sixty"] += perf_counter() - began


def thirty(turns: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(turns):
        value = (value + number) % 1009
    CLOCKS["thirty"] += perf_counter() - began


def thirty_by_calls(calls: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(calls):
        value = small(value, number)
    CLOCKS["thirty_by_calls"] += perf_counter() - began


def small(value: int, number: int) -> int:
    return (value + number) % 1009


def ten(turns: int) -> None:
    began = perf_counter()
    value = 0
    for number in range(turns):
        value = (value + number) % 1009
    CLOCKS["ten"] += perf_counter() - began


def _seconds(function: Callable[[int], None], turns: int) -> float:
    """Return how long a turn takes at least."""
    best = float("inf")
    for _ in range(3):
        began = perf_counter()
        function(turns)
        best = min(best, (perf_counter() - began) / turns)
    return best


# -- an ORM query over a real driver ----------------------------------------


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


LOADS = {
    load.name: load
    for load in (
        Load("split", ("sixty", "thirty", "ten"), plain),
        Load(
            "small-calls",
            ("sixty", "thirty_by_calls", "ten"),
            with_small_calls,
            calls_often=True,
        ),
        Load("orm", ("in_driver",), orm_queries, calls_often=True),
    )
}


def app_of(request: Callable[[], None]) -> Callable[..., Iterable[bytes]]:
    """Return an application that serves *request*, all of it on a clock.

    The request begins a chunk of Python's frame stack of its own. It would
    take longer or shorter by the number of frames below it, which is
    another one with each profiler; see stack_padding.
    """
    in_own_chunk = padded_call(CHUNK_WORDS)

    def whole_request(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        began = perf_counter()
        in_own_chunk(request)
        start_response("200 OK", [("Content-Type", "text/plain")])
        CLOCKS[WHOLE] += perf_counter() - began
        return [b"ok"]

    return whole_request
