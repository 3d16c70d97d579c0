# SPDX-License-Identifier: Apache-2.0
"""Paste filter in the place of keystonemiddleware: believes every token."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

_REFUSED = b'{"error": {"code": 401, "title": "Unauthorized"}}'


class TokenCheck:
    """Set the headers that keystonemiddleware sets for a good token.

    A token is ``user:project:roles`` as `identity.token` makes it; anything
    else gets a 401, as from keystonemiddleware.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        fields = environ.get("HTTP_X_AUTH_TOKEN", "").split(":")
        if len(fields) < 3:
            headers = [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(_REFUSED))),
            ]
            start_response("401 Unauthorized", headers)
            return [_REFUSED]
        user, project, roles = fields[:3]
        environ.update(
            HTTP_X_IDENTITY_STATUS="Confirmed",
            HTTP_X_USER_ID=user,
            HTTP_X_USER_NAME="demo",
            HTTP_X_USER_DOMAIN_ID="default",
            HTTP_X_PROJECT_ID=project,
            HTTP_X_PROJECT_NAME="demo",
            HTTP_X_PROJECT_DOMAIN_ID="default",
            HTTP_X_ROLES=roles,
            HTTP_X_SERVICE_CATALOG="[]",
        )
        return self._app(environ, start_response)


def filter_factory(
    global_conf: dict[str, str], **local_conf: str
) -> type[TokenCheck]:
    """Return the filter; its options are keystonemiddleware's, unused."""
    return TokenCheck
