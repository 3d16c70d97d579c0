# SPDX-License-Identifier: Apache-2.0
"""New dumps appear on an open page, unless its tab is hidden or it is paused.

The browser's clock is one that the test moves.
"""

from __future__ import annotations

import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from builders import numbered, written
from playwright.sync_api import expect
from web_pages import still_index

from nova_profiler.web.application import Pages
from nova_profiler.web.guard import Guard

pytestmark = [pytest.mark.functional]

EVERY_MS = 5000
IS_HIDDEN = """hidden => {
    Object.defineProperty(
        document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class Server(ThreadingMixIn, WSGIServer):
    """Answers several at once, as a browser asks."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *args):
        """Leave it out."""


class Dumps:
    """Pages over dumps of which more are written when a test does so."""

    def __init__(self, folder):
        self.folder = folder
        written(folder, *map(numbered, range(3)))
        self.index = still_index(folder)
        self.asked = []
        pages = Pages(self.index, Guard([], ""), 1000.0)

        def counted(environ, start_response):
            self.asked.append(environ["PATH_INFO"])
            return pages(environ, start_response)

        self.server = make_server("127.0.0.1", 0, counted, Server, Quiet)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def add(self, number):
        """Write one more, and have the index find it."""
        written(self.folder, numbered(number))
        self.index.look_up_names()
        self.index.read_heads()

    def end(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def dumps(tmp_path):
    served = Dumps(tmp_path)
    yield served
    served.end()


@pytest.fixture
def live(page, dumps):
    """Give a page whose clock stands still once it has been loaded."""
    page.clock.install()
    page.goto(dumps.address)
    expect(page.get_by_role("button", name="pause")).to_be_visible()
    page.evaluate("window.mark = 1")
    return page


def test_new_requests_appear(live, dumps):
    """Without a reload; an opened field and its text stay."""
    live.locator("[name=user]").fill("de")
    dumps.add(7)

    live.clock.run_for(EVERY_MS)

    expect(live.locator(".big")).to_have_text("4")
    rows = live.locator('a[href^="requests/"]')
    expect(rows).to_have_count(4)
    expect(live.locator("[name=user]")).to_be_focused()
    expect(live.locator("[name=user]")).to_have_value("de")
    assert live.evaluate("window.mark") == 1


def test_a_row_keeps_the_focus_below_newer_ones(live, dumps):
    """The row is that of its request, wherever it comes to stand."""
    first = live.locator('a[href^="requests/"]').first
    place = first.get_attribute("href")
    first.focus()
    dumps.add(8)

    live.clock.run_for(EVERY_MS)

    expect(live.locator('a[href^="requests/"]')).to_have_count(4)
    expect(live.locator(f'a[href="{place}"]')).to_be_focused()


def test_a_hidden_tab_asks_for_nothing(live, dumps):
    """Once it is seen again it asks at once."""
    # What it asks now must not be on its way any more.
    with live.expect_response("**"):
        live.clock.run_for(EVERY_MS)
    live.evaluate(IS_HIDDEN, True)
    dumps.add(9)
    asked = len(dumps.asked)

    live.clock.run_for(20 * EVERY_MS)
    assert len(dumps.asked) == asked
    expect(live.locator(".big")).to_have_text("3")
    live.evaluate(IS_HIDDEN, False)
    live.clock.run_for(1)

    expect(live.locator(".big")).to_have_text("4")


def test_a_paused_page_stays_as_it_is(live, dumps):
    """Until its reader has it go on."""
    live.get_by_role("button", name="pause").click()
    dumps.add(10)
    asked = len(dumps.asked)

    live.clock.run_for(20 * EVERY_MS)
    assert len(dumps.asked) == asked
    live.get_by_role("button", name="go on").click()
    live.clock.run_for(1)

    expect(live.locator(".big")).to_have_text("4")


def test_a_server_that_has_ended_is_asked_less_and_less(page, tmp_path):
    """The page stays, and has a line on it."""
    # What the browser logs of a refused connection is no failure here.
    dumps = Dumps(tmp_path)
    other = page.context.new_page()
    other.clock.install()
    other.goto(dumps.address)
    expect(other.get_by_role("button", name="pause")).to_be_visible()
    failed = []
    other.on("requestfailed", lambda request: failed.append(request.url))
    dumps.end()

    for _ in range(24):
        other.clock.run_for(EVERY_MS)

    expect(other.locator("main")).to_contain_text("the server gives no answer")
    expect(other.locator(".big")).to_have_text("3")
    assert 1 <= len(failed) <= 8
