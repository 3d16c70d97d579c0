# SPDX-License-Identifier: Apache-2.0
"""Nothing of a hostile dump runs, and no request leaves the server.

What runs sets a mark, or asks another server; page_in() fails for the latter
and for what the browser had to block.
"""

from __future__ import annotations

import pytest
from browser import page_in
from builders import numbered, slow_rebuild, written
from playwright.sync_api import expect
from profile_builders import write_session
from served_pages import json_of, served

pytestmark = [pytest.mark.functional]

SETS_CANARY = "document.documentElement.dataset.canary=1"
HOSTILE = (
    f"\"'></title></style></script><script>{SETS_CANARY}</script>"
    f'<img src="http://canary.invalid/x" onerror="{SETS_CANARY}">'
    f'<svg onload="{SETS_CANARY}"><a xlink:href="javascript:{SETS_CANARY}">'
    f'<link rel="stylesheet" href="http://canary.invalid/x.css">'
    f'<meta http-equiv="refresh" content="0;url=http://canary.invalid">'
    f"{{{{ {SETS_CANARY} }}}}"
)
LINK = f"javascript:{SETS_CANARY}"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Give the address of pages over dumps that are hostile all over."""
    folder = tmp_path_factory.mktemp("hostile")
    rebuild = slow_rebuild()
    worst = numbered(
        9,
        duration_ms=3000.0,
        path=HOSTILE,
        route=HOSTILE,
        method=LINK,
        user_name=HOSTILE,
        project_name=LINK,
        host=HOSTILE,
        service=LINK,
        remote_address=LINK,
        groups=rebuild.groups,
        calls=[
            call._replace(name=f"{HOSTILE}{number}")
            for number, call in enumerate(rebuild.calls)
        ],
        statements=[
            row._replace(statement=f"SELECT 1 /* {HOSTILE} */", engine=LINK)
            for row in rebuild.statements or ()
        ],
        timeline=[
            call._replace(name=HOSTILE, error=LINK)
            for call in rebuild.timeline or ()
        ],
    )
    [path, *_] = written(folder, worst, *map(numbered, range(3)))
    frames = [f"{HOSTILE}\x00/{LINK}/{HOSTILE}.py\x00{line}" for line in "12"]
    write_session(
        path.with_suffix(".pyisession"), (frames, 1.0), (frames[:1], 1.0)
    )
    # One that is damaged, of a name that is markup.
    markup = f"<img src=x onerror={SETS_CANARY}>"
    name = f"080000.000-100ms-GET-{markup}-00000000-ued5276.json"
    path.with_name(name).write_text("{}")
    with served(folder) as begun:
        yield begun


def without(route):
    """Answer with a script that does nothing."""
    route.fulfill(content_type="text/javascript", body="")


def sound(page):
    """Assert that nothing ran, and that no element is of a dump's making."""
    assert page.evaluate("document.documentElement.dataset.canary") is None
    made = page.evaluate(
        "[...document.querySelectorAll('script, img, link, iframe, object, "
        "[onload], [onerror], [href^=javascript], [*|href^=javascript]')]"
        ".map(one => one.outerHTML)"
    )
    assert made == ['<script type="module" src="/scripts/start.js"></script>']
    assert len(page.query_selector_all("meta[http-equiv]")) == 1


@pytest.mark.parametrize("script", [True, False])
def test_nothing_of_a_dump_runs(browser, address, script):
    """On the overview, on its page, on hover, on zooming, in what it links."""
    with page_in(browser) as page:
        if not script:
            page.route("**/scripts/**", without)
        page.goto(f"{address}?sort=ms")
        sound(page)
        expect(page.locator("main")).to_contain_text("canary=1")
        page.locator('a[href^="requests/"]').first.click()
        page.wait_for_url("**/requests/**")
        sound(page)
        expect(page.locator("h1")).to_contain_text("<script>")
        for summary in page.locator("summary").all():
            summary.click()
        for boxes in ("svg.lane rect", "svg.flame rect"):
            page.locator(boxes).last.hover()
            page.locator(boxes).last.click()
        page.wait_for_url("**frame=**")
        sound(page)
        page.locator("[data-search]").fill(HOSTILE[:99])
        page.locator("[data-search]").press("Enter")
        page.wait_for_url("**find=**")
        sound(page)


def test_what_the_address_has_is_text_too(browser, address):
    """A link from elsewhere may have anything in it."""
    with page_in(browser) as page:
        for name in ("user", "route", "host", "part"):
            page.goto(f"{address}?{name}={HOSTILE}")
            sound(page)
            expect(page.locator(".chosen")).to_contain_text("<script>")


def test_the_json_twins_are_no_pages(browser, address):
    """A browser that opens one shows text."""
    key = json_of(f"{address}?sort=ms")["requests"][0]["key"]
    with page_in(browser) as page:
        for twin in ("?format=json", f"requests/{key}?format=json"):
            answer = page.goto(f"{address}{twin}")
            assert answer.headers["content-type"] == "application/json"
            assert "script" not in page.evaluate(
                "[...document.all].map(one => one.localName)"
            )
            assert "canary" in page.locator("body").inner_text()
