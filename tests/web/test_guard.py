# SPDX-License-Identifier: Apache-2.0
"""Only a known Host with the token gets a page, and nothing is changed."""

from __future__ import annotations

import re

import pytest
from builders import slow_rebuild, written
from hypothesis import given
from hypothesis import strategies as st
from web_pages import asked, pages_over
from webob import Request

from nova_profiler.web.guard import host_name

TOKEN = "a-token-of-ours"


@pytest.fixture
def dumps(tmp_path):
    written(tmp_path, slow_rebuild())
    return tmp_path


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:7775", 200),
        ("127.0.0.1:7775", 200),
        ("[::1]:7775", 200),
        ("LOCALHOST", 200),
        ("nova.example.org:80", 200),
        ("evil.example.org", 403),
        ("localhost.evil.example.org", 403),
        ("evil.example.org:7775", 403),
        ("127.0.0.1.nip.io", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_a_foreign_host_gets_nothing(dumps, host, status):
    """A name that another site chose may lead here; its pages may not ask."""
    pages = pages_over(dumps, hosts=["nova.example.org"])

    answer = asked(pages, "/", Host=host)

    assert answer.status_int == status
    assert (b"/v2.1/servers" in answer.body) is (status == 200)


def test_without_the_token_there_is_no_page(dumps):
    """Neither with another one, nor with the token for a cookie."""
    pages = pages_over(dumps, token=TOKEN)
    answers = [
        asked(pages, "/"),
        asked(pages, "/?token="),
        asked(pages, f"/?token={TOKEN}x"),
        asked(pages, "/?token=%E2%98%83"),
        asked(pages, "/", Authorization="Bearer wrong"),
        asked(pages, "/", Authorization=f"Basic {TOKEN}"),
        asked(pages, "/", Cookie=f"nova_profiler={TOKEN}"),
        asked(pages, "/requests/0/2026-11-21/x"),
        asked(pages, "/scripts/start.js"),
    ]

    assert [answer.status_int for answer in answers] == [401] * len(answers)
    assert not any(b"servers" in answer.body for answer in answers)


def test_a_token_in_the_url_becomes_a_cookie(dumps):
    """The browser goes on without it, to the same page of this server."""
    pages = pages_over(dumps, token=TOKEN)

    first = asked(pages, f"/?user=demo&token={TOKEN}", Host="localhost:1")
    cookie = first.headers["Set-Cookie"].partition(";")[0]
    second = asked(pages, first.headers["Location"], Cookie=cookie)

    assert first.status_int == 303
    assert first.headers["Location"].endswith("/?user=demo")
    assert TOKEN not in str(first.headers)
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert "SameSite=Strict" in first.headers["Set-Cookie"]
    assert second.status_int == 200


def test_a_program_gives_the_token_in_a_header(dumps):
    """As it gives others."""
    pages = pages_over(dumps, token=TOKEN)

    answer = asked(pages, "/", Authorization=f"Bearer {TOKEN}")

    assert answer.status_int == 200


@pytest.mark.parametrize("path", ["//evil.example.org/", "///evil/x"])
def test_the_way_on_from_a_token_stays_here(dumps, path):
    """An address of two slashes would be another host's."""
    answer = asked(pages_over(dumps, token=TOKEN), f"{path}?token={TOKEN}")

    assert answer.status_int == 303
    assert answer.location.startswith("http://localhost:7775/evil")


@pytest.mark.parametrize(
    ("site", "kind", "status"),
    [
        ("none", "document", 200),
        ("same-origin", "empty", 200),
        ("same-origin", "script", 200),
        # A link, as of a wiki.
        ("cross-site", "document", 200),
        ("cross-site", "image", 403),
        ("cross-site", "empty", 403),
        ("cross-site", "iframe", 403),
        # A server of another port of this machine.
        ("same-site", "script", 403),
    ],
)
def test_a_page_of_another_site_cannot_have_pages_made(
    dumps, site, kind, status
):
    """Its browser states which site asks, and what for."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": kind}

    answer = asked(pages_over(dumps), "/", **headers)

    assert answer.status_int == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(dumps, method):
    """Every method but two is refused before anything is looked at."""
    request = Request.blank("/", base_url="http://localhost", method=method)

    assert request.get_response(pages_over(dumps)).status_int == 405


@pytest.mark.parametrize(
    "url", ["/", "/?format=json", "/nothing", "/?page=x", "/scripts/live.js"]
)
def test_every_answer_stays_here_and_runs_only_our_files(dumps, url):
    """By its headers: no script of a page, no frame, no other type."""
    headers = asked(pages_over(dumps), url).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert re.findall(r"script[^;]*", policy) == ["script-src 'self'"]
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


@given(st.text(max_size=60))
def test_any_header_has_a_name_or_none(text):
    """A Host header can be anything."""
    name = host_name(text)

    assert ":" not in name or "[" in text or text.count(":") > 1
