# SPDX-License-Identifier: Apache-2.0
"""A real Chromium, and a page of it that may ask only one server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = 1280, 390


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give this machine's browser; fail or skip the test without one."""
    from playwright.sync_api import sync_playwright

    found = (shutil.which(name) for name in PROGRAMS)
    path = next((path for path in found if path), None)
    if path is None:
        missing(f"no browser on PATH: {', '.join(PROGRAMS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_in(
    browser: Browser, width: int = WIDE, *, dark: bool = False
) -> Iterator[Page]:
    """Give a page of a person who has been nowhere yet.

    At its end: it has asked one server only, and no script of it failed, nor
    was anything blocked in it.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        is_mobile=width == PHONE,
        accept_downloads=True,
    )
    page = context.new_page()
    servers: set[str] = set()
    problems: list[str] = []
    page.on("request", lambda sent: servers.add(urlsplit(sent.url).netloc))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda line: (
            problems.append(line.text)
            if line.type in ("error", "warning")
            else None
        ),
    )
    try:
        yield page
    finally:
        context.close()
    assert problems == []
    assert len(servers) <= 1, servers
