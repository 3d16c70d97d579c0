# SPDX-License-Identifier: Apache-2.0
"""Sixteen requests at once, each with functions that no other one calls."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from demo import load

REQUESTS = 16
# So short that threads take turns within each request.
_SWITCH_S = 0.0005
_ROUNDS = 12
_SOURCE = """
def work_{n}(pause):
    for _ in range({rounds}):
        between(leaf_{n}, pause)

def leaf_{n}():
    value = 0
    for number in range(4000):
        value = small_{n}(value, number)

def small_{n}(value, number):
    return (value + number) % 1009
"""
_MARK = re.compile(r"(?:work|leaf|small)_(\d+)\Z")


def between(leaf: Callable[[], None], pause: Callable[[float], None]) -> None:
    """Call both; it is in all requests' stacks, unlike what it calls."""
    leaf()
    pause(0)


_FUNCTIONS: dict[str, Any] = {"between": between}
for _number in range(REQUESTS):
    exec(  # noqa: S102  sixteen times the same functions, by other names
        compile(_SOURCE.format(n=_number, rounds=_ROUNDS), __file__, "exec"),
        _FUNCTIONS,
    )


def mark_of(function: str) -> int | None:
    """Return the number of the request of *function*, if it has one."""
    found = _MARK.match(function)
    return int(found[1]) if found else None


def marked_app(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Do the work of the request in the path; half of it in the body."""
    work = _FUNCTIONS[f"work_{environ['PATH_INFO'].rpartition('/')[2]}"]
    # Looked up now, because eventlet replaces it.
    work(time.sleep)
    start_response("200 OK", [("Content-Type", "text/plain")])

    def body() -> Iterator[bytes]:
        work(time.sleep)
        yield b"ok"

    return body()


def serve_all(get: Callable[[str], None], seconds: float, green: bool) -> int:
    """Keep all requests going for a while; return how many there were."""
    end = time.monotonic() + seconds
    served: list[int] = []

    def client(number: int) -> None:
        while time.monotonic() < end:
            get(f"/marked/{number}")
            served.append(number)

    if green:
        import eventlet

        pool = eventlet.GreenPool(REQUESTS)
        for number in range(REQUESTS):
            pool.spawn_n(client, number)
        pool.waitall()
    else:
        sys.setswitchinterval(_SWITCH_S)
        load.at_once(client, REQUESTS)
    return len(served)
