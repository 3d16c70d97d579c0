# SPDX-License-Identifier: Apache-2.0
"""The keyboard alone is enough, from the heat map to a function and back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.functional, pytest.mark.services]

MOST_STOPS = 60


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what has the focus is one of *selector*."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
    raise AssertionError(f"Tab does not come to {selector}")


def test_the_keyboard_is_enough(page, address):
    """Tab, arrows, Enter, "/" and Escape; no mouse."""
    keys = page.keyboard
    page.goto(address)

    tab_to(page, "svg.wide a")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    keys.press("ArrowRight")
    assert first != page.evaluate(
        "document.activeElement.getAttribute('href')"
    )
    expect(page.get_by_role("tooltip")).to_be_visible()
    keys.press("Enter")
    page.wait_for_url("**since=**")
    tab_to(page, 'a[href^="requests/"]')
    keys.press("Enter")
    page.wait_for_url("**/requests/**")

    tab_to(page, "svg.lane a")
    keys.press("ArrowRight")
    keys.press("Enter")
    page.wait_for_url("**from_ms=**")
    words = page.get_by_role("tooltip")
    expect(words).to_be_visible()
    keys.press("Escape")
    expect(words).to_be_hidden()
    keys.press("Escape")
    page.wait_for_url(lambda url: "from_ms" not in url)
    keys.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    keys.type("wsgi")
    keys.press("Enter")
    page.wait_for_url("**find=wsgi**")
    keys.press("Escape")
    keys.press("Escape")

    page.wait_for_url(address)
    expect(page.locator("h2#requests")).to_be_visible()


def test_a_picture_is_one_stop(page, address):
    """However many boxes it has."""
    page.goto(address)

    expect(page.locator('svg.wide a[tabindex="0"]')).to_have_count(1)
    assert page.locator('svg.wide a[tabindex="-1"]').count() > 1


def test_arrows_go_about_in_tables(page, address):
    """Down and up, from row to row."""
    page.goto(address)
    rows = page.locator('a[href^="requests/"]')
    rows.nth(0).focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("ArrowUp")

    expect(rows.nth(1)).to_be_focused()
