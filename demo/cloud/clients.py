# SPDX-License-Identifier: Apache-2.0
"""The clients: each creates servers, rebuilds them and deletes them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

from demo import identity, load
from demo.load import LoadError

FLAVOR_ID = "demo"
ACTIONS = ("create", "rebuild", "delete")
_IMAGES = (
    "d3e00000-0000-4000-8000-0000000000a1",
    "d3e00000-0000-4000-8000-0000000000a2",
)
_TIMEOUT_S = 120
_PAUSE_S = 0.2


class Done(NamedTuple):
    """One action on a server, as its client saw it."""

    action: str
    # Of the request that asked for it; the cloud's services share it.
    request_id: str
    seconds: float


Notify = Callable[[Done], object]


def run(port: int, clients: int, servers: int, notify: Notify) -> list[Done]:
    """Return all that was done to *servers* servers by *clients* clients.

    *notify* gets each action when the server has got there. The first that
    fails stops all clients and raises LoadError.
    """
    done: list[Done] = []
    failures: list[LoadError] = []
    numbers = iter(range(servers))
    one_at_a_time = threading.Lock()

    def finished(one: Done) -> None:
        done.append(one)
        notify(one)

    def client(number: int) -> None:
        with closing(_Client(port, f"client{number}")) as api:
            while not failures:
                with one_at_a_time:
                    server = next(numbers, None)
                if server is None:
                    return
                try:
                    _life_of_a_server(api, f"demo-{server:03}", finished)
                except LoadError as exc:
                    failures.append(exc)

    with closing(_Client(port, "flavor")) as api:
        api.make_flavor()
    load.at_once(client, clients)
    if failures:
        raise failures[0]
    return done


def _life_of_a_server(api: _Client, name: str, finished: Notify) -> None:
    server = {"name": name, "flavorRef": FLAVOR_ID, "imageRef": _IMAGES[0]}
    start = time.perf_counter()
    request_id, body = api.ask("POST", "/servers", {"server": server})
    path = f"/servers/{body['server']['id']}"
    for action in ACTIONS:
        if action == "rebuild":
            start = time.perf_counter()
            rebuild = {"rebuild": {"imageRef": _IMAGES[1]}}
            request_id, _ = api.ask("POST", f"{path}/action", rebuild)
        elif action == "delete":
            start = time.perf_counter()
            request_id, _ = api.ask("DELETE", path)
        api.wait(path, gone=action == "delete")
        finished(Done(action, request_id, time.perf_counter() - start))


class _Client:
    """A connection to nova-api with a token of its own."""

    def __init__(self, port: int, name: str) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, _TIMEOUT_S
        )
        self._token = identity.token(name)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def make_flavor(self) -> None:
        """Make the flavor of all servers."""
        flavor = {"id": FLAVOR_ID, "name": "demo.tiny"}
        sizes = {"ram": 512, "vcpus": 1, "disk": 1}
        self.ask("POST", "/flavors", {"flavor": {**flavor, **sizes}})

    def wait(self, path: str, gone: bool) -> None:
        """Return when the server rests, or is *gone*."""
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            status, _, body = self._answer("GET", path)
            if status == 404 and gone:
                return
            server = body.get("server", {})
            if server.get("status") == "ERROR":
                raise LoadError(f"{path}: {server.get('fault')}")
            resting = server.get("OS-EXT-STS:task_state") is None
            if server.get("status") == "ACTIVE" and resting and not gone:
                return
            time.sleep(_PAUSE_S)
        raise LoadError(f"{path}: still not there after {_TIMEOUT_S} s")

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Return the request id and the body of an answer that is good."""
        status, request_id, answer = self._answer(method, path, body)
        if status >= 300:
            raise LoadError(f"{method} {path}: {status} {answer}")
        return request_id, answer

    def _answer(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, str, dict[str, Any]]:
        headers = {"X-Auth-Token": self._token}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._connection.request(
                method,
                f"/v2.1{path}",
                json.dumps(body) if body is not None else None,
                headers,
            )
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as exc:
            raise LoadError(f"{method} {path}: {exc!r}") from exc
        request_id = response.headers.get("X-Openstack-Request-Id", "")
        return response.status, request_id, json.loads(text or b"{}")
