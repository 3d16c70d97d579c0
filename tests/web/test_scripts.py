# SPDX-License-Identifier: Apache-2.0
"""Scripts are files of the server, and only those are."""

from __future__ import annotations

import gzip
import re

import pytest
from builders import numbered, slow_rebuild, written
from web_pages import asked, pages_over, still_index
from webob import Request

from nova_profiler.web.application import Pages
from nova_profiler.web.guard import Guard

IMPORTED = re.compile(r'from "\./([a-z_]+\.js)"')


@pytest.fixture
def dumps(tmp_path):
    written(tmp_path, slow_rebuild(), *map(numbered, range(3)))
    return tmp_path


def test_each_script_is_served_as_one(dumps):
    """All that the first one needs, and nothing is imported from elsewhere."""
    pages = pages_over(dumps)
    known = {"start.js"}
    left = ["start.js"]
    while left:
        answer = asked(pages, f"/scripts/{left.pop()}")
        assert answer.status_int == 200
        assert answer.content_type == "text/javascript"
        assert answer.text.count('from "') == len(
            IMPORTED.findall(answer.text)
        )
        new = set(IMPORTED.findall(answer.text)) - known
        known |= new
        left += new

    assert {"in_place.js", "keys.js", "live.js", "morph.js"} < known


@pytest.mark.parametrize(
    "path",
    [
        "/scripts/",
        "/scripts/none.js",
        "/scripts/__init__.py",
        "/scripts/../guard.py",
        "/scripts/%2e%2e/guard.py",
        "/scripts//etc/passwd",
        "/requests/scripts/start.js",
    ],
)
def test_no_other_file_is_served(dumps, path):
    """Whatever an address is, it is only looked up among the scripts."""
    assert asked(pages_over(dumps), path).status_int == 404


@pytest.mark.parametrize("url", ["/", "requests"])
def test_a_page_names_its_script_below_where_it_is_mounted(dumps, url):
    """Once, as a file, and has no script of its own text."""
    pages = pages_over(dumps)
    if url == "requests":
        rows = asked(pages, "/?format=json").json["requests"]
        url = f"/requests/{rows[0]['key']}"
    request = Request.blank(url, base_url="http://localhost/profiler")

    page = request.get_response(pages).text

    assert re.findall("<script.*?</script>", page) == [
        '<script type="module" src="/profiler/scripts/start.js"></script>'
    ]
    assert 'content="default-src' in page
    assert "script-src &#39;self&#39;; connect-src &#39;self&#39;" in page


def test_what_has_not_changed_is_not_sent_again(dumps):
    """A page that looks for new dumps gets them, or one line."""
    index = still_index(dumps)
    pages = Pages(index, Guard([], ""), 1000.0)
    tag = asked(pages, "/").headers["ETag"]

    same = asked(pages, "/", If_None_Match=tag)
    others = [
        asked(pages, "/?sort=ms", If_None_Match=tag),
        asked(pages, "/?format=json", If_None_Match=tag),
        asked(pages_over(dumps), "/", If_None_Match=tag),
    ]
    written(dumps, numbered(9))
    index.look_up_names()
    newer = asked(pages, "/", If_None_Match=tag)

    assert (same.status_int, same.body) == (304, b"")
    assert [answer.status_int for answer in others] == [200, 200, 200]
    assert newer.status_int == 200
    assert "5</span> requests" in newer.text


@pytest.mark.parametrize(("accepted", "packed"), [("gzip", True), ("", False)])
def test_a_large_page_is_sent_compressed(dumps, accepted, packed):
    """To what takes it so; it is the same page."""
    url = "/?sort=ms"
    answer = asked(pages_over(dumps), url, Accept_Encoding=accepted)
    plain = asked(pages_over(dumps), url)

    assert (answer.content_encoding == "gzip") is packed
    body = gzip.decompress(answer.body) if packed else answer.body
    assert body == plain.body
    assert (len(answer.body) < len(plain.body) / 2) is packed
