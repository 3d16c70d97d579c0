# SPDX-License-Identifier: Apache-2.0
"""Asks a WSGI application as a server does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def get(app: App, template: dict[str, Any]) -> None:
    """Send one request to *app* and read its body to the end."""
    body = app(template.copy(), _start_response)
    try:
        for _ in body:
            pass
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _start_response(*args: Any) -> Callable[[bytes], None]:
    return _write


def _write(data: bytes) -> None:
    pass
