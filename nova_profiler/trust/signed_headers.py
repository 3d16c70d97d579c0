# SPDX-License-Identifier: Apache-2.0
"""Signed headers that ask for one request to be profiled.

Ours covers the method, the path as nova sees it without its query string,
and the time at which it expires:

    X-Nova-Profiler: expires=1795257301; signature=<64 hex digits>

A copy of it asks for the same request until then, and for no other.
osprofiler's pair of headers is known, too; it never expires and is for any
request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

HEADER = "X-Nova-Profiler"
# As WSGI calls them.
TRIGGER = "HTTP_X_NOVA_PROFILER"
OSPROFILER_INFO = "HTTP_X_TRACE_INFO"
OSPROFILER_HMAC = "HTTP_X_TRACE_HMAC"

# What a bad trigger is counted as.
GARBLED = "trigger_garbled"
FORGED = "trigger_forged"
EXPIRED = "trigger_expired"
OSPROFILER_FORGED = "osprofiler_trigger_forged"

# A shorter key can be guessed.
SHORTEST_KEY = 16
# No trigger may be good for longer: what leaks has to end.
LONGEST_S = 86_400
# What osprofiler's header is at most looked at for.
_MAX_INFO = 4096

_FORM = re.compile(r"expires=([0-9]{1,12}); ?signature=([0-9a-f]{64})")
_SHA1_HEX = re.compile(r"[0-9a-fA-F]{40}")


def signature_of(method: str, path: str, expires: int, key: str) -> str:
    """Return the signature of a trigger, in hex.

    *path* is as WSGI has it: its quotes undone, its bytes as latin-1.
    """
    # Method and time contain no line break, so the three parts stay
    # distinct, whatever is in the path.
    message = f"{method}\n{path}\n{expires}".encode("utf-8", "replace")
    secret = key.encode("utf-8", "surrogateescape")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def trigger_of(method: str, path: str, expires: int, key: str) -> str:
    """Return the value of the header for one request."""
    signature = signature_of(method, path, expires, key)
    return f"expires={expires}; signature={signature}"


def trigger_fault(
    header: object, method: str, path: str, keys: Iterable[str], now: float
) -> str | None:
    """Return what is wrong with *header*, None if it is a good trigger."""
    form = _FORM.fullmatch(header) if isinstance(header, str) else None
    if form is None:
        return GARBLED
    expires = int(form[1])
    good = False
    for key in keys:
        # Every key, however early one fits.
        good |= bool(key) and hmac.compare_digest(
            signature_of(method, path, expires, key), form[2]
        )
    if not good:
        return FORGED
    return None if now < expires <= now + LONGEST_S else EXPIRED


def osprofiler_headers(key: str, base_id: str) -> dict[str, str]:
    """Return the headers that have osprofiler, and us, trace a request."""
    fields = {"base_id": base_id, "parent_id": base_id}
    info = base64.urlsafe_b64encode(json.dumps(fields).encode())
    return {
        "X-Trace-Info": info.decode(),
        "X-Trace-HMAC": _sha1_of(info, key),
    }


def osprofiler_fault(
    environ: Mapping[str, Any], keys: Iterable[str]
) -> str | None:
    """Return what is wrong with osprofiler's headers, None if nothing."""
    info = environ.get(OSPROFILER_INFO)
    signature = environ.get(OSPROFILER_HMAC)
    if (
        not isinstance(info, str)
        or not isinstance(signature, str)
        or len(info) > _MAX_INFO
        or not info.isascii()
        or not _SHA1_HEX.fullmatch(signature)
    ):
        return GARBLED
    good = False
    for key in keys:
        good |= bool(key) and hmac.compare_digest(
            _sha1_of(info.encode(), key), signature.lower()
        )
    if not good:
        return OSPROFILER_FORGED
    try:
        fields = json.loads(base64.urlsafe_b64decode(info))
    except (ValueError, RecursionError):
        return GARBLED
    return None if isinstance(fields, dict) and fields else GARBLED


def _sha1_of(info: bytes, key: str) -> str:
    secret = key.encode("utf-8", "surrogateescape")
    return hmac.new(secret, info, hashlib.sha1).hexdigest()
