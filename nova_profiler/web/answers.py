# SPDX-License-Identifier: Apache-2.0
"""Answers: HTML, JSON and problems, with what protects each of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from webob import Request, Response

from nova_profiler.reading.screen.html_pages import rendered_still, still_style
from nova_profiler.web.guard import COOKIE, PARAMETER

_PACKED_FROM = 4 * 1024
_QUICKLY = 1

JSON, HTML = "application/json", "text/html"


def is_json(request: Request) -> bool:
    """Return whether JSON is asked for, by the URL or by Accept."""
    if request.GET.get("format") == "json":
        return True
    best = request.accept.acceptable_offers([HTML, JSON])
    return bool(best) and best[0][0] == JSON


def html(page: str, status: int = 200) -> Response:
    """Return *page* as an answer."""
    return Response(
        page.encode("utf-8", "replace"),
        status=status,
        content_type=HTML,
        charset="utf-8",
    )


def json_of(fields: Mapping[str, Any], status: int = 200) -> Response:
    """Return *fields* as an answer in JSON."""
    return Response(
        json.dumps(fields, indent=1).encode(),
        status=status,
        content_type=JSON,
    )


def problem(
    request: Request, status: int, message: str, is_known: bool = True
) -> Response:
    """Return what is wrong: as a page or in JSON, as that is asked for.

    It is plain text for a request that the guard does not know yet.
    """
    if is_known and is_json(request):
        return json_of({"error": message}, status)
    if not is_known:
        return Response(
            f"{message}\n".encode(), status=status, content_type="text/plain"
        )
    page = rendered_still(
        "problem.html",
        heading=Response(status=status).status,
        message=message,
        home=f"{request.script_name}/",
    )
    return html(page, status)


def with_line(response: Response, line: str) -> None:
    """Put *line* on top of a page, or among the fields of its JSON."""
    if response.content_type == JSON:
        fields = {"ignored_parameters": line, **json.loads(response.body)}
        response.body = json_of(fields).body
    elif response.content_type == HTML:
        shown = f'<p class="panel slow">{escape(line)}</p>'
        # One place for all pages: the frame of each begins its content so.
        page = response.body.decode()
        at = page.find(">", page.find("<main")) + 1
        response.body = f"{page[:at]}\n{shown}{page[at:]}".encode()


def without_token(request: Request, cookie: str) -> Response:
    """Send a browser on, so that its history has no token."""
    query = [item for item in request.GET.items() if item[0] != PARAMETER]
    # Relative: only this Host is known to be right. Two slashes begin another.
    path = f"{request.script_name}{request.path_info}".lstrip("/")
    place = f"/{quote(path)}"
    response = Response(status=303)
    response.headers["Location"] = f"{place}?{urlencode(query)}"
    response.set_cookie(
        COOKIE,
        cookie,
        httponly=True,
        samesite="Strict",
        secure=request.scheme == "https",
        path=request.script_name or "/",
    )
    return response


def protect(response: Response) -> None:
    """Have a browser run no code of others, and keep no answer."""
    response.headers.update(
        {
            "Content-Security-Policy": (
                f"{still_style().scripted_policy}; frame-ancestors 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
            # One address has two forms.
            "Vary": "Accept, Accept-Encoding",
        }
    )


def pack(request: Request, response: Response) -> None:
    """Compress a large page: pictures of many boxes repeat themselves."""
    is_large = len(response.body) >= _PACKED_FROM
    takes = request.accept_encoding
    # None where the header is absent.
    if is_large and takes.parsed and takes.acceptable_offers(["gzip"]):
        response.body = gzip.compress(response.body, _QUICKLY)
        response.content_encoding = "gzip"
