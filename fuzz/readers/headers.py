# SPDX-License-Identifier: Apache-2.0
"""Headers that ask for a profile: ours, and osprofiler's pair."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

from fuzz.readers.contracts import BrokenPromiseError, Reader
from nova_profiler.trust.signed_headers import (
    OSPROFILER_HMAC,
    OSPROFILER_INFO,
    osprofiler_fault,
    osprofiler_headers,
    signature_of,
    trigger_fault,
    trigger_of,
)

_KEY = "a-key-of-enough-letters"
_NOW = 1795257301.0
_PATH = "/v2.1/servers"
_GOOD = trigger_of("GET", _PATH, int(_NOW) + 60, _KEY)
_INFO = base64.urlsafe_b64decode(
    osprofiler_headers(_KEY, "1d2c3b4a-0000-4000-8000-000000000001")[
        "X-Trace-Info"
    ]
)


def read_trigger(data: bytes, folder: Path) -> None:
    """Read *data* as our header: another one than the good is refused."""
    header = data.decode("latin-1")
    fault = trigger_fault(header, "GET", _PATH, [_KEY], _NOW)
    if fault is None and header.replace("; ", ";") != _GOOD.replace("; ", ";"):
        raise BrokenPromiseError(
            "a header of no key of ours asks for a profile"
        )


def read_path(data: bytes, folder: Path) -> None:
    """Sign *data* as a path: the header is good for it and no other."""
    path = data.decode("latin-1")
    header = trigger_of("GET", path, int(_NOW) + 60, _KEY)
    if trigger_fault(header, "GET", path, [_KEY], _NOW) is not None:
        raise BrokenPromiseError("a header of ours is refused")
    if signature_of("GET", path + "x", 1, _KEY) == signature_of(
        "GET", path, 1, _KEY
    ):
        raise BrokenPromiseError("two paths have one signature")


def read_osprofiler(data: bytes, folder: Path) -> None:
    """Read *data* as osprofiler's pair, unsigned and with a good signature."""
    for info in (data, base64.urlsafe_b64encode(data)):
        signed = hmac.new(_KEY.encode(), info, hashlib.sha1).hexdigest()
        text = info.decode("latin-1")
        for signature in (signed, text):
            environ = {OSPROFILER_INFO: text, OSPROFILER_HMAC: signature}
            fault = osprofiler_fault(environ, [_KEY])
            if fault is None and signature is not signed:
                raise BrokenPromiseError("a forged pair asks for a profile")


TRIGGER = Reader(
    read_trigger,
    (_GOOD.encode(),),
    (b"expires=", b"; ", b"signature=", b"0" * 64),
)
SIGNED_PATH = Reader(read_path, (_PATH.encode(), b"//v2.1", b"/\n1\n/a"))
OSPROFILER = Reader(read_osprofiler, (_INFO,), is_json=True)
