# SPDX-License-Identifier: Apache-2.0
"""Where a Collector listens, and the headers that it wants."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

EXPECTED = (
    "http:// or https:// with a host, and maybe a port and a path; user and "
    "password have a place in otlp_headers"
)
# The port of OTLP over HTTP.
PORT = 4318
_LONGEST = 1024
# No blanks, controls, or parts that a base URL does not have.
_PLAIN = re.compile(r"[!-~]+", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._:-]+", re.ASCII)
# RFC 9110: a token, and what a field may hold.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE = re.compile(r"[ -~]*", re.ASCII)
# Set by what sends.
_OURS = frozenset(
    ("content-length", "content-type", "host", "transfer-encoding")
)


class Endpoint(NamedTuple):
    """A Collector's host and port, with the path before ``/v1/traces``."""

    host: str
    port: int
    path: str
    is_tls: bool


def endpoint_of(text: str) -> Endpoint:
    """Return what *text* means; raises ValueError, without *text*.

    With user and password it is refused: the text of an option ends up in
    logs, in listings of options and on pages.
    """
    if not _PLAIN.fullmatch(text) or len(text) > _LONGEST:
        raise ValueError("no URL")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https"):
        raise ValueError("neither http nor https")
    if "@" in text or parts.query or parts.fragment:
        raise ValueError("more than a host, a port and a path")
    host = parts.hostname
    if not host or not _HOST.fullmatch(host):
        raise ValueError("no host")
    # Raises ValueError for what is no port.
    port = parts.port
    if port == 0:
        raise ValueError("no port")
    is_tls = parts.scheme == "https"
    return Endpoint(host, port or PORT, parts.path.rstrip("/"), is_tls)


def header_of(text: str) -> tuple[str, str]:
    """Return name and value of ``name=value``; raises ValueError.

    Written as in OTEL_EXPORTER_OTLP_HEADERS: ``%2C`` is a comma in a value.
    """
    name, equals, value = text.partition("=")
    name, value = name.strip(), unquote(value.strip())
    if (
        not equals
        or not _NAME.fullmatch(name)
        or not _VALUE.fullmatch(value)
        or name.lower() in _OURS
    ):
        raise ValueError("no header")
    return name, value


def headers_of(texts: Iterable[str]) -> dict[str, str]:
    """Return the headers in *texts*; raises ValueError."""
    return dict(header_of(text) for text in texts)
