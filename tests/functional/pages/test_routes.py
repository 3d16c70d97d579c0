# SPDX-License-Identifier: Apache-2.0
"""A real browser reads the page of a route, and compares two spans of time."""

from __future__ import annotations

import pytest
from browser import PHONE, WIDE, page_in
from builders import numbered, written
from playwright.sync_api import expect
from profile_builders import rebuild_samples, write_session
from served_pages import served

pytestmark = [pytest.mark.functional]

ROUTE = "/v2.1/servers/{id}/<script>document.title = 'canary'</script>"
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Give the address of pages over a route that became slower."""
    folder = tmp_path_factory.mktemp("dumps")
    records = [
        numbered(n, route=ROUTE, duration_ms=100.0 + n + 300 * (n > 29))
        for n in range(60)
    ]
    for path in written(folder, *records)[::20]:
        write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    with served(folder) as begun:
        yield begun


def opened_route(page, address):
    """Go to the page of the route, once all of it is there."""
    page.goto(address)
    page.locator("a[href^='route?']").first.click()
    expect(page.get_by_text("Which code ran")).to_be_visible()


def test_a_bar_leads_to_its_requests(page, address):
    """In the overview, where they can be sorted."""
    opened_route(page, address)
    expect(page.locator("div.tiles")).to_contain_text("p50")

    page.locator("svg.hist a").last.click()

    page.wait_for_url("**min_ms=**")


def test_before_and_after_with_the_form(page, address):
    """The sentence says what changed, and how sure that is."""
    opened_route(page, address)

    page.locator("[name=split]").fill("2026-11-10T08:00:30")
    page.locator("[name=split]").press("Enter")

    expect(page.locator("p.panel.slower")).to_contain_text("B is slower by")
    page.wait_for_url("**split=2026**")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_no_page_scrolls_sideways(browser, address, width, dark):
    """Nor runs what a dump has in its route."""
    with page_in(browser, width, dark=dark) as page:
        opened_route(page, address)
        assert page.evaluate(SIDEWAYS) <= 0
        page.get_by_text("compare its earlier half").click()
        expect(page.locator("h1")).to_have_text("What changed from A to B")
        assert page.evaluate(SIDEWAYS) <= 0
        expect(page.locator("main")).to_contain_text("canary")
        assert page.title() != "canary"
