# SPDX-License-Identifier: Apache-2.0
"""A person finds the slowest request of nova's and reads where its time went.

A page that has been left would have lost the mark that a test puts on it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser import page_in
from playwright.sync_api import Browser, Locator, Page, expect
from served_pages import json_of

pytestmark = [pytest.mark.functional, pytest.mark.services]

CELLS = "svg.wide a"
BOXES = "svg.lane a rect"
# Those below the one that has all.
FUNCTIONS = 'svg.flame a[href*="frame="] rect:not(.waits)'
REQUESTS = "table:below(#requests)"


def mark(page: Page) -> None:
    """Put something into the page that a reload would lose."""
    page.evaluate("window.mark = 1")


def is_marked(page: Page) -> bool:
    """Return whether the page has not been left since mark()."""
    return page.evaluate("window.mark") == 1


def highest(cells: Locator) -> Locator:
    """Return the cell of the requests that took longest."""
    tops = [cell.bounding_box()["y"] for cell in cells.all()]
    return cells.nth(tops.index(min(tops)))


def wide(boxes: Locator) -> Locator:
    """Return a box that a mouse can hit, and that is not the widest."""
    widths = [box.bounding_box()["width"] for box in boxes.all()]
    widest = max(width for width in widths if width < max(widths))
    return boxes.nth(widths.index(widest))


def ms_in(text: str) -> list[float]:
    """Return the milliseconds in a text."""
    return [float(ms) for ms in re.findall(r"([0-9]+\.[0-9]+) ms", text)]


def slowest_of(page: Page, address: str) -> None:
    """Go to the slowest request by the heat map and the table."""
    page.goto(address)
    map_ = page.locator("[data-area=map]")
    sides = map_.bounding_box()
    # All of the highest row.
    at = sides["y"] + float(map_.get_attribute("data-row")) / 2
    page.mouse.move(sides["x"] + 1, at)
    page.mouse.down()
    page.mouse.move(sides["x"] + sides["width"] - 1, at, steps=5)
    page.mouse.up()
    expect(page.locator(".chosen")).to_contain_text("min_ms")
    page.get_by_role("link", name="ms", exact=True).click()
    expect(page.locator("[aria-sort]")).to_have_text("ms")
    page.locator('a[href^="requests/"]').first.click()
    page.wait_for_url("**/requests/**")


def test_a_cell_leads_to_its_requests(page, address):
    """The highest are the slowest; nothing is loaded anew on the way there."""
    everything = json_of(address)
    total = everything["total"]
    page.goto(address)
    mark(page)

    highest(page.locator(CELLS)).click()
    expect(page.locator(".chosen")).to_contain_text("since")
    assert is_marked(page)
    chosen = json_of(page.url)["total"]
    expect(page.locator(".big")).to_have_text(str(chosen["requests"]))
    assert chosen["max_ms"] >= everything["heat_map"]["edges_ms"][-2]
    assert chosen["requests"] < total["requests"]

    page.go_back()
    expect(page.locator(".big")).to_have_text(str(total["requests"]))
    assert is_marked(page)


def test_a_waterfall_is_read_and_zoomed(page, address):
    """A box has all its words beside it, and leads to its own time."""
    slowest_of(page, address)
    assert page.title().startswith(
        f"{json_of(address)['total']['max_ms']:.1f} ms"
    )
    mark(page)
    box = wide(page.locator(BOXES))

    box.hover()
    words = page.get_by_role("tooltip")
    expect(words).to_be_visible()
    [ms, start_ms, *_] = ms_in(words.inner_text())
    assert ms > 0
    box.click()

    shown = f"{start_ms:.1f} to {start_ms + ms:.1f} ms of"
    expect(page.locator("main")).to_contain_text(shown)
    assert is_marked(page)


def test_a_flame_is_zoomed_and_searched(page, address):
    """In place; the way back stands above it."""
    slowest_of(page, address)
    mark(page)
    whole = page.locator(FUNCTIONS).count()

    page.locator(FUNCTIONS).first.click()
    page.wait_for_url("**frame=**")
    callers = page.get_by_role("navigation", name="callers")
    expect(callers.get_by_role("link", name="all")).to_be_visible()
    # Where nothing is, so that no words are beside the pointer.
    page.mouse.move(0, 0)
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "frame=" not in url)
    expect(page.locator(FUNCTIONS)).to_have_count(whole)
    page.locator("[name=find]").fill("wsgi")
    page.locator("[name=find]").press("Enter")

    page.wait_for_url("**find=wsgi**")
    expect(page.locator("main")).to_contain_text(
        re.compile("[0-9]+ found, [0-9.]+ ms")
    )
    expect(page.locator("svg.flame .found").first).to_be_visible()
    assert is_marked(page)


def test_an_address_can_be_sent(page, address, browser: Browser):
    """Another person sees the same by it, with and without JavaScript."""
    slowest_of(page, address)
    wide(page.locator(BOXES)).click()
    page.wait_for_url("**from_ms=**")
    page.locator(FUNCTIONS).first.click()
    page.wait_for_url("**frame=**")
    # The other one points at nothing, either.
    page.mouse.move(0, 0)
    seen = page.locator("main").inner_text()

    with page_in(browser) as other:
        other.goto(page.url)
        assert other.locator("main").inner_text() == seen
    still = browser.new_context(java_script_enabled=False)
    with still:
        plain = still.new_page()
        plain.goto(page.url)
        assert plain.locator("main").inner_text() == seen


def test_sorting_and_filtering(page, address):
    """In place and in the address."""
    page.goto(address)
    mark(page)

    page.get_by_role("link", name="ms", exact=True).click()
    page.wait_for_url("**sort=ms**")
    first = page.locator('tr:has(a[href^="requests/"])').first
    longest = json_of(address)["total"]["max_ms"]
    expect(first).to_contain_text(f"{longest:.1f}")
    page.locator("[name=route]").fill("GET /v2.1/flavors")
    page.locator("[name=route]").press("Enter")

    page.wait_for_url("**route=GET**")
    expect(page.locator(".big")).to_have_text("20")
    assert "sort=ms" in page.url
    assert "user=" not in page.url
    assert is_marked(page)


def test_a_request_is_downloaded(page, address, tmp_path: Path):
    """As the JSON of its page."""
    slowest_of(page, address)

    with page.expect_download() as begun:
        page.get_by_role("link", name="JSON", exact=True).click()
    begun.value.save_as(tmp_path / "request.json")

    found = json.loads((tmp_path / "request.json").read_text())
    assert found["duration_ms"] == json_of(address)["total"]["max_ms"]
