# SPDX-License-Identifier: Apache-2.0
"""A table of an application's own templates."""

from __future__ import annotations

from collections.abc import Iterable

from nova_profiler.capture.settings.route_files import RouteTable


def table_of(templates: Iterable[object]) -> RouteTable:
    """Return the table of *templates*, of the same paths the first one.

    Those of a form that is not known here are left out: requests of such have
    a learned route.
    """
    table = RouteTable()
    for number, template in enumerate(templates):
        if not isinstance(template, str):
            continue
        try:
            table.add(template, number)
        except ValueError:
            # An empty one, one with a regular expression, or one too many.
            continue
    return table
