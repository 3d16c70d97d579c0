# SPDX-License-Identifier: Apache-2.0
"""oslo.messaging by its transport without a broker, and what answers."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterator
from typing import Any

from imported import imported
from oslo_config import cfg

oslo_messaging: Any = imported("oslo_messaging")

# Later releases read these from the options that they are given.
_LATER_OPTIONS = (
    ("oslo_messaging._tracing.client", "oslo_messaging_tracing"),
    ("oslo_messaging._metrics.client", "oslo_messaging_metrics"),
)
_numbers = itertools.count()


def options() -> cfg.ConfigOpts:
    """Return options that oslo.messaging can work with."""
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    for module, group in _LATER_OPTIONS:
        with contextlib.suppress(ImportError):
            conf.register_opts(
                getattr(imported(module), group, ()), group=group
            )
    return conf


class Endpoint:
    """Answers what it is sent; ``asked`` are the methods, in order.

    ``contexts`` has each with the context that came along.
    """

    def __init__(self) -> None:
        self.target = oslo_messaging.Target(version="1.0")
        self.asked: list[str] = []
        self.contexts: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        # Not what a server asks of its endpoints.
        if name.startswith(("__", "oslo_")):
            raise AttributeError(name)

        def method(ctxt: Any, **arguments: Any) -> Any:
            self.asked.append(name)
            self.contexts.append((name, ctxt))
            if "fails" in arguments:
                raise LookupError(name)
            return arguments.get("answer")

        return method


class Bus:
    """A transport, a server behind it, and clients of that."""

    def __init__(self, url: str = "fake://", topic: str = "conductor") -> None:
        self.topic = topic
        self.endpoint = Endpoint()
        self._conf = options()
        self._exchange = f"exchange{next(_numbers)}"
        self._url = url
        self._transport = oslo_messaging.get_rpc_transport(self._conf, url)
        self._server: Any = None

    def make_server(self) -> Any:
        """Return a server that has not begun to answer."""
        target = oslo_messaging.Target(
            self._exchange, self.topic, server="host-1.example"
        )
        with warnings.catch_warnings():
            # Of the argument, without which releases differ.
            warnings.simplefilter("ignore")
            return oslo_messaging.get_rpc_server(
                self._transport, target, [self.endpoint], executor="threading"
            )

    def start(self) -> None:
        """Answer in threads of its own."""
        self._server = self.make_server()
        self._server.start()

    def client(self, **more: Any) -> Any:
        """Return a client of the server's topic."""
        target = oslo_messaging.Target(
            self._exchange, self.topic, version="1.0"
        )
        return oslo_messaging.get_rpc_client(self._transport, target, **more)

    def notifier(self) -> Any:
        """Return what sends notifications to ``notifications``."""
        return oslo_messaging.Notifier(
            oslo_messaging.get_notification_transport(self._conf, self._url),
            driver="messaging",
            publisher_id="compute:host-1.example",
            topics=["notifications"],
        )

    def stop(self) -> None:
        """End the server's threads."""
        if self._server is not None:
            self._server.stop()
            self._server.wait()
        self._transport.cleanup()


@contextlib.contextmanager
def bus(*args: Any, **kwargs: Any) -> Iterator[Bus]:
    """Give a bus whose server answers."""
    made = Bus(*args, **kwargs)
    made.start()
    try:
        yield made
    finally:
        made.stop()
