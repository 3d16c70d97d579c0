# SPDX-License-Identifier: Apache-2.0
"""The stand-in for keystone's filter."""

from __future__ import annotations

from typing import Any

from demo import identity
from demo.server.token_check import filter_factory


def _ask(token: str) -> tuple[str, dict[str, Any]]:
    """Return the status, and the environ that the application got."""
    seen: dict[str, Any] = {}
    statuses: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b""]

    filtered = filter_factory({}, auth_type="password")(app)
    filtered(
        {"HTTP_X_AUTH_TOKEN": token},
        lambda status, headers: statuses.append(status),
    )
    return statuses[0], seen


def test_a_token_says_who_it_is() -> None:
    """nova finds the headers that keystonemiddleware would have set."""
    status, environ = _ask(identity.token())

    assert status == "200 OK"
    assert environ["HTTP_X_USER_ID"] == identity.USER_ID
    assert environ["HTTP_X_PROJECT_ID"] == identity.PROJECT_ID
    assert environ["HTTP_X_IDENTITY_STATUS"] == "Confirmed"


def test_anything_else_is_refused() -> None:
    """The application is not asked."""
    status, environ = _ask("no-such-token")

    assert (status, environ) == ("401 Unauthorized", {})
