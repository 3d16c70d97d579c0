# SPDX-License-Identifier: Apache-2.0
"""Messages as a driver of oslo.messaging hands them to a server."""

from __future__ import annotations

from typing import Any

from messaging import Bus, oslo_messaging
from serving import Profiled

from nova_profiler.capture.served.kinds.messages import served_messages


class Waited:
    """A stopwatch that shows what a test says."""

    def __init__(self, seconds: Any) -> None:
        self._seconds = seconds

    def elapsed(self) -> Any:
        return self._seconds


class Incoming:
    """A message by hand, with what RabbitMQ's driver has."""

    msg_id = "1" * 32
    client_timeout = None

    def __init__(self, message: Any, ctxt: Any, **more: Any) -> None:
        self.message = message
        self.ctxt = ctxt
        self.orig_msg_id: str | None = "1" * 32
        self.replies: list[Any] = []
        self.failures: list[Any] = []
        for name, value in more.items():
            setattr(self, name, value)

    def acknowledge(self) -> None:
        """Do nothing."""

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        if failure is None:
            self.replies.append(reply)
        else:
            self.failures.append(failure[0])


class Expecting:
    """An endpoint whose methods end in each way."""

    target = oslo_messaging.Target(version="1.0")

    def __init__(self, work: Any = lambda: None) -> None:
        self.work = work

    def ping(self, ctxt: Any, **arguments: Any) -> Any:
        return self.work()

    @oslo_messaging.expected_exceptions(LookupError)
    def missing(self, ctxt: Any) -> None:
        raise KeyError("a secret")

    def broken(self, ctxt: Any) -> None:
        raise ValueError("a secret")

    def object_class_action_versions(self, ctxt: Any, **arguments: Any) -> Any:
        return self.work()

    def object_action(self, ctxt: Any, **arguments: Any) -> Any:
        return self.work()


class Server:
    """A server that is given messages by hand; ``bus`` is closed after."""

    def __init__(self, topic: str = "conductor", work: Any = None) -> None:
        self.bus = Bus(topic=topic)
        self.bus.endpoint = Expecting(work or (lambda: None))  # type: ignore[assignment]
        self.server = self.bus.make_server()

    def serve(
        self, method: Any = "ping", ctxt: Any = None, **more: Any
    ) -> Incoming:
        """Serve one message to its end, in this thread."""
        args = more.pop("args", {})
        message = {"method": method, "args": args, "version": "1.0"}
        incoming = Incoming(message, {} if ctxt is None else ctxt, **more)
        self.server._process_incoming([incoming])
        return incoming


class Served:
    """Servers whose messages one worker times; all of them are kept."""

    def __init__(
        self, profiled: Profiled | None = None, **options: Any
    ) -> None:
        options.setdefault("log_requests", ("message:all",))
        self.profiled = profiled or Profiled(None, **options)
        self.undo = served_messages.install(self.profiled.worker)
        self.made: list[Server] = []

    def server(self, **more: Any) -> Server:
        self.made.append(Server(**more))
        return self.made[-1]

    @property
    def records(self) -> list[Any]:
        return self.profiled.records

    @property
    def record(self) -> Any:
        return self.profiled.record

    def close(self) -> None:
        self.undo()
        self.profiled.worker.undo()
        for server in self.made:
            server.bus.stop()
