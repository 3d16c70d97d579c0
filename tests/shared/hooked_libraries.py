# SPDX-License-Identifier: Apache-2.0
"""Libraries as the hooks know them, and work that calls all they hook.

Stand-ins, so that a request takes a moment; SQLAlchemy, logging and the
threads are real.
"""

from __future__ import annotations

import gc
import logging
import sqlite3
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import sqlalchemy
from oslo_config import cfg
from sqlalchemy import pool, text

from nova_profiler.capture.hooks import (
    cache_calls,
    config_lookups,
    garbage_collections,
    instance_events,
    lock_waits,
    log_handlers,
    policy_checks,
    pool_waits,
    timed_callables,
)
from nova_profiler.capture.hooks.database import (
    db_api_calls,
    sqlalchemy_statements,
)
from nova_profiler.capture.hooks.http import sent_requests
from nova_profiler.capture.hooks.processes import child_processes
from nova_profiler.capture.hooks.rpc import sent_messages
from nova_profiler.capture.hooks.spawns import thread_spawns

REQUEST_ID = "req-0a0b0c0d-1111-4222-8333-444455556666"
DB_API = "nova_profiler_test_db_api"
TIMED = "nova_profiler_test_timed"

Seen = list[Any]
# What stand-ins of modules hold, by the names of both.
Contents = dict[str, dict[str, Any]]


class RefusedError(Exception):
    """What these libraries raise."""


def returning(value: Any, *names: str) -> Any:
    """Return a method that returns *value* and has parameters *names*."""
    made: dict[str, Any] = {"value": value, "RefusedError": RefusedError}
    exec(
        compile(
            f"def method(self, {', '.join((*names, '*args'))}, **kwargs):\n"
            "    if 'fails' in args:\n"
            "        raise RefusedError('as asked')\n"
            "    return value",
            __file__,
            "exec",
        ),
        made,
    )
    return made["method"]


def function(value: Any, *names: str) -> Any:
    """Return the same as a function."""
    method = returning(value, *names)

    def call(*args: Any, **kwargs: Any) -> Any:
        return method(None, *args, **kwargs)

    call.__signature__ = _signature(method)  # type: ignore[attr-defined]
    return call


def _signature(method: Any) -> Any:
    import inspect

    found = inspect.signature(method)
    return found.replace(parameters=list(found.parameters.values())[1:])


class Held:
    """A lock as a with statement takes it."""

    def __enter__(self) -> str:
        return "held"

    def __exit__(self, *exc_info: object) -> bool:
        return exc_info[0] is RefusedError


class Response:
    headers = {"x-openstack-request-id": REQUEST_ID}


class FarBackend:
    """A backend outside the process."""


class MemoryBackend:
    """One in it."""


def _class(class_name: str, /, **content: Any) -> type:
    return type(class_name, (), content)


