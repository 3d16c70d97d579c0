# SPDX-License-Identifier: Apache-2.0
"""The load: clients in threads, each with many requests."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from demo import identity

_TIMEOUT_S = 60


class LoadError(Exception):
    """A request got another answer than 200, or none."""


class Load(NamedTuple):
    """What a load came to, seen from the clients."""

    seconds: float
    latencies_ms: list[float]

    @property
    def per_second(self) -> float:
        """Return how many requests a second were answered."""
        return len(self.latencies_ms) / self.seconds


def run(
    port: int,
    path: str,
    clients: int,
    requests: int,
    answered: Callable[[], object] = lambda: None,
    token: str = "",
) -> Load:
    """Return the load of *clients* that ask for *path* *requests* times each.

    *answered* is called after each answer. The first answer other than 200
    stops all clients and raises LoadError.
    """
    latencies: list[float] = []
    failures: list[Exception] = []

    def asked(seconds: float) -> None:
        latencies.append(seconds * 1000)
        answered()
        if failures:
            raise LoadError("another client was not answered")

    def client(number: int) -> None:
        try:
            ask_each(port, [path] * requests, asked, token)
        except LoadError as exc:
            failures.append(exc)

    start = time.perf_counter()
    at_once(client, clients)
    if failures:
        raise failures[0]
    return Load(time.perf_counter() - start, latencies)


def at_once(client: Callable[[int], object], clients: int) -> None:
    """Call *client* with each number below *clients*, in threads."""
    # Daemons, so that Ctrl-C need not wait for an answer.
    threads = [
        threading.Thread(target=client, args=(number,), daemon=True)
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask_each(
    port: int,
    paths: Sequence[str],
    answered: Callable[[float], object] = lambda seconds: None,
    token: str = "",
) -> None:
    """Ask for *paths* one after the other, on one connection if it lasts.

    *answered* is called with the seconds that each answer took. The first
    answer other than 200 raises LoadError.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, _TIMEOUT_S)
    try:
        for path in paths:
            start = time.perf_counter()
            _ask(connection, path, token or identity.token())
            answered(time.perf_counter() - start)
    except (OSError, http.client.HTTPException) as exc:
        raise LoadError(f"GET {path}: {exc!r}") from exc
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection, path: str, token: str
) -> None:
    connection.request("GET", path, headers={"X-Auth-Token": token})
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise LoadError(f"GET {path}: {response.status} {response.reason}")
