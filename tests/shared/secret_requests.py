# SPDX-License-Identifier: Apache-2.0
"""Requests to another service that hold a secret wherever one can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imported import imported

if TYPE_CHECKING:
    from stub_service import StubService

# Before any hook is installed, as a service has them.
session = imported("keystoneauth1.session")
requests = imported("requests")


def path_with(secret: str) -> str:
    """Return a path, a query and a fragment with *secret*."""
    return f"/v2.0/ports/{secret}?token={secret}#{secret}"


def headers_with(secret: str) -> dict[str, str]:
    """Return headers with *secret* as a token, a name and a value."""
    return {"X-Auth-Token": secret, secret: secret}


def answer_with(secret: str, service: StubService) -> None:
    """Have *service* answer with *secret* in header and body."""
    headers = {"x-openstack-request-id": f"req-{secret}", "x": secret}
    for verb in ("GET", "POST"):
        path = f"/v2.0/ports/{secret}"
        service.answers[f"{verb} {path}"] = 200, headers, secret.encode()


def ask_with(secret: str, url: str) -> None:
    """Ask the service at *url* as keystoneauth and as requests do."""
    address = f"{url}{path_with(secret)}"
    client = session.Session(user_agent=secret)
    for kind in ("network", "identity", f"Bad {secret}", None):
        client.post(
            address,
            json={secret: secret},
            headers=headers_with(secret),
            endpoint_filter={"service_type": kind, "region": secret},
            authenticated=False,
        )
    own = address.replace("//", f"//{secret}:{secret}@", 1)
    requests.get(own, headers=headers_with(secret), timeout=9)
