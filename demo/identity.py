# SPDX-License-Identifier: Apache-2.0
"""The user of the demo's clients, and its token."""

# nova takes only [0-9a-f-]+ for a project in a URL.
PROJECT_ID = "d3e0d3e0d3e04a4a8b8bc0ffee000001"
USER_ID = "d3e0d3e0d3e04a4a8b8bc0ffee000002"
ROLES = "admin,member,reader"


def token(secret: str = "") -> str:
    """Return what the stand-in for keystone accepts as X-Auth-Token.

    The fields of a token are user, project, roles and a free last one, so
    that a test can look for a token in everything that was written.
    """
    return ":".join((USER_ID, PROJECT_ID, ROLES, secret))
