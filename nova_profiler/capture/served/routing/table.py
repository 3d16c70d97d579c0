# SPDX-License-Identifier: Apache-2.0
"""The routers that are known, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_profiler.capture.served.routing import (
    Router,
    placement_declarations,
    werkzeug_rules,
)

# What finds the router of an application of a project, which may be unknown;
# None if it has another one.
ROUTERS: tuple[Callable[[Any, str], Router | None], ...] = (
    werkzeug_rules.router_of,
    placement_declarations.router_of,
)


def routers_of(app: Any, project: str = "") -> list[Router]:
    """Return the routers that are found in *app* of *project*. May raise."""
    found = (router_of(app, project) for router_of in ROUTERS)
    return [router for router in found if router is not None]
