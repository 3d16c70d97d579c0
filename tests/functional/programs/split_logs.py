# SPDX-License-Identifier: Apache-2.0
"""Paste filter that writes nova's log as the files of three services.

nova's functional tests run nova-api, the conductor with its scheduler and
the compute manager in one process. The filter lets every request pass; when
it is loaded it starts to write the log, in the format that a service has by
default, into a file for each of them. The logger of a line decides its
service; for a library's line the thread does, since each service answers RPC
in its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oslo_config import cfg
from oslo_context import context
from oslo_log import formatters, log

# By the start of the name of the logger, or of an RPC endpoint's module.
SERVICES = {
    "nova.api": "nova-api",
    "nova.compute.claims": "nova-compute",
    "nova.compute.manager": "nova-compute",
    "nova.compute.resource_tracker": "nova-compute",
    "nova.conductor": "nova-conductor",
    "nova.scheduler.host_manager": "nova-conductor",
    "nova.scheduler.manager": "nova-conductor",
    "nova_profiler": "nova-api",
}
# placement runs in the threads of the services that ask it; the tests' own
# lines belong to none.
_LEFT_OUT = ("placement.", "nova.tests.")

_here = threading.local()


def filter_factory(
    global_conf: dict[str, str], **local_conf: str
) -> Callable[[Any], Any]:
    """Start writing into ``directory``; a server's spawn takes ``spawn_s``."""
    # nova loads the filter once for each pipeline it is in.
    if not any(map(_is_ours, logging.getLogger().handlers)):
        _write_logs(Path(local_conf["directory"]))
        _keep_contexts()
        _tell_services_apart()
        _spawn_slowly(float(local_conf["spawn_s"]))
    return lambda app: app


class _ServiceFile(logging.FileHandler):
    """The log file of one service."""

    def __init__(self, directory: Path, service: str) -> None:
        super().__init__(directory / f"{service}.log")
        self._service = service

    def filter(self, record: logging.LogRecord) -> bool:
        return _service_of(record.name) == self._service


def _is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler, _ServiceFile)


def _write_logs(directory: Path) -> None:
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    conf([])
    formatter = formatters.ContextFormatter(
        config=conf, datefmt=conf.log_date_format
    )
    for service in sorted({"nova-api", *SERVICES.values()}):
        handler = _ServiceFile(directory, service)
        handler.setFormatter(formatter)
        logging.getLogger().addHandler(handler)


def _service_of(logger: str) -> str | None:
    if logger.startswith(_LEFT_OUT):
        return None
    named = _named(logger)
    if named is not None and not getattr(_here, "answers_rpc", False):
        _here.service = named
    return getattr(_here, "service", "nova-api")


def _named(module: str) -> str | None:
    for start, service in SERVICES.items():
        if f"{module}.".startswith(f"{start}."):
            return service
    return None


def _tell_services_apart() -> None:
    """Note in each thread for which service it answers an RPC message."""
    from oslo_messaging.rpc.dispatcher import RPCDispatcher

    dispatch = RPCDispatcher.dispatch

    def dispatch_noted(self: Any, incoming: Any) -> Any:
        # nova wraps its managers; older ones it hands over as they are.
        managers = (vars(one).get("_endpoint", one) for one in self.endpoints)
        modules = (type(one).__module__ for one in managers)
        _here.service = next(filter(None, map(_named, modules)), "nova-api")
        _here.answers_rpc = True
        return dispatch(self, incoming)

    RPCDispatcher.dispatch = dispatch_noted


def _keep_contexts() -> None:
    """Keep placement from making its context that of nova's own lines."""
    from nova.context import RequestContext

    store = RequestContext.update_store

    def store_if_novas(self: Any) -> None:
        if isinstance(self, RequestContext):
            store(self)

    context.RequestContext.update_store = store_if_novas


def _spawn_slowly(seconds: float) -> None:
    from nova.virt import fake

    spawn = fake.FakeDriver.spawn

    def slow_spawn(self: Any, *args: Any, **kwargs: Any) -> Any:
        time.sleep(seconds)
        return spawn(self, *args, **kwargs)

    fake.FakeDriver.spawn = slow_spawn
