# SPDX-License-Identifier: Apache-2.0
"""The records of other services on a request's page, as one picture."""

from __future__ import annotations

from typing import Any

from nova_profiler.reading.over_services.html_page import parts_of
from nova_profiler.reading.over_services.words import title_line
from nova_profiler.reading.requests.one_request.page_parts.page_view import (
    Around,
)


def services_part(around: Around | None) -> dict[str, Any] | None:
    """Return the picture over services; None of a record that is alone."""
    if around is None or len(around.picture.served) < 2:
        return None
    picture = around.picture
    return {
        **parts_of(picture, around.notes, around.own, around.links),
        "of_other": (
            title_line(picture) if picture.root != around.own else ""
        ),
    }
