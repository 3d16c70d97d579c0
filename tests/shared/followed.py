# SPDX-License-Identifier: Apache-2.0
"""Logs of several services about one request, for the tests of follow."""

from __future__ import annotations

import gzip
from pathlib import Path

from nova_profiler.reading.follow.search.search import (
    FollowedRequest,
    RequestSearch,
)
from nova_profiler.reading.follow.story import Story, story_of
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.unread import Unread

REQUEST = "req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0"
GLOBAL = "req-0a1b2c3d-0000-4000-8000-00000000beef"
NEUTRON = "req-77777777-2222-4333-8444-555555555555"
OTHER = "req-99999999-1111-4111-8111-111111111111"
MESSAGE = "0123456789abcdef0123456789abcdef"


def line(
    clock: str,
    message: str,
    *,
    ids: str = f"None {REQUEST}",
    logger: str = "nova.compute.api",
    level: str = "INFO",
    pid: int = 71,
    day: str = "2026-11-21",
) -> str:
    """Return a line as oslo.log writes it by default."""
    return (
        f"{day} {clock} {pid} {level} {logger} "
        f"[{ids} demo-id project-id - - - -] {message}"
    )


def bare(clock: str, message: str, *, logger: str, pid: int = 71) -> str:
    """Return a line of a traceback, which oslo.log gives no context."""
    return f"2026-11-21 {clock} {pid} ERROR {logger} {message}"


def access(clock: str, seconds: float, *, ids: str = f"None {REQUEST}") -> str:
    """Return the line that ends a rebuild in nova-api."""
    return line(
        clock,
        '127.0.0.1 "POST /v2.1/servers/6a7f0c1e-0000-4000-8000-000000000001'
        f'/action" status: 202 len: 0 microversion: 2.1 time: {seconds:.6f}',
        ids=ids,
        logger="nova.api.openstack.requestlog",
    )


def rebuild() -> dict[str, list[str]]:
    """Return the logs of a rebuild that nova-api is slow at.

    As in the post: three seconds from its begin to the cast, and then at
    once in nova-compute.
    """
    return {
        "nova-api.log": [
            line("00:53:51.000", "another request", ids=f"None {OTHER}"),
            line("00:53:52.600", "Action: 'action', calling rebuild"),
            line(
                "00:53:55.600",
                f"CAST unique_id: {MESSAGE} exchange 'nova' "
                "topic 'compute.host1'",
                logger="oslo_messaging._drivers.amqpdriver",
                level="DEBUG",
            ),
            access("00:53:55.700", 3.2),
        ],
        "nova-compute.log": [
            (
                "2026-11-21 00:53:55.610 90 DEBUG "
                "oslo_messaging._drivers.amqpdriver [-] received message "
                f"with unique_id: {MESSAGE}"
            ),
            line(
                "00:53:55.620",
                "Rebuilding instance",
                logger="nova.compute.manager",
                pid=90,
            ),
            line(
                "00:53:55.820",
                "Instance rebuilt",
                logger="nova.compute.manager",
                pid=90,
            ),
        ],
    }


def written(folder: Path, logs: dict[str, list[str]]) -> Path:
    """Write *logs*, files by name; .gz is compressed. Returns *folder*."""
    for name, lines in logs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = ("\n".join(lines) + "\n").encode()
        path.write_bytes(gzip.compress(data) if name[-3:] == ".gz" else data)
    return folder


def found(folder: Path | str, wanted: str = REQUEST) -> FollowedRequest:
    """Return the request *wanted* in the logs of *folder*."""
    unread = Unread()
    return RequestSearch(sources_of([str(folder)], unread), unread).find(
        wanted
    )


def story(folder: Path, logs: dict[str, list[str]]) -> Story:
    """Return the story of REQUEST in these logs."""
    return story_of(found(written(folder, logs)))
