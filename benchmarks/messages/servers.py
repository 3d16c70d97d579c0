# SPDX-License-Identifier: Apache-2.0
"""RPC servers of oslo.messaging, and messages as drivers hand them over."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from oslo_config import cfg

from nova_profiler.capture.settings.options import GROUP, OPTIONS
from nova_profiler.services import switching

TOPIC = "conductor"
# Later releases of oslo.messaging read these from the options they get.
_OPTIONS = (
    ("oslo_messaging._tracing.client", "oslo_messaging_tracing"),
    ("oslo_messaging._metrics.client", "oslo_messaging_metrics"),
)
# As nova-compute sends it: with a token, and with what a sender adds.
CONTEXT = {
    "user_id": "0f" * 16,
    "project_id": "1e" * 16,
    "user_name": "nova",
    "project_name": "service",
    "request_id": "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa",
    "global_request_id": None,
    "auth_token": "x" * 180,
    "service_catalog": [],
    "is_admin": True,
    "timestamp": "2026-11-21T10:35:01.123456",
    "nova_profiler": {"id": "0123456789abcdef", "sent": 0.0},
}


class Endpoint:
    """Answers what computes ask a conductor for, and does nothing for it."""

    def __init__(self, asked: Callable[[str], object] = len) -> None:
        self.target = import_module("oslo_messaging").Target(version="1.0")
        self._asked = asked

    def object_class_action_versions(
        self, ctxt: Any, objname: str, objmethod: str, **rest: Any
    ) -> None:
        """Answer at once."""
        self._asked(objmethod)

    def fails(self, ctxt: Any, **rest: Any) -> None:
        """Fail at once."""
        raise ValueError("a value")


class Stopwatch:
    """Tells how long a message has waited, as the driver's does."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def elapsed(self) -> float:
        """Return the seconds since it was taken off the broker."""
        return time.monotonic() - self._started


class Incoming:
    """A message without a broker, with all that RabbitMQ's driver gives."""

    orig_msg_id = msg_id = "0123456789abcdef"
    client_timeout = None

    def __init__(self, ctxt: dict[str, Any], message: dict[str, Any]) -> None:
        self.ctxt = ctxt
        self.message = message
        self.stopwatch = Stopwatch()

    def acknowledge(self) -> None:
        """Do nothing."""

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        """Send nothing."""


def message_of(
    objname: object = "Service",
    objmethod: object = "save",
    method: object = "object_class_action_versions",
) -> dict[str, Any]:
    """Return what a compute sends for the method of an object."""
    args = {"objname": objname, "objmethod": objmethod}
    return {"method": method, "args": args, "version": "1.0"}


def options() -> cfg.ConfigOpts:
    """Return options that oslo.messaging can work with."""
    conf = cfg.ConfigOpts()
    conf([], project="nova", prog="nova-conductor", default_config_files=[])
    for module, group in _OPTIONS:
        with suppress(ImportError):
            found = getattr(import_module(module), group, ())
            conf.register_opts(found, group=group)
    return conf


def server_of(
    conf: cfg.ConfigOpts,
    endpoint: Endpoint,
    url: str = "fake://",
    topic: str = TOPIC,
) -> Any:
    """Return a server of *topic*, which is not started."""
    messaging: Any = import_module("oslo_messaging")
    target = messaging.Target(topic=topic, server="here")
    with warnings.catch_warnings():
        # Of the argument, without which releases differ.
        warnings.simplefilter("ignore")
        return messaging.get_rpc_server(
            messaging.get_rpc_transport(conf, url),
            target,
            [endpoint],
            executor="threading",
        )


@contextmanager
def switched_on(conf: cfg.ConfigOpts, **ours: Any) -> Iterator[None]:
    """Have the profiler in force, with options of *ours*."""
    conf.register_opts(OPTIONS, group=GROUP)
    for name, value in ours.items():
        conf.set_override(name, value, group=GROUP)
    switching.switch_on(conf)
    try:
        yield
    finally:
        switching.switch_off(conf)
        for name in ours:
            conf.clear_override(name, group=GROUP)
