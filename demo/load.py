# SPDX-License-Identifier: Apache-2.0
"""The load: some clients, each asking one thing many times."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from demo import identity

_TIMEOUT_S = 60


class LoadError(Exception):
    """A request was not answered as it should have been."""


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
    """Have *clients* ask for *path*, each *requests* times in a row.

    *answered* is called after each answer. The first answer other than 200
    stops all clients and raises LoadError.
    """
    latencies: list[float] = []
    failures: list[Exception] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, _TIMEOUT_S)
        try:
            for _ in range(requests):
                if failures:
                    return
                start = time.perf_counter()
                _ask(connection, path, token or identity.token())
                latencies.append((time.perf_counter() - start) * 1000)
                answered()
        except (OSError, http.client.HTTPException, LoadError) as exc:
            failures.append(exc)
        finally:
            connection.close()

    # Daemons, so that Ctrl-C need not wait for an answer.
    threads = [
        threading.Thread(target=client, daemon=True) for _ in range(clients)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise LoadError(f"GET {path}: {failures[0]}") from failures[0]
    return Load(time.perf_counter() - start, latencies)


def _ask(
    connection: http.client.HTTPConnection, path: str, token: str
) -> None:
    connection.request("GET", path, headers={"X-Auth-Token": token})
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise LoadError(f"answered {response.status} {response.reason}")
