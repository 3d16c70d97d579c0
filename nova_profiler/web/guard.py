# SPDX-License-Identifier: Apache-2.0
"""Which requests get a page: those of a known Host, and with the token."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webob import Request

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE = "nova_profiler"
PARAMETER = "token"
_READS = ("GET", "HEAD")


class Guard:
    """Refuses what does not belong here.

    The page of another site cannot ask in a browser's name: its own name is
    in Host, or the browser states whose page asks. A link to these pages is
    no such. An empty *token* is none.
    """

    def __init__(self, hosts: Iterable[str], token: str) -> None:
        self._hosts = LOOPBACK | {_bare(host.lower()) for host in hosts}
        self._token = token

    def refusal(self, request: Request) -> tuple[int, str] | None:
        """Return status and reason where there is no page, else None."""
        if request.method not in _READS:
            return 405, "these pages change nothing: only GET and HEAD"
        if _is_within_another(request):
            return 403, "a page of another site cannot hold these pages"
        host = host_name(request.environ.get("HTTP_HOST", ""))
        if host not in self._hosts:
            return 403, "this Host is not served; see --allow-host"
        if self._token and not self._has_token(request):
            return 401, "a token is needed: open the address that was printed"
        return None

    def cookie(self, request: Request) -> str | None:
        """Return the cookie for a request that has the token in its URL."""
        given = request.GET.get(PARAMETER)
        if self._token and given is not None and self._is_token(given):
            return self._proof
        return None

    def _has_token(self, request: Request) -> bool:
        given = request.GET.get(PARAMETER)
        if given is not None:
            return self._is_token(given)
        kind, _, bearer = request.headers.get("Authorization", "").partition(
            " "
        )
        if kind.lower() == "bearer":
            return self._is_token(bearer.strip())
        return _is_equal(request.cookies.get(COOKIE, ""), self._proof)

    def _is_token(self, given: str) -> bool:
        return _is_equal(given, self._token)

    @property
    def _proof(self) -> str:
        # The cookie is no token: what reads it cannot make an address of it.
        return hashlib.sha256(f"cookie of {self._token}".encode()).hexdigest()


def host_name(header: str) -> str:
    """Return the name in a Host header, without its port."""
    host = header.strip().lower()
    if host.startswith("["):
        name, end, _ = host[1:].partition("]")
        return name if end else ""
    return host.rpartition(":")[0] if ":" in host else host


def is_loopback(address: str) -> bool:
    """Return whether only this machine reaches *address*."""
    return _bare(address.lower()) in LOOPBACK


def _is_within_another(request: Request) -> bool:
    """Return whether a page of another origin asks for a part of itself.

    It could not read the answer, but measure it, and have it made often.
    """
    site = request.headers.get("Sec-Fetch-Site", "none")
    is_page = request.headers.get("Sec-Fetch-Dest") == "document"
    return site not in ("none", "same-origin") and not is_page


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")


def _is_equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(
        given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace")
    )
