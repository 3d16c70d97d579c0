# SPDX-License-Identifier: Apache-2.0
"""Process that answers for keystone: gives tokens and checks them.

    python -m demo.cloud.stubs.keystone DELAY_MS

A token is ``user:project:roles:anything``, as `demo.identity` makes them; a
service gets one for any name and password.
"""

from __future__ import annotations

from typing import Any

from demo import identity
from demo.cloud.stubs import answering
from demo.cloud.stubs.answering import Answer, Asked

_PROJECT = "d3e0d3e0d3e04a4a8b8bc0ffee000003"
# Far off, so that no clock in a test finds a token expired.
_EXPIRES = "2999-01-01T00:00:00.000000Z"
_ISSUED = "2026-01-01T00:00:00.000000Z"
_DOMAIN = {"id": "default", "name": "Default"}


def answer(asked: Asked) -> Answer:
    """Return what keystone answers."""
    if asked.words == ["auth", "tokens"]:
        return _tokens(asked)
    if asked.words in ([""], []):
        return Answer(200, _version(asked.headers.get("Host", "")))
    raise answering.NotThereError("/".join(asked.words))


def _tokens(asked: Asked) -> Answer:
    if asked.method != "POST":
        # A service asks whose token it has got.
        token = asked.headers.get("X-Subject-Token", "")
        return Answer(200, _described(token, ""), {"X-Subject-Token": token})
    user = asked.body["auth"]["identity"]["password"]["user"]["name"]
    token = f"{user}:{_PROJECT}:admin,service:"
    described = _described(token, asked.headers.get("Host", ""))
    return Answer(201, described, {"X-Subject-Token": token})


def _described(token: str, host: str) -> dict[str, Any]:
    fields = token.split(":")
    if len(fields) < 3:
        raise answering.NotThereError("no such token")
    user, project, roles = fields[:3]
    name = "demo" if user == identity.USER_ID else user
    return {
        "token": {
            "methods": ["password"],
            "issued_at": _ISSUED,
            "expires_at": _EXPIRES,
            "audit_ids": ["d3e0d3e0d3e0d3e0d3e0d3"],
            "user": {"id": user, "name": name, "domain": _DOMAIN},
            "project": {"id": project, "name": name, "domain": _DOMAIN},
            "roles": [{"id": role, "name": role} for role in roles.split(",")],
            "catalog": _catalog(host) if host else [],
        }
    }


def _catalog(host: str) -> list[dict[str, Any]]:
    """Return where keystone is: the others are named in nova.conf."""
    endpoints = [
        {
            "id": interface,
            "interface": interface,
            "region": "RegionOne",
            "region_id": "RegionOne",
            "url": f"http://{host}/v3",
        }
        for interface in ("public", "internal", "admin")
    ]
    return [
        {
            "id": "identity",
            "type": "identity",
            "name": "keystone",
            "endpoints": endpoints,
        }
    ]


def _version(host: str) -> dict[str, Any]:
    return {
        "version": {
            "id": "v3.14",
            "status": "stable",
            "updated": _ISSUED,
            "links": [{"rel": "self", "href": f"http://{host}/v3/"}],
            "media-types": [],
        }
    }


if __name__ == "__main__":
    answering.run(answer)
