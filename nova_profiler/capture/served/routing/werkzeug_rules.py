# SPDX-License-Identifier: Apache-2.0
"""Routes of werkzeug, and so of Flask and keystone.

Flask takes its request, with the rule that matched, out of the environ before
it hands the response over. To match with werkzeug a second time takes tens of
microseconds; a table of its rules takes a few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from nova_profiler.capture.served.routing import Router
from nova_profiler.capture.served.routing.templates import table_of
from nova_profiler.capture.settings.route_files import RouteTable

# <name>, <string:name>, <string(length=2):name>
_VARIABLE = re.compile(r"<(?:[^<>:]+:)?([^<>:]+)>")
# What takes all that follows.
_REST = re.compile(r"<path:[^<>:]+>/?\Z")


def router_of(app: Any, project: str) -> Router | None:
    """Return the router of *app* if that is an application of Flask.

    Any application that has its rules in ``url_map`` is like one.
    """
    rules = getattr(getattr(app, "url_map", None), "iter_rules", None)
    return _Rules(rules) if callable(rules) else None


class _Rules:
    """The rules of one application, by the paths that they are of."""

    def __init__(self, rules: Callable[[], Iterable[Any]]) -> None:
        self._rules = rules
        # Made at the first request: by then all rules are there.
        self._table: RouteTable | None = None

    def __call__(self, environ: dict[str, Any]) -> str | None:
        """Return the template of the rule that matches, None without one."""
        table = self._table
        if table is None:
            table = table_of(_template_of(one.rule) for one in self._rules())
            self._table = table
        return table.route_of(environ.get("PATH_INFO", ""))


def _template_of(rule: str) -> str:
    return _VARIABLE.sub(r"{\1}", _REST.sub("*", rule))
