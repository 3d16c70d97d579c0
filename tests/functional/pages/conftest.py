# SPDX-License-Identifier: Apache-2.0
"""A browser, and pages over dumps that the real nova-api has left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import chromium, page_in
from playwright.sync_api import Browser, Page
from served_pages import served
from services import readable_here

from demo import load
from demo.databases import sqlite_files
from demo.server import nova_api
from nova_profiler.profiles import STACKS

SERVERS = 2
CLIENTS = 2
REQUESTS = 10


# Not of the session: its loop would be in the way of what others begin.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser, which a module's tests share."""
    with chromium() as begun:
        yield begun


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page that has been nowhere yet."""
    with page_in(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def nova_dumps() -> Path:
    """Return the dumps of a short run of the demo's nova-api."""
    readable_here()
    directory = nova_api.new_directory("tests/pages")
    urls = sqlite_files.urls(directory, SERVERS, print)
    profiler = {
        "profiler": STACKS,
        # Each request is to have stacks, however quick it is.
        "profiler_interval_ms": "2",
        "dump_dir": str(directory / "dumps"),
        "dump_when": "all",
    }
    with nova_api.running(directory, urls, "threads", profiler) as api:
        for path in ("/servers", "/servers/detail", "/flavors"):
            load.run(api.port, f"/v2.1{path}", CLIENTS, REQUESTS)
    return directory / "dumps"


@pytest.fixture(scope="module")
def address(nova_dumps: Path) -> Iterator[str]:
    """Give the address of the pages over nova's dumps."""
    with served(nova_dumps) as begun:
        yield begun
