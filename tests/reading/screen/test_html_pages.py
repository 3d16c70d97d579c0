# SPDX-License-Identifier: Apache-2.0
"""One frame for all pages of HTML, and one error without Jinja2."""

from __future__ import annotations

import sys

import pytest
from jinja2 import UndefinedError

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.screen.html_pages import rendered_still

PROFILE = {
    "title": "</title><script>alert(1)</script>",
    "sentence": "pyspy: 3 samples",
    "hot": None,
    "notes": ["<b>note</b>"],
    "tables": [],
    "branches": [],
    "least": "0.1 %",
    "share_text": str,
    "ms_text": str,
}


def test_the_frame_forbids_the_network_and_scripts():
    """Whatever a page holds, a browser loads nothing for it."""
    page = rendered_still("profile.html", **PROFILE)

    assert page.startswith("<!DOCTYPE html>")
    assert "default-src &#39;none&#39;; style-src &#39;sha256-" in page
    assert "this page needs no network" in page


def test_what_others_named_stays_text():
    """No tag comes from a name or a note."""
    page = rendered_still("profile.html", **PROFILE)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>note</b>" not in page


def test_a_page_without_one_of_its_values_is_an_error():
    """Not a page with a hole in it."""
    values = {name: PROFILE[name] for name in PROFILE if name != "sentence"}

    with pytest.raises(UndefinedError, match="'sentence' is undefined"):
        rendered_still("profile.html", **values)


def test_without_jinja2_there_is_one_error(monkeypatch):
    """It names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(
        NovaProfilerError,
        match=r"pages need Jinja2: pip install 'nova-profiler\[html\]'",
    ):
        rendered_still("profile.html", **PROFILE)


def test_names_break_where_their_words_end():
    """Neither within a word nor before a number of a version or a line."""
    values = {**PROFILE, "title": "GET /v2.1/servers nova.api:get_all x.py:31"}

    page = rendered_still("profile.html", **values)

    assert (
        "<h1>GET /<wbr>v2.1/servers nova.<wbr>api:<wbr>get_<wbr>all "
        "x.<wbr>py:31</h1>" in page
    )