def _calling(name: str, *names: str) -> Any:
    """Return a method that calls another one of its instance."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, name)(*args, **kwargs)

    return method


def modules() -> dict[str, types.ModuleType]:
    """Return the stand-ins by the names of their modules."""
    contents: Contents = {
        **_http(),
        **_caches(),
        **_waits(),
        **_processes(),
        **_messages(),
        DB_API: _db_api(),
        TIMED: {
            "work": lambda: "worked",
            "Worker": _class("W", do=returning(2)),
        },
    }
    made = {name: types.ModuleType(name) for name in contents}
    for name, content in contents.items():
        vars(made[name]).update(content)
    return made


def _http() -> Contents:
    pool_class = _class(
        "HTTPConnectionPool",
        urlopen=returning(Response(), "method", "url"),
        host="host.example",
    )

    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.fails:
            raise RefusedError("as asked")
        return pool_class().urlopen(request.method, request.url)

    sent = _class("Session", send=send)

    def request(self: Any, url: str, method: str, **kwargs: Any) -> Any:
        one = types.SimpleNamespace(
            method=method, url=url, fails=kwargs.get("fails")
        )
        return sent().send(one)

    return {
        "keystoneauth1.session": {"Session": _class("S", request=request)},
        "keystoneauth1.discover": {
            "get_version_data": lambda url: request(None, url, "GET")
        },
        "keystonemiddleware.auth_token": {
            "AuthProtocol": _class(
                "A", fetch_token=returning("token", "token")
            )
        },
        "requests.sessions": {"Session": sent},
        "urllib3.connectionpool": {"HTTPConnectionPool": pool_class},
    }


def _caches() -> Contents:
    region = _class(
        "CacheRegion",
        # One call each.
        **{name: returning(name) for name in cache_calls._OPERATIONS},
    )
    tokens = _class(
        "TokenCache",
        get=returning("t", "token_id"),
        set=returning(1, "token_id"),
    )
    return {
        "dogpile.cache.region": {"CacheRegion": region},
        "keystonemiddleware.auth_token._cache": {"TokenCache": tokens},
    }


def _waits() -> Contents:
    event = _class(
        "_InstanceEvent",
        wait=returning("came", "timeout"),
        name="network-changed",
    )
    return {
        "nova.compute.manager": {
            "ComputeVirtAPI": _class("V", _InstanceEvent=event)
        },
        "nova.objects.external_event": {"EVENT_NAMES": ["network-changed"]},
        "oslo_concurrency.lockutils": {
            "lock": lambda name, *args, **kwargs: Held()
        },
        "oslo_policy.policy": {
            "Enforcer": _class("Enforcer", enforce=returning(True))
        },
    }


def _processes() -> Contents:
    rootwrap = _class(
        "Client",
        execute=lambda self, cmd, stdin=None: (
            self._ensure_initialized(),
            _executed(cmd),
        ),
        _ensure_initialized=returning("initialized"),
    )
    return {
        "oslo_concurrency.processutils": {
            "execute": lambda *cmd, **kwargs: _executed(cmd),
            "ssh_execute": function("ssh"),
        },
        "oslo_privsep.daemon": {
            "_ClientChannel": _class("C", remote_call=returning("ret", "name"))
        },
        "oslo_privsep.priv_context": {
            "PrivContext": _class("P", start=returning("started"))
        },
        "oslo_rootwrap.client": {"Client": rootwrap},
    }


def _messages() -> Contents:
    transport = _class(
        "Transport",
        _send=returning(
            "reply", "target", "ctxt", "message", "wait_for_reply"
        ),
        _send_notification=returning("sent", "target", "ctxt", "message"),
    )

    def call(self: Any, ctxt: Any, method: str, **kwargs: Any) -> Any:
        message = {"method": method, "args": kwargs}
        target = types.SimpleNamespace(topic="conductor", fanout=False)
        return transport()._send(target, ctxt, message, True, *self.more)

    def notify(self: Any, ctxt: Any, event: str, payload: Any) -> Any:
        target = types.SimpleNamespace(topic="notifications", fanout=False)
        return transport()._send_notification(
            target, ctxt, {"event_type": event}
        )

    context = _class("_BaseCallContext", call=call, cast=call, more=())
    return {
        "oslo_messaging.transport": {"Transport": transport},
        "oslo_messaging.rpc.client": {"_BaseCallContext": context},
        "oslo_messaging.notify.notifier": {
            "Notifier": _class("N", _notify=notify)
        },
    }


def _executed(cmd: Any) -> tuple[str, str]:
    if "fails" in cmd:
        raise RefusedError("as asked")
    return "out", "err"


def _db_api() -> dict[str, Any]:
    def instance_get(context: Any, engine: Any = None) -> Any:
        return None if engine is None else _statements(engine)

    def instance_fails(context: Any) -> None:
        raise RefusedError("as asked")

    def instance_yield(context: Any) -> Iterator[int]:
        got = yield 1
        yield got
        raise RefusedError("as asked")

    found = (instance_get, instance_fails, instance_yield)
    for one in found:
        one.__module__ = DB_API
    return {one.__name__: one for one in found}


def _statements(engine: Any) -> Seen:
    seen: Seen = []
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id FROM instances"))
        seen.append(rows.fetchall())
        connection.execute(
            text("INSERT INTO instances (id) VALUES (:id)"),
            [{"id": 5}, {"id": 6}],
        )
        rows = connection.exec_driver_sql("SELECT id FROM instances")
        seen += [tuple(rows.fetchone()), [tuple(x) for x in rows.fetchmany(2)]]
        rows.close()
        seen.append(_tried(connection.execute, text("SELECT no FROM no")))
        connection.rollback()
        connection.commit()
    return seen


def _tried(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what *call* returns, or the class of what it raises."""
    try:
        return call(*args, **kwargs)
    except Exception as exc:
        return type(exc).__name__


def engine_of() -> Any:
    """Return a database in memory, with one connection at a time."""
    return sqlalchemy.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            "file:injection?mode=memory&cache=shared",
            uri=True,
            check_same_thread=False,
        ),
        poolclass=pool.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
    )


def install() -> Callable[[], None]:
    """Install every hook; the stand-ins are in ``sys.modules`` by now."""
    undos = ExitStack()
    for hook, *taken in (
        (sqlalchemy_statements,),
        (db_api_calls, [DB_API]),
        (sent_messages,),
        (child_processes,),
        (thread_spawns,),
        (config_lookups,),
        (sent_requests,),
        (cache_calls,),
        (instance_events,),
        (timed_callables, [f"{TIMED}:work", f"{TIMED}:Worker.do"]),
        (lock_waits,),
        (log_handlers,),
        (policy_checks,),
        (garbage_collections,),
        (pool_waits,),
    ):
        undos.callback(hook.install(*taken))  # type: ignore[attr-defined]
    return undos.close


