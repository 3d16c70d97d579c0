# SPDX-License-Identifier: Apache-2.0
"""Routes of routers that leave none in the environ, and learned routes.

A file knows the router of one framework; the rows are in ``table``. Routes,
which leaves its route there, is read in ``nova_routes``; pecan has no
templates, so that routes of what it serves are learned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Returns the template, such as /v3/users/{user_id}, of the request with this
# environ, which has been answered; None where its router has none. May raise:
# the caller counts it.
Router = Callable[[dict[str, Any]], str | None]
