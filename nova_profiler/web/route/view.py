# SPDX-License-Identifier: Apache-2.0
"""Which requests of a route its page is about, from the URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from nova_profiler.web import choice as choices
from nova_profiler.web.choice import Choice, ChoiceError, choice_of
from nova_profiler.web.together import asked
from nova_profiler.web.together.adding_up import NEWEST
from nova_profiler.web.together.asked import (
    asked_by,
    callers_of,
    frame_of,
    order_of,
)

# The order and the page of the overview's table do no harm here.
PARAMETERS = (*choices.PARAMETERS, *asked.PARAMETERS, "find")
_LONGEST = 100


class RouteView(NamedTuple):
    """The parameters of a route's page.

    ``order`` is which dumps are opened first; ``frame`` is the function
    whose stacks are shown, with all its ``callers`` or those that tell
    something; ``find`` is what is searched for in them.
    """

    choice: Choice
    order: str = NEWEST
    frame: int = 0
    find: str = ""
    callers: str = ""

    def link(self, **changes: object) -> str:
        """Return the query of the same view with *changes*."""
        view = self._replace(**changes)  # type: ignore[arg-type]  # by fields' names
        query: dict[str, object] = dict(view.choice.filters)
        query |= asked_by(view.order, view.frame, view.callers)
        if view.find:
            query["find"] = view.find
        return f"?{urlencode(query, errors='replace')}"

    def chosen(self, **changes: object) -> str:
        """Return the query of the page with another choice."""
        return self.link(choice=self.choice._replace(**changes))  # type: ignore[arg-type]  # by fields' names


def route_view_of(parameters: Mapping[str, str]) -> RouteView:
    """Return the view of a URL; raises ChoiceError for what cannot be."""
    choice = choice_of(parameters)._replace(sort="time", page=1)
    if not choice.route:
        raise ChoiceError(
            "route: expected method and route, such as GET /v2.1/servers"
        )
    return RouteView(
        choice,
        order_of(parameters),
        frame_of(parameters),
        parameters.get("find", "")[:_LONGEST],
        callers_of(parameters),
    )
