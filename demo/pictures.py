# SPDX-License-Identifier: Apache-2.0
"""Pictures of the pages, for README and the manual, over dumps of the demo."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from demo import pages
from demo.places import ROOT, STATE

if TYPE_CHECKING:
    from playwright.sync_api import Page

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_PLACE = ROOT / "doc" / "source" / "pictures"
_DUMPS = STATE / "demo" / "dumps"
_SIZE = {"width": 1120, "height": 700}
# Down to the routes, which stand below what differs in the slow ones.
_OVERVIEW_HEIGHT = 970
_ROUTE = "GET /v2.1/servers/detail"
_LARGEST = 150_000
# A page has read its dumps once it is no more of this state.
_READING = "main[data-live=reading]"
_PATIENCE_MS = 120_000.0


class PictureError(Exception):
    """There is no picture; the message has the reason."""


def main() -> int:
    """Make all pictures and return the exit code."""
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("dumps", nargs="?", type=Path, default=_DUMPS)
    dumps = parser.parse_args().dumps
    _PLACE.mkdir(exist_ok=True)
    try:
        with pages.served(dumps) as address, _page() as page:
            _take(page, address)
    except (PictureError, pages.PagesError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    return 0


@contextmanager
def _page() -> Iterator[Page]:
    """Give a page of this machine's browser."""
    from playwright.sync_api import sync_playwright

    found = (shutil.which(name) for name in _BROWSERS)
    path = next((path for path in found if path), None)
    if path is None:
        raise PictureError("no Chromium on PATH: install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport=_SIZE)
        page.set_default_timeout(_PATIENCE_MS)
        yield page
        browser.close()


def _take(page: Page, address: str) -> None:
    """Go from the overview to the slowest requests, as a person does."""
    page.goto(f"{address}?sort=ms")
    page.wait_for_selector(_READING, state="detached")
    page.goto(f"{address}?sort=ms")
    page.set_viewport_size({**_SIZE, "height": _OVERVIEW_HEIGHT})
    _picture(page, "overview")
    page.set_viewport_size(_SIZE)
    # It has lanes, and requests to neutron.
    _to_first(page, f"{address}?sort=ms&route={quote(_ROUTE)}")
    _scroll_to(page, "waterfall")
    # A box that is wide enough for a name.
    page.locator("svg.lane a svg rect").first.hover()
    _picture(page, "waterfall")
    page.mouse.move(0, 0)
    # The slowest of all has the most stacks.
    _to_first(page, f"{address}?sort=ms")
    _scroll_to(page, "stacks")
    _picture(page, "flame")


def _to_first(page: Page, overview: str) -> None:
    """Go to the page of the first request of an overview."""
    page.goto(overview)
    page.locator('a[href^="requests/"]').first.click()
    page.wait_for_url("**/requests/**")


def _scroll_to(page: Page, heading: str) -> None:
    page.locator(f"#{heading}").evaluate("one => one.scrollIntoView()")


def _picture(page: Page, name: str) -> None:
    path = _PLACE / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    if size > _LARGEST:
        raise PictureError(f"{path}: {size} bytes, above {_LARGEST}")
    sys.stdout.write(f"{path.relative_to(ROOT)}: {size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
