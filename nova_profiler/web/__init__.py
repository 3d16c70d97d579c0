# SPDX-License-Identifier: Apache-2.0
"""Pages of dumped requests: a WSGI application that changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nova_profiler.web.application import Pages


def app_factory(
    global_config: dict[str, str],
    *,
    dump_dir: str = "",
    hosts: str = "",
    token: str = "",
    slow_ms: str = "1000",
) -> Pages:
    """Return the pages as paste's ``app_factory`` makes them.

    *hosts* are the names that a Host header may have besides those of
    loopback. Nothing is read, and no thread begun, before the first request
    of a process. Raises NovaProfilerError for an option that cannot be.
    """
    # Only here: commands that serve nothing need no extra.
    from nova_profiler.web.mounting import mounted

    return mounted(dump_dir, hosts.replace(",", " ").split(), token, slow_ms)