class Kept(logging.Handler):
    """A handler that keeps messages."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self._seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        self._seen.append(record.getMessage())


def _find(module: str, *path: str) -> Any:
    found: Any = sys.modules[module]
    for name in path:
        found = getattr(found, name)
    return found


def in_database(seen: Seen, engine: Any) -> None:
    """Call the DB API and SQLAlchemy."""
    api = sys.modules[DB_API]
    seen.append(_tried(api.instance_get, "context"))
    seen.append(_tried(api.instance_get, "context", engine))
    # On a new connection.
    engine.dispose()
    seen.append(_tried(api.instance_get, "context", engine=engine))
    seen.append(_tried(api.instance_fails, "context"))
    steps = api.instance_yield("context")
    seen += [next(steps), steps.send(2), _tried(next, steps)]
    steps = api.instance_yield("context")
    seen += [next(steps), steps.close()]


def in_messages(seen: Seen) -> None:
    """Send messages."""
    context = _find("oslo_messaging.rpc.client", "_BaseCallContext")()
    seen.append(_tried(context.call, {}, "ping", a=1))
    context.more = ("fails",)
    seen.append(_tried(context.cast, {}, "ping"))
    notifier = _find("oslo_messaging.notify.notifier", "Notifier")()
    seen.append(_tried(notifier._notify, {}, "instance.create", "payload"))


def in_services(seen: Seen) -> None:
    """Send requests to other services, and ask caches."""
    session = _find("keystoneauth1.session", "Session")()
    wanted = {"service_type": "network"}
    for more in ({"endpoint_filter": wanted}, {}, {"fails": True}):
        found = _tried(session.request, "http://a.example/v2", "GET", **more)
        seen.append(getattr(found, "headers", found))
    discover = _find("keystoneauth1.discover", "get_version_data")
    seen.append(discover("http://a.example/").headers)
    protocol = _find("keystonemiddleware.auth_token", "AuthProtocol")()
    seen.append(_tried(protocol.fetch_token, "token"))
    seen.append(_tried(protocol.fetch_token, "token", "fails"))
    connections = _find("urllib3.connectionpool", "HTTPConnectionPool")()
    seen.append(_tried(connections.urlopen, "GET", "/v2.0/ports").headers)
    region = _find("dogpile.cache.region", "CacheRegion")()
    for backend in (FarBackend(), MemoryBackend()):
        region.backend = backend
        seen.append(_tried(region.set, "k", 1))
        seen.append(_tried(region.delete, "k", "fails"))
    tokens = _find("keystonemiddleware.auth_token._cache", "TokenCache")()
    seen.append(_tried(tokens.get, "id"))
    tokens._memcached_servers = ["far"]
    seen.append(_tried(tokens.set, "id", "fails"))


def in_compute(seen: Seen) -> None:
    """Wait, lock, run programs, check policy, and log."""
    event = _find("nova.compute.manager", "ComputeVirtAPI", "_InstanceEvent")()
    seen += [_tried(event.wait, 5), _tried(event.wait, 5, "fails")]
    lock = _find("oslo_concurrency.lockutils", "lock")
    with lock("cells-1") as held:
        seen.append(held)
    with lock("cells-1"):
        raise RefusedError("swallowed")
    enforcer = _find("oslo_policy.policy", "Enforcer")()
    seen += [_tried(enforcer.enforce), _tried(enforcer.enforce, "fails")]
    processes = sys.modules["oslo_concurrency.processutils"]
    seen.append(_tried(processes.execute, "sudo", "ip", "link"))
    seen.append(_tried(processes.execute, "fails"))
    seen.append(_tried(processes.ssh_execute, "ssh", "fails"))
    channel = _find("oslo_privsep.daemon", "_ClientChannel")()
    seen.append(_tried(channel.remote_call, "nova.privsep.fs.mount"))
    client = _find("oslo_rootwrap.client", "Client")()
    seen.append(_tried(client.execute, ["ip"]))
    seen.append(_tried(client.execute, ["fails"]))
    logger = logging.Logger("nova_profiler_test")
    logger.addHandler(Kept(seen))
    logger.warning("logged")
    gc.collect()
    seen.append(_tried(getattr, cfg.CONF, "no_such_option"))
    timed = sys.modules[TIMED]
    seen += [timed.work(), _tried(timed.Worker().do, "fails")]


def in_threads(seen: Seen) -> None:
    """Hand work over to threads."""
    api = sys.modules[DB_API]

    def piece(value: int) -> int:
        api.instance_get("context")
        if value == 3:
            raise RefusedError("as asked")
        return value

    with ThreadPoolExecutor(1, thread_name_prefix="cells") as executor:
        seen.append(executor.submit(piece, 1).result())
        seen.append(list(executor.map(piece, [4, 5])))
        seen.append(_tried(executor.submit(piece, 3).result))
    seen.append(_tried(executor.submit, piece, 6))
    done: Seen = []
    thread = threading.Thread(target=lambda: done.append(piece(2)))
    thread.start()
    thread.join()
    seen += [done, _tried(thread.start)]
