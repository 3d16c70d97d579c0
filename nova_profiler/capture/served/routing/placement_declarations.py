# SPDX-License-Identifier: Apache-2.0
"""Routes of placement, from the table that its handler is made of.

Its mapper leaves the values that it found in a path, and not the template.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from nova_profiler.capture.served.routing import Router
from nova_profiler.capture.served.routing.templates import table_of

_PACKAGE = "placement"
_MODULE = f"{_PACKAGE}.handler"
_TABLE = "ROUTE_DECLARATIONS"


def router_of(app: Any, project: str) -> Router | None:
    """Return the router of placement, None where it is not loaded.

    Where *app* is of another *project*, and may have placement's somewhere
    inside, it is asked only for what placement's mapper has found.
    """
    declared = getattr(sys.modules.get(_MODULE), _TABLE, None)
    if not declared:
        return None
    return _router_over(tuple(declared), project == _PACKAGE)


@functools.lru_cache(2)
def _router_over(templates: tuple[object, ...], is_all: bool) -> Router:
    """Return what asks *templates*; the same for the same ones."""
    table = table_of(templates)

    def template_of(environ: dict[str, Any]) -> str | None:
        # Not there where the token was refused before the mapper was asked.
        if not is_all and "wsgiorg.routing_args" not in environ:
            return None
        return table.route_of(environ.get("PATH_INFO", ""))

    return template_of
