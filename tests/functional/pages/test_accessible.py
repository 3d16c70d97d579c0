# SPDX-License-Identifier: Apache-2.0
"""Every page can be used by all: axe finds nothing, nothing is too wide."""

from __future__ import annotations

import json
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import PHONE, WIDE, page_in
from served_pages import PROGRAM, json_of

pytestmark = [pytest.mark.functional, pytest.mark.services]

LOOKS = [
    pytest.param(width, dark, id=f"{width}-{'dark' if dark else 'light'}")
    for width in (WIDE, PHONE)
    for dark in (False, True)
]
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
UNFOLD = "document.querySelectorAll('details').forEach(one => one.open = true)"
# What a person would have to move sideways, of those that are in sight.
SCROLLED = (
    "[...document.querySelectorAll('.scroll')]"
    ".filter(one => one.scrollWidth > one.clientWidth)"
    ".map(one => one.getAttribute('aria-labelledby'))"
)
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def problems_of(page):
    """Return what axe finds, each with the elements that have it."""
    found = Axe().run(page).response["violations"]
    return {
        one["id"]: [node["html"][:200] for node in one["nodes"]]
        for one in found
    }


def slowest_with_stacks(address):
    """Return the place of a request; the slowest of all may have none."""
    return next(
        place
        for one in json_of(f"{address}?sort=ms")["requests"]
        for place in [f"requests/{one['key']}"]
        if "stacks" in json_of(f"{address}{place}")
    )


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_served_pages_are_accessible(browser, address, width, dark):
    """Those of all requests, of a route, of two sides, and of one request."""
    request = slowest_with_stacks(address)
    with page_in(browser, width, dark=dark) as page:
        for place in (
            "",
            "?sort=ms&min_ms=1",
            "?user=none",
            "route?route=GET+%2Fv2.1%2Fservers",
            "compare",
            request,
        ):
            page.goto(f"{address}{place}")
            page.locator("#keys").wait_for()

            assert problems_of(page) == {}, place
            assert page.evaluate(SIDEWAYS) <= 0, place
            assert page.evaluate(SCROLLED) == [], place
        page.goto(f"{address}{request}?frame=1&find=wsgi&from_ms=0&to_ms=5")
        for summary in page.locator("summary").all():
            summary.click()
        page.locator("svg.flame rect").first.hover()

        assert page.get_by_role("tooltip").is_visible()
        assert problems_of(page) == {}
        assert page.evaluate(SIDEWAYS) <= 0
        assert (page.evaluate(BACKGROUND) == "rgb(255, 255, 255)") is not dark


def test_axe_would_find_something(browser, address):
    """A page with what it looks for is none without problems."""
    with page_in(browser) as page:
        page.goto(address)
        page.evaluate(
            "document.querySelector('main').append("
            "document.createElement('button'))"
        )

        assert list(problems_of(page)) == ["button-name"]


def commands_over(nova_dumps, folder):
    """Return each command that writes a page as one file."""
    stacks = max(
        nova_dumps.glob("*/*.pyisession"), key=lambda path: path.stat().st_size
    )
    of_dumps = ["--dump-dir", nova_dumps]
    log = folder / "requests.json"
    with log.open("w") as file:
        for path in sorted(nova_dumps.glob("*/*.json")):
            fields = json.loads(path.read_text())
            # Only dumps have one.
            fields.pop("timeline", None)
            file.write(f"{json.dumps(fields)}\n")
    history = folder / "history"
    return {
        "show": ["show", "--slowest", *of_dumps],
        "top": ["top", *of_dumps],
        "export": ["export", stacks, "-o", "-"],
        "report": ["report", log, "--slow", "20ms"],
        "compare": ["compare", log, log, "--history", history],
    }


@pytest.fixture(scope="module")
def files(nova_dumps, tmp_path_factory):
    """Return the pages that commands write, each a file alone."""
    folder = tmp_path_factory.mktemp("files")
    found = []
    for name, command in commands_over(nova_dumps, folder).items():
        place = folder / f"{name}.html"
        done = subprocess.run(
            [PROGRAM, *command, "--format", "html"],
            capture_output=True,
            check=True,
        )
        place.write_bytes(done.stdout)
        found.append(place)
    return found


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_pages_in_a_file_are_accessible(browser, files, width, dark):
    """The same, of what is attached to a report, with all that is folded."""
    for file in files:
        with page_in(browser, width, dark=dark) as page:
            page.goto(file.as_uri())

            assert problems_of(page) == {}, file.name
            assert page.evaluate(SIDEWAYS) <= 0, file.name
            page.evaluate(UNFOLD)
            assert problems_of(page) == {}, file.name
            assert page.evaluate(SIDEWAYS) <= 0, file.name
