# SPDX-License-Identifier: Apache-2.0
"""A call or more for each hook, as nova makes it."""

from __future__ import annotations

import concurrent.futures
import gc
import logging
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from oslo_config import cfg

from benchmarks.price.hooks.stubs import attribute, libraries, library

Call = Callable[[], object]
# The call, ready to be made; it looks up what the hook has replaced.
Made = Callable[[], AbstractContextManager[Call]]

# Of what takes a millisecond or more, and of all else.
LONG_US, SHORT_US = 5.0, 2.0
COUNTED_US = 0.1


class Case(NamedTuple):
    """One way to call what a hook replaces.

    *limit_us* is what a call in a request may cost, None where that has no
    limit of its own. *needs* is another hook, which is no part of the price;
    *takes* is what the hook's install() gets, *points* how many of what it
    replaces the call goes through.
    """

    label: str
    make: Made
    limit_us: float | None
    needs: str = ""
    takes: tuple[str, ...] = ()
    points: int = 1


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Do what the quickest library does."""


_REPLY = types.SimpleNamespace(
    headers={
        "x-openstack-request-id": f"req-{'0' * 8}{'-0000' * 3}-{'0' * 12}"
    }
)
_ASKED = types.SimpleNamespace(
    method="GET", url="http://192.0.2.1:9696/v2.0/ports?device_id=" + "a" * 36
)
_WITH_ID = types.SimpleNamespace(
    method="PUT", url="http://192.0.2.1:9696/v2.0/ports/" + "a" * 36
)
_MESSAGE = {"method": "build_and_run_instance", "args": {}}
_TARGET = types.SimpleNamespace(topic="compute", fanout=None)


def _send_of_requests(self: Any, request: Any, **kwargs: Any) -> Any:
    return _REPLY


@contextmanager
def _http() -> Iterator[Call]:
    """Send by keystoneauth, that by requests, and that by urllib3."""

    # Parameters as these libraries have them.
    def urlopen(
        self: Any,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        redirect: bool = True,
        timeout: Any = None,
        **kwargs: Any,
    ) -> Any:
        return _REPLY

    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        return pools.HTTPConnectionPool.urlopen(
            None, method="GET", url="/v2.0/ports", redirect=False, timeout=9
        )

    pool = "urllib3.connectionpool", {"HTTPConnectionPool.urlopen": urlopen}
    sessions = "requests.sessions", {"Session.send": send}
    with libraries(pool, sessions) as (made, requests):
        pools: Any = made

        def request(
            self: Any,
            url: str,
            method: str,
            json: Any = None,
            authenticated: Any = None,
            endpoint_filter: Any = None,
            raise_exc: bool = True,
            microversion: Any = None,
            **kwargs: Any,
        ) -> Any:
            return requests.Session.send(self, _ASKED)

        wanted = {"service_type": "network"}
        with library(
            "keystoneauth1.session", {"Session.request": request}
        ) as keystoneauth:
            yield lambda: keystoneauth.Session.request(
                None, "/v2.0/ports", "GET", endpoint_filter=wanted
            )


def _requests(asked: object) -> Made:
    @contextmanager
    def make() -> Iterator[Call]:
        sessions = "requests.sessions", {"Session.send": _send_of_requests}
        with library(*sessions) as requests:
            yield lambda: requests.Session.send(None, asked)

    return make


@contextmanager
def _token() -> Iterator[Call]:
    def fetch_token(self: Any, token: str) -> None:
        """Return what a token is worth."""

    functions = {"AuthProtocol.fetch_token": fetch_token}
    with library("keystonemiddleware.auth_token", functions) as made:
        yield lambda: made.AuthProtocol.fetch_token(None, "token")


@contextmanager
def _sent() -> Iterator[Call]:
    def send(
        self: Any,
        target: Any,
        ctxt: Any,
        message: Any,
        wait_for_reply: Any = None,
        timeout: Any = None,
        retry: Any = None,
    ) -> None:
        """Hand a message to the broker."""

    def send_notification(self: Any, target: Any, message: Any) -> None:
        """Hand a notification to the broker."""

    functions = {
        "Transport._send": send,
        "Transport._send_notification": send_notification,
    }
    with library("oslo_messaging.transport", functions) as made:
        yield lambda: made.Transport._send(
            None, _TARGET, {}, _MESSAGE, wait_for_reply=True
        )


@contextmanager
def _serialised() -> Iterator[Call]:
    def call(self: Any, ctxt: Any, method: str, **kwargs: Any) -> None:
        """Send no message."""

    functions = dict.fromkeys(
        ("_BaseCallContext.call", "_BaseCallContext.cast"), call
    )
    with library("oslo_messaging.rpc.client", functions) as made:
        yield lambda: made._BaseCallContext.call(None, {}, "rebuild")


@contextmanager
def _executed() -> Iterator[Call]:
    def execute(*cmd: str, **kwargs: Any) -> None:
        """Start no program."""

    functions = {"execute": execute, "ssh_execute": execute}
    with library("oslo_concurrency.processutils", functions) as made:
        yield lambda: made.execute("qemu-img", "info", "/var/lib/nova/disk")


@contextmanager
def _privileged() -> Iterator[Call]:
    def remote_call(
        self: Any, name: str, args: Any, kwargs: Any, timeout: Any
    ) -> None:
        """Ask no daemon."""

    functions = {"_ClientChannel.remote_call": remote_call}
    with library("oslo_privsep.daemon", functions) as made:
        yield lambda: made._ClientChannel.remote_call(
            None, "nova.privsep.fs.mount", (), {}, None
        )


@contextmanager
def _by_rootwrap() -> Iterator[Call]:
    def execute(self: Any, cmd: list[str], stdin: Any = None) -> None:
        rootwrap.Client._ensure_initialized(self)

    functions = {
        "Client.execute": execute,
        "Client._ensure_initialized": _nothing,
    }
    with library("oslo_rootwrap.client", functions) as made:
        rootwrap: Any = made
        yield lambda: rootwrap.Client.execute(None, ["ip", "link"])


class _Free:
    """A lock that is free."""

    def __enter__(self) -> None:
        """Take it."""

    def __exit__(self, *exc_info: object) -> None:
        """Give it back."""


@contextmanager
def _locked() -> Iterator[Call]:
    free = _Free()

    def lock(name: str) -> _Free:
        return free

    with library("oslo_concurrency.lockutils", {"lock": lock}) as made:

        def take() -> None:
            with made.lock("nova-6ec84648-1f0d-4f2c-9a53-6cc2b1e0d7f3"):
                pass

        yield take


@contextmanager
def _logged() -> Iterator[Call]:
    handler = logging.Handler()
    record = logging.makeLogRecord({"msg": "text"})
    with attribute(logging.Handler, "handle", lambda self, record: None):
        yield lambda: handler.handle(record)


def _region(backend: str) -> Made:
    @contextmanager
    def make() -> Iterator[Call]:
        functions = {
            f"CacheRegion.{name}": lambda self, key: None
            for name in (
                "_get_from_backend",
                "_get_multi_from_backend",
                "_set_cached_value_to_backend",
                "_set_multi_cached_value_to_backend",
                *("set", "set_multi", "delete", "delete_multi"),
            )
        }
        with library("dogpile.cache.region", functions) as made:
            region = made.CacheRegion()
            region.backend = type(backend, (), {})()
            yield lambda: region._get_from_backend("key")

    return make


@contextmanager
def _event() -> Iterator[Call]:
    def wait(self: Any, timeout: float) -> None:
        """Wait for nothing."""

    manager = {"ComputeVirtAPI._InstanceEvent.wait": wait}
    with (
        libraries(("nova.compute.manager", manager)) as (made,),
        library(
            "nova.objects.external_event",
            {},
            EVENT_NAMES=["network-vif-plugged"],
        ),
    ):
        event = made.ComputeVirtAPI._InstanceEvent()
        event.name = f"network-vif-plugged-{'0' * 36}"
        yield lambda: event.wait(300)


@contextmanager
def _looked_up() -> Iterator[Call]:
    options = cfg.ConfigOpts()

    def get(
        self: Any, name: str, group: Any = None, namespace: Any = None
    ) -> None:
        """Return no value."""

    with attribute(cfg.ConfigOpts, "_get", get):
        yield lambda: options._get("debug")


@contextmanager
def _enforced() -> Iterator[Call]:
    functions = {"Enforcer.enforce": _nothing}
    with library("oslo_policy.policy", functions) as made:
        enforcer = made.Enforcer()
        yield lambda: enforcer.enforce("rule", {}, {})


@contextmanager
def _collected() -> Iterator[Call]:
    info = {"generation": 2, "collected": 0, "uncollectable": 0}
    callbacks = gc.callbacks

    def collect() -> None:
        for phase in ("start", "stop"):
            for callback in callbacks:
                callback(phase, info)

    yield collect


@contextmanager
def _handed_over() -> Iterator[Call]:
    """Have what is submitted run at once, as by a free worker."""

    def submit(self: Any, fn: Any, *args: Any) -> Any:
        return fn(*args)

    executor = concurrent.futures.ThreadPoolExecutor(1, "cell_worker")
    with attribute(concurrent.futures.ThreadPoolExecutor, "submit", submit):
        yield lambda: executor.submit(_nothing)


@contextmanager
def _named() -> Iterator[Call]:
    with library("a_plugin", {"function": _nothing}) as made:
        yield lambda: made.function()


# By hook; those of ELSEWHERE have a benchmark of their own.
CASES: dict[str, tuple[Case, ...]] = {
    "rpc": (
        Case("a message", _sent, LONG_US),
        Case("serialising round it", _serialised, LONG_US),
    ),
    "process": (
        Case("processutils.execute", _executed, LONG_US),
        Case("privsep", _privileged, LONG_US),
        Case("rootwrap's daemon", _by_rootwrap, None),
    ),
    "threads": (Case("work handed over, and run", _handed_over, None),),
    "config": (Case("an option looked up", _looked_up, COUNTED_US),),
    "http": (
        Case("keystoneauth, requests, urllib3", _http, LONG_US, points=3),
        Case("requests alone", _requests(_ASKED), LONG_US),
        Case("the same, an id in its path", _requests(_WITH_ID), LONG_US),
        Case("a token checked", _token, SHORT_US),
    ),
    "cache": (
        Case("memcached", _region("PyMemcacheBackend"), SHORT_US),
        Case("a cache in memory", _region("MemoryBackend"), SHORT_US),
    ),
    "event": (Case("a wait for an event", _event, SHORT_US),),
    "timed": (
        Case("a function", _named, SHORT_US, takes=("a_plugin:function",)),
    ),
    "lock": (Case("a lock that is free", _locked, SHORT_US),),
    "log": (Case("a handler", _logged, SHORT_US),),
    "policy": (Case("a check", _enforced, SHORT_US),),
    "gc": (Case("a full collection", _collected, SHORT_US, points=2),),
    "pool": (
        Case("a wait for a worker", _handed_over, SHORT_US, needs="threads"),
    ),
}
ELSEWHERE = {"sqlalchemy": "price", "db_api": "price"}
