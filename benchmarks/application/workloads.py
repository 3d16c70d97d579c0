# SPDX-License-Identifier: Apache-2.0
"""The WSGI application that every contender wraps, and its requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Engine

from benchmarks.application import db_api

REPEATS = 100
_BODY = b'{"servers": ["' + b"x" * 1005 + b'"]}'
_HEADERS = [
    ("Content-Type", "application/json"),
    ("Content-Length", str(len(_BODY))),
]
_ONE = select(db_api.Instance.id).where(db_api.Instance.id == bindparam("id"))
_ONE_ID = {"id": 3}


class Workload(NamedTuple):
    """One kind of request, what it does and on which engine."""

    name: str
    requests: int
    statements: int
    calls: int
    listened: bool = True


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("request", 1, 0, 0),
        Workload("orm", 1, 4, 4),
        Workload("orm-bare", 1, 4, 4, listened=False),
        Workload("statements", 1, REPEATS, 0),
        Workload("statements-bare", 1, REPEATS, 0, listened=False),
        Workload("fetches", 1, REPEATS, 0),
        Workload("calls", 1, 0, REPEATS),
    )
}


class Route:
    """Stands where nova's router leaves the route it matched."""

    routepath = "/servers/detail"
    routelist = ("/servers/detail",)
    conditions = {"method": ["GET"]}


class Engines(NamedTuple):
    """The two kinds of engine: with other listeners on it, and without."""

    listened: Engine
    bare: Engine


def engines() -> Engines:
    """Return one engine of each kind."""
    return Engines(
        db_api.engine_of(listened=True), db_api.engine_of(listened=False)
    )


class NovaLike:
    """Serve each workload, leaving in the environ what nova leaves there."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._route = Route()
        self._work: dict[str, Callable[[db_api.Context], None]] = {
            "request": _no_work,
            "orm": _orm,
            "orm-bare": _orm,
            "statements": _statements,
            "statements-bare": _statements,
            "fetches": _fetches,
            "calls": _calls,
        }
        self._contexts = {
            name: db_api.Context(
                engines.listened if workload.listened else engines.bare,
                REQUEST_ID,
                USER_ID,
                PROJECT_ID,
            )
            for name, workload in WORKLOADS.items()
        }

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> list[bytes]:
        name = environ["benchmark.workload"]
        context = self._contexts[name]
        environ["openstack.request_id"] = REQUEST_ID
        environ["nova.context"] = context
        environ["routes.route"] = self._route
        environ["SCRIPT_NAME"] = "/v2.1"
        self._work[name](context)
        start_response("200 OK", _HEADERS)
        return [_BODY]


REQUEST_ID = "req-6ec84648-1f3a-4b57-9c1d-0d2f5a7c9e11"
USER_ID = "6e6f76617269672d757365722d303031"
PROJECT_ID = "6e6f7661707269672d70726f6a656374"


def environ_of(workload: str) -> dict[str, Any]:
    """Return the environ of a request as a server makes it."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/v2.1/servers/detail",
        "QUERY_STRING": "limit=10",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8774",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8774",
        "HTTP_ACCEPT": "application/json",
        "HTTP_USER_AGENT": "python-novaclient",
        "HTTP_X_AUTH_TOKEN": "not-a-token",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "benchmark.workload": workload,
    }


def _no_work(context: db_api.Context) -> None:
    pass


def _orm(context: db_api.Context) -> None:
    db_api.instances_get_all(context)
    db_api.faults_get_all(context)
    db_api.devices_get_all(context)
    db_api.extras_get_all(context)


def _statements(context: db_api.Context) -> None:
    with context.engine.connect() as connection:
        for _ in range(REPEATS):
            connection.execute(_ONE, _ONE_ID)


def _fetches(context: db_api.Context) -> None:
    with context.engine.connect() as connection:
        for _ in range(REPEATS):
            connection.execute(_ONE, _ONE_ID).all()


def _calls(context: db_api.Context) -> None:
    for _ in range(REPEATS):
        db_api.nothing(context)
