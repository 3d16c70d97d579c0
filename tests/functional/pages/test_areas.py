# SPDX-License-Identifier: Apache-2.0
"""Dragging chooses an area of the heat map, and a span of a waterfall."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from served_pages import json_of

pytestmark = [pytest.mark.functional, pytest.mark.services]


def drag(page: Page, picture: Locator, start, end) -> None:
    """Drag between two places, each as shares of the picture's sides."""
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    for place, act in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(
            box["x"] + place[0] * box["width"],
            box["y"] + place[1] * box["height"],
            steps=5,
        )
        act()


def query_of(page: Page) -> dict[str, str]:
    """Return the parameters of the address."""
    return {
        name: values[0]
        for name, values in parse_qs(urlsplit(page.url).query).items()
    }


def test_a_drag_chooses_cells(page, address):
    """Whole ones, and only those: the lower half, over all of its time."""
    page.goto(address)
    picture = page.locator("[data-area=map]")
    grid = json_of(address)["heat_map"]
    edges = grid["edges_ms"]
    row = float(picture.get_attribute("data-row"))
    height = picture.bounding_box()["height"]
    half = len(edges) // 2
    # The middle of the row of that step, which are drawn from the top.
    top = (len(edges) - half - 0.5) * row / height

    drag(
        page, picture, (0.001, top), (0.999, (len(edges) - 0.5) * row / height)
    )

    page.wait_for_url("**since=**")
    query = query_of(page)
    assert float(query["max_ms"]) == edges[half]
    assert "min_ms" not in query
    chosen = sum(
        cell["requests"] for cell in grid["cells"] if cell["step"] <= half
    )
    expect(page.locator(".big")).to_have_text(str(chosen))
    assert page.locator("rect.area").count() == 0


def test_a_drag_is_given_up_by_escape(page, address):
    """And then the end of it chooses nothing."""
    page.goto(address)
    box = page.locator("[data-area=map]").bounding_box()

    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 50, steps=5)
    expect(page.locator("rect.area")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("rect.area")).to_have_count(0)
    page.mouse.up()

    assert page.url == address


def test_a_drag_over_a_waterfall_chooses_its_span(page, address):
    """From a quarter of its time to a half."""
    page.goto(address + "?sort=ms")
    page.locator('a[href^="requests/"]').first.click()
    page.wait_for_url("**/requests/**")
    lane = page.locator("[data-area=span]").first
    end_ms = float(lane.get_attribute("data-end"))

    drag(page, lane, (0.25, 0.5), (0.5, 0.5))

    page.wait_for_url("**from_ms=**")
    query = query_of(page)
    assert float(query["from_ms"]) == pytest.approx(end_ms / 4, rel=0.02)
    assert float(query["to_ms"]) == pytest.approx(end_ms / 2, rel=0.02)
