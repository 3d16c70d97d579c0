# SPDX-License-Identifier: Apache-2.0
"""The pages as a WSGI application: what is asked for, and the answer."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from webob import Request, Response

from nova_profiler.dump_store import DumpError
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.screen.terminal import printable
from nova_profiler.web import logged_page, scripts
from nova_profiler.web.answers import (
    HTML,
    JSON,
    html,
    is_json,
    json_of,
    pack,
    problem,
    protect,
    with_line,
    without_token,
)
from nova_profiler.web.choice import Choice, ChoiceError, choice_of
from nova_profiler.web.compare import page as compare_page
from nova_profiler.web.compare.figures import compare_figures
from nova_profiler.web.compare.sides import compare_view_of, with_default_sides
from nova_profiler.web.guard import Guard
from nova_profiler.web.index import Index
from nova_profiler.web.logged_page import logged_fields
from nova_profiler.web.one_request.downloads import Download
from nova_profiler.web.one_request.page import OneRequest, Place, place_of
from nova_profiler.web.overview import page as overview_page
from nova_profiler.web.overview.figures import Overview, overview_of
from nova_profiler.web.parameters import line_about
from nova_profiler.web.route import page as route_page
from nova_profiler.web.route.figures import route_figures
from nova_profiler.web.route.view import route_view_of
from nova_profiler.web.rows import Row
from nova_profiler.web.tables.lines import lines_of
from nova_profiler.web.together.opening import Opener

_LONGEST_QUERY = 4096
# Overviews, each of one state of the index.
_KEPT = 8

_SCRIPT = "text/javascript"
# What a download has no room for; one line, of so many letters.
LEFT_OUT = "Nova-Profiler-Left-Out"
_LONGEST_HEADER = 1000


class Pages:
    """The application. Each page is HTML, or JSON where that is asked for.

    That is by the header Accept or by ``format=json`` in the URL.
    """

    def __init__(self, index: Index, guard: Guard, slow_ms: float) -> None:
        self.index = index
        self._guard = guard
        self._slow_ms = slow_ms
        # A page that is asked for twice is worked out once.
        self._overview = lru_cache(maxsize=_KEPT)(self._worked_out)
        # Versions of another process are others.
        self._born = secrets.token_hex(4)
        self._opener = Opener(index)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request; no failure is another status than 500."""
        request = Request(environ)
        try:
            response = self._answer(request)
        except UnicodeDecodeError:
            reason = "this address is no UTF-8"
            response = problem(request, 400, reason, is_known=False)
        except NovaProfilerError as exc:
            status = 400 if isinstance(exc, ChoiceError) else 404
            response = problem(request, status, str(exc))
        except Exception as exc:
            reason = f"this page failed: {type(exc).__name__}"
            response = problem(request, 500, reason)
        _put_line(request, response)
        protect(response)
        pack(request, response)
        body: Iterable[bytes] = response(environ, start_response)
        return body

    def _answer(self, request: Request) -> Response:
        refusal = self._guard.refusal(request)
        if refusal is not None:
            return problem(request, *refusal, is_known=False)
        cookie = self._guard.cookie(request)
        if cookie is not None:
            return without_token(request, cookie)
        if len(request.query_string) > _LONGEST_QUERY:
            return problem(request, 414, "this address is too long")
        script = scripts.script_at(request.path_info)
        if script is not None:
            return Response(script, content_type=_SCRIPT, charset="utf-8")
        self.index.start()
        if request.path_info in ("", "/"):
            return self._overview_page(request)
        if request.path_info == "/route":
            return self._route_page(request)
        if request.path_info == "/compare":
            return self._compare_page(request)
        place = place_of(request.path_info)
        if place is not None:
            return self._request_page(request, place)
        return problem(request, 404, "there is no such page")

    def _overview_page(self, request: Request) -> Response:
        choice = choice_of(request.GET)
        tag = self._tag(request)
        if tag in request.if_none_match:
            return Response(status=304, etag=(tag, False))
        response = self._overview_response(request, choice)
        response.etag = (tag, False)
        return response

    def _tag(self, request: Request) -> str:
        """Return what names this state of the overview."""
        state = self.index.version, self.index.progress, is_json(request)
        text = f"{self._born} {state} {request.query_string}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _overview_response(self, request: Request, choice: Choice) -> Response:
        # Once more while dumps are read, so that it is never an old one.
        overview = self._overview(choice, self.index.version)
        progress = self.index.progress
        if is_json(request):
            fields = {"progress": progress._asdict(), **overview.fields()}
            return json_of(fields)
        home = f"{request.script_name}/"
        return html(overview_page.page_of(overview, progress, home))

    def _worked_out(self, choice: Choice, version: int) -> Overview:
        return overview_of(self.index.rows, choice, self._slow_ms)

    def _route_page(self, request: Request) -> Response:
        view = route_view_of(request.GET)
        rows = view.choice.of(self.index.rows)
        figures = route_figures(
            self.index, rows, view, self._opener, self._slow_ms
        )
        progress = self.index.progress
        if figures is None:
            yet = "" if progress.is_done else " yet: dumps are being read"
            message = f"no request of {view.choice.route} is chosen{yet}"
            return problem(request, 404, message)
        if is_json(request):
            return json_of(
                {"progress": progress._asdict(), **figures.fields()}
            )
        home = f"{request.script_name}/"
        return html(route_page.page_of(figures, progress, home))

    def _compare_page(self, request: Request) -> Response:
        directories = [source.title for source in self.index.sources]
        rows = self.index.rows
        view = with_default_sides(
            compare_view_of(request.GET, len(directories)),
            rows,
            len(directories),
        )
        figures = compare_figures(rows, view, self._opener, self._slow_ms)
        progress = self.index.progress
        if is_json(request):
            return json_of(
                {"progress": progress._asdict(), **figures.fields()}
            )
        home = f"{request.script_name}/"
        page = compare_page.page_of(figures, progress, directories, home)
        return html(page)

    def _request_page(self, request: Request, place: Place) -> Response:
        row = self.index.row(place.key)
        if row is None and not self.index.progress.is_done:
            return problem(
                request, 404, "no such dump yet: dumps are being read"
            )
        if row is None:
            return problem(request, 404, "there is no such page")
        if row.entry is None:
            # Of a log or a history: there is no more than one page of it.
            if place.part:
                return problem(request, 404, "there is no such page")
            return self._logged_page(request, row)
        home = f"{request.script_name}/"
        try:
            one = OneRequest(self.index, row, row.entry, home)
        except DumpError as exc:
            return problem(request, 410, str(exc))
        if place.download is not None:
            return _download(request, one, place.download)
        if place.part:
            return _lines(request, one)
        if is_json(request):
            return json_of(one.fields())
        return html(one.html(request.GET))

    def _logged_page(self, request: Request, row: Row) -> Response:
        """Return what logs have of a request without a dump."""
        files, named = self.index.source(row).logs(row)
        found = lines_of(row, files)
        fields = logged_fields(row, found, named)
        if is_json(request):
            return json_of(fields)
        home = f"{request.script_name}/"
        return html(logged_page.page_of(row, fields, home))


def _put_line(request: Request, response: Response) -> None:
    """Put a line on the page about parameters that it passes over."""
    is_refused = response.content_type not in (HTML, JSON)
    if is_refused or len(request.query_string) > _LONGEST_QUERY:
        return
    try:
        line = line_about(request.path_info, request.GET)
    except UnicodeDecodeError:
        # Which is what the page says.
        return
    if line and response.body:
        with_line(response, line)


def _lines(request: Request, one: OneRequest) -> Response:
    lines = one.lines()
    if lines is None:
        return problem(request, 404, "no logs are served for this request")
    if is_json(request):
        return json_of(lines.fields())
    return html(one.lines_html(lines))


def _download(request: Request, one: OneRequest, how: Download) -> Response:
    found = one.download(how)
    if found is None:
        return problem(request, 404, f"it cannot be had as {how.words}")
    (content, left_out), name = found
    response = Response(content, content_type=how.content_type)
    if left_out:
        response.headers[LEFT_OUT] = _header_text("; ".join(left_out))
    # Names of dumps are made of letters, digits and dashes.
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _header_text(text: str) -> str:
    return printable(text, _LONGEST_HEADER).encode("ascii", "replace").decode()
