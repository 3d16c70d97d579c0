# SPDX-License-Identifier: Apache-2.0
"""Methods, and routes as both wings write them."""

from __future__ import annotations

import re

UNMATCHED = "unmatched"
# Stands in a route for what names one thing of many.
ID = "{id}"

METHODS = frozenset(
    "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT".split()
)
OTHER_METHOD = "OTHER"

_EC2_VERSIONS = (
    "1.0|2007-01-19|2007-03-01|2007-08-29|2007-10-10|2007-12-15|2008-02-01"
    "|2008-09-01|2009-04-04|latest"
)
_OPENSTACK_VERSIONS = (
    "2012-08-10|2013-04-04|2013-10-17|2015-10-15|2016-06-30|2016-10-06"
    "|2017-02-22|2018-08-27|2020-10-14|latest"
)
_METADATA = re.compile(
    rf"/(?P<ec2>{_EC2_VERSIONS})/(?P<kind>meta-data|user-data)(?:/|\Z)"
    rf"|/openstack/(?P<openstack>{_OPENSTACK_VERSIONS})(?:/|\Z)"
)

# Parts of a path: those that name one thing of many, as a pattern, and those
# that may be a word of an API.
ID_FORMS = (
    r"\d+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{8,}"
    r"|(?=[^/]*\d)[^/]{16,}|[^/]{40,}"
)
PLAIN_PART = re.compile(r"[A-Za-z0-9._~-]{1,40}")
_ID = re.compile(ID_FORMS)
_NOT_IN_METRICS = re.compile(r"[^A-Za-z0-9-]+")


def shape_of(path: str) -> str | None:
    """Return *path* with its ids as ``{id}``, None if it is too odd.

    For a request that no router has seen yet.
    """
    if len(path) > 512:
        return None
    parts = [part for part in path.split("/") if part]
    if len(parts) > 12:
        return None
    named = []
    for part in parts:
        if _ID.fullmatch(part):
            named.append(ID)
        elif PLAIN_PART.fullmatch(part):
            named.append(part)
        else:
            return None
    return "/" + "/".join(named)


def metadata_route_of(path: str) -> str | None:
    """Return the route of a path of the metadata API, None of another.

    The versions are a fixed set: what a client asks for adds no route.
    """
    found = _METADATA.match(path)
    if found is None:
        return None
    if found["openstack"]:
        return f"/openstack/{found['openstack']}/*"
    if found["kind"] == "user-data":
        return f"/{found['ec2']}/user-data"
    return f"/{found['ec2']}/meta-data/*"


def metric_name(route: str) -> str:
    """Return *route* as part of a metric's name: ``v2_1_servers_id_action``.

    ASCII letters, digits, ``_`` and ``-`` only; ``root`` for ``/``.
    """
    return _NOT_IN_METRICS.sub("_", route).strip("_") or "root"
