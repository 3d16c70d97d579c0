# SPDX-License-Identifier: Apache-2.0
"""Signed headers: good for one request and one time, forged by nobody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nova_profiler.trust.signed_headers import (
    EXPIRED,
    FORGED,
    GARBLED,
    OSPROFILER_FORGED,
    osprofiler_fault,
    osprofiler_headers,
    trigger_fault,
    trigger_of,
)

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "fedcba9876543210fedcba9876543210"
PATH = "/v2.1/servers/detail"
NOW = 1_795_257_000.5
SOON = 1_795_257_300
BASE_ID = "8d28af1e-acc0-498c-9890-6908e33eff5f"


def fault(header, method="GET", path=PATH, keys=(KEY,), now=NOW):
    """Return what is wrong with *header* for the usual request."""
    return trigger_fault(header, method, path, keys, now)


def test_a_trigger_is_good_for_its_request():
    """With any of the keys, wherever it stands."""
    trigger = trigger_of("GET", PATH, SOON, KEY)

    assert fault(trigger) is None
    assert fault(trigger, keys=[OTHER_KEY, KEY]) is None
    assert fault(trigger, keys=[KEY, OTHER_KEY]) is None


def test_the_signature_is_what_the_manual_says():
    """HMAC-SHA256 over method, path and expiry, a line each."""
    message = f"GET\n{PATH}\n{SOON}".encode()
    expected = hmac.new(KEY.encode(), message, hashlib.sha256).hexdigest()

    assert trigger_of("GET", PATH, SOON, KEY) == (
        f"expires={SOON}; signature={expected}"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"method": "POST"},
        {"path": "/v2.1/servers"},
        {"path": PATH + "/"},
        {"keys": [OTHER_KEY]},
        {"keys": []},
        {"keys": [""]},
    ],
)
def test_it_is_forged_for_any_other(other):
    """Another method, path or key; without keys all are."""
    assert fault(trigger_of("GET", PATH, SOON, KEY), **other) == FORGED


def test_an_empty_key_signs_nothing():
    """It would be one that everybody knows."""
    assert fault(trigger_of("GET", PATH, SOON, ""), keys=["", KEY]) == FORGED


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        (int(NOW) - 1, EXPIRED),
        (int(NOW), EXPIRED),
        (int(NOW) + 1, None),
        (int(NOW) + 86_400, None),
        (int(NOW) + 86_402, EXPIRED),
        (999_999_999_999, EXPIRED),
    ],
)
def test_it_ends(expires, expected):
    """At its time; one for more than a day never begins."""
    assert fault(trigger_of("GET", PATH, expires, KEY)) == expected


def test_a_later_expiry_needs_another_signature():
    """What was copied cannot be made to last."""
    trigger = trigger_of("GET", PATH, SOON, KEY)

    later = trigger.replace(str(SOON), str(SOON + 60))

    assert fault(later) == FORGED


GOOD = trigger_of("GET", PATH, SOON, KEY)


@pytest.mark.parametrize(
    "header",
    [
        "",
        None,
        7,
        GOOD + " ",
        GOOD + "\n",
        " " + GOOD,
        GOOD[:-1],
        GOOD.upper(),
        GOOD.replace("expires=", "expires=-"),
        GOOD.replace("expires=", "expires=\u0661"),
        GOOD.replace("; ", ";  "),
        GOOD * 1000,
    ],
)
def test_what_is_no_trigger_is_garbled(header):
    """To the letter: nothing is guessed."""
    assert fault(header) == GARBLED


@given(
    position=st.integers(0, len(GOOD) - 1),
    character=st.characters(max_codepoint=0x17F),
)
def test_no_changed_character_is_let_pass(position, character):
    """Whichever it is, and whatever becomes of it."""
    changed = GOOD[:position] + character + GOOD[position + 1 :]
    assume(changed != GOOD)

    # A second space is optional; its place taken by another is not.
    assert fault(changed) in (GARBLED, FORGED, EXPIRED)


@given(path=st.text(max_size=80), other=st.text(max_size=80))
def test_no_two_paths_share_a_trigger(path, other):
    """Whatever line breaks they hold."""
    assume(path != other)
    trigger = trigger_of("GET", path, SOON, KEY)

    assert fault(trigger, path=path) is None
    assert fault(trigger, path=other) == FORGED


def environ_with(headers):
    """Return *headers* as WSGI has them."""
    return {
        "HTTP_" + name.upper().replace("-", "_"): value
        for name, value in headers.items()
    }


def test_osprofilers_headers_are_good():
    """With any of the keys, for any request."""
    environ = environ_with(osprofiler_headers(KEY, BASE_ID))

    assert osprofiler_fault(environ, [OTHER_KEY, KEY]) is None
    assert osprofiler_fault(environ, [OTHER_KEY]) == OSPROFILER_FORGED
    assert osprofiler_fault(environ, ["", ""]) == OSPROFILER_FORGED


def test_osprofiler_reads_them():
    """The package itself, as other services have it."""
    web = pytest.importorskip("osprofiler._utils")
    headers = osprofiler_headers(KEY, BASE_ID)

    fields = web.signed_unpack(
        headers["X-Trace-Info"], headers["X-Trace-HMAC"], [KEY]
    )

    assert fields["base_id"] == fields["parent_id"] == BASE_ID


def test_what_osprofiler_sends_is_good():
    """Signed by its own function."""
    web = pytest.importorskip("osprofiler._utils")
    info, signature = web.signed_pack({"base_id": BASE_ID}, KEY)
    environ = environ_with(
        {"X-Trace-Info": info.decode(), "X-Trace-HMAC": signature}
    )

    assert osprofiler_fault(environ, [KEY]) is None


def signed(content: bytes) -> dict[str, str]:
    """Return headers with *content*, rightly signed."""
    info = base64.urlsafe_b64encode(content)
    return environ_with(
        {
            "X-Trace-Info": info.decode(),
            "X-Trace-HMAC": hmac.new(
                KEY.encode(), info, hashlib.sha1
            ).hexdigest(),
        }
    )


@pytest.mark.parametrize(
    "environ",
    [
        signed(b"not JSON"),
        signed(b"[" * 2000),
        signed(b"[]"),
        signed(b"{}"),
        signed(b"\x80\x04K\x01."),
        signed(json.dumps({"base_id": "x" * 5000}).encode()),
        {"HTTP_X_TRACE_INFO": "e30="},
        {"HTTP_X_TRACE_INFO": "e30=", "HTTP_X_TRACE_HMAC": "short"},
        {"HTTP_X_TRACE_INFO": "\xe9", "HTTP_X_TRACE_HMAC": "a" * 40},
        {"HTTP_X_TRACE_INFO": 7, "HTTP_X_TRACE_HMAC": "a" * 40},
    ],
)
def test_odd_osprofiler_headers_are_garbled(environ):
    """Too long, no JSON, no object, no signature."""
    assert osprofiler_fault(environ, [KEY]) == GARBLED
