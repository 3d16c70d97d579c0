# SPDX-License-Identifier: Apache-2.0
"""A trace as ``osprofiler trace show --json`` writes it: requests in a tree.

A request that a client sent (``http_client``) and the one that the service
served (``wsgi``), its child, are one call: the client's time beside the
service's. Each call becomes a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple
from urllib.parse import quote

_HEAD = re.compile(rb"\s*\{\s*\"(?:info|children|stats)\"\s*:")
_TRACE_WORDS = (b'"last_trace_started"', b'"meta.raw_payload.')
_UTC = timezone.utc
_NO_SERVICE = "/"
_LONGEST_PATH = 1_000
_LONGEST_WORD = 40
# An exception of the service; its answer's status is not in the trace.
_FAILED = 500


class _Served(NamedTuple):
    """One point of the tree that is a request.

    ``service`` is what the point has: a project and a program, or nothing.
    """

    method: str
    url: str
    service: str
    status: int
    until: float | None
    seconds: float


def is_trace(head: bytes) -> bool:
    """Return whether a text that begins with *head* is a trace."""
    return bool(_HEAD.match(head)) and any(
        word in head for word in _TRACE_WORDS
    )


def lines_of(record: bytes) -> Iterator[bytes]:
    """Yield a line for each request in the trace *record*.

    Raises ValueError or RecursionError for a damaged one.
    """
    waiting: list[tuple[Any, bool]] = [(json.loads(record), False)]
    while waiting:
        node, is_done = waiting.pop()
        if not isinstance(node, dict):
            continue
        children = node.get("children")
        inner = children if isinstance(children, list) else []
        sent = None if is_done else _sent(node)
        served = None
        if sent is not None:
            served = next(filter(None, map(_served, inner)), None)
            yield _line_of(sent, served)
        elif not is_done and (own := _served(node)) is not None:
            yield _line_of(own, None)
        # The child of a client's request stands in that one's line.
        done = [served is not None and _served(one) == served for one in inner]
        waiting += reversed(list(zip(inner, done, strict=True)))


def _line_of(call: _Served, served: _Served | None) -> bytes:
    service = call.service if served is None else served.service
    stamp = "" if call.until is None else f"{_stamp(call.until)} "
    method = _word(call.method[:_LONGEST_WORD], "")
    url = _word(call.url[:_LONGEST_PATH], "/:?&=%,;@+~")
    service = _word(service[:_LONGEST_WORD], "/")
    line = (
        f'{stamp}osprofiler {service} "{method} {url}" '
        f"{call.status} {call.seconds:.6f} s"
    )
    if served is not None:
        line += f" of the service {served.seconds:.6f} s"
    return f"{line}\n".encode()


def _word(text: str, safe: str) -> str:
    """Return *text* without what would end a word of the line."""
    return quote(text, safe, errors="replace")


def _sent(node: dict[str, Any]) -> _Served | None:
    """Return the request that a client sent at *node*, None if it is none."""
    asked = _payload(node, "http_client", "start", "requests")
    if asked is None:
        return None
    answer = _payload(node, "http_client", "stop", "requests") or {}
    url = _text(asked.get("url")) or _text(asked.get("path"))
    return _request(
        node, "http_client", _text(asked.get("method")), url, _NO_SERVICE,
        _status(answer.get("status_code")),
    )  # fmt: skip


def _served(node: Any) -> _Served | None:
    """Return the request that a service served at *node*, None if none."""
    if not isinstance(node, dict):
        return None
    asked = _payload(node, "wsgi", "start", "request")
    if asked is None:
        return None
    info = node["info"]
    service = f"{_text(info.get('project'))}/{_text(info.get('service'))}"
    failed = info.get("exception") not in (None, "None")
    return _request(
        node, "wsgi", _text(asked.get("method")), _text(asked.get("path")),
        service, _FAILED if failed else 0,
    )  # fmt: skip


def _request(
    node: dict[str, Any],
    point: str,
    method: str,
    url: str,
    service: str,
    status: int,
) -> _Served | None:
    began, ended = (_at(node, point, end) for end in ("start", "stop"))
    if began is not None and ended is not None:
        seconds = ended - began
    else:
        # Whole milliseconds since the trace began.
        first, last = (
            node["info"].get(key) for key in ("started", "finished")
        )
        if not isinstance(first, (int, float)) or not isinstance(
            last, (int, float)
        ):
            return None
        seconds = (last - first) / 1000
    if not method or not 0 <= seconds < 1e9:
        return None
    return _Served(method, url, service, status, ended, seconds)


def _at(node: dict[str, Any], point: str, end: str) -> float | None:
    stamp = _part(node["info"], f"meta.raw_payload.{point}-{end}", "timestamp")
    try:
        found = datetime.fromisoformat(_text(stamp))
    except ValueError:
        return None
    # osprofiler's clock is UTC, and its stamps do not say so.
    return (found if found.tzinfo else found.replace(tzinfo=_UTC)).timestamp()


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, _UTC).isoformat("T", "microseconds")


def _payload(
    node: dict[str, Any], point: str, end: str, what: str
) -> dict[str, Any] | None:
    name = f"meta.raw_payload.{point}-{end}"
    found = _part(node, "info", name, "info", what)
    return found if isinstance(found, dict) else None


def _part(fields: Any, *keys: str) -> Any:
    for key in keys:
        fields = fields.get(key) if isinstance(fields, dict) else None
    return fields


def _status(value: Any) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 1000 else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
