# SPDX-License-Identifier: Apache-2.0
"""A real browser opens each page that is one file: it can be read, no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import PHONE, WIDE, page_in
from builders import numbered, slow_rebuild, written
from profile_builders import rebuild_samples, write_session

from nova_profiler.cli import main

pytestmark = [pytest.mark.functional]

SETS_CANARY = "document.documentElement.dataset.canary = 1"
CANARY = (
    f"</title></style><script>{SETS_CANARY}</script>"
    f'<img src="x" onerror="{SETS_CANARY}"><svg onload="{SETS_CANARY}">'
)
ROUTE = "/v2.1/" + "/".join(["a-resource-with-a-long-name", "{id}"] * 6)
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
# Of what is in sight; a letter is about eight pixels wide.
NARROWEST = (
    "Math.min(...[...document.querySelectorAll('td.name, .label')]"
    ".filter(one => one.checkVisibility() && one.textContent.length > 12)"
    ".map(one => one.getBoundingClientRect().width))"
)
UNFOLD = "document.querySelectorAll('details').forEach(one => one.open = true)"
TALL = "document.documentElement.scrollHeight"
WAS_RUN = "document.documentElement.dataset.canary"
PAGES = ("report", "compare", "top", "export", "show")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Give a folder with a page of each command, over hostile names."""
    folder = tmp_path_factory.mktemp("pages")
    slow = slow_rebuild()
    slow.user_name = slow.action = CANARY
    others = [
        numbered(n, user_name=f"{n}{CANARY}", route=ROUTE, path=ROUTE)
        for n in range(40)
    ]
    (path, *_) = written(folder / "dumps", slow, *others)
    frame = f"{CANARY.replace('/', '')}\x00/x/nova/{CANARY}.py\x001"
    deep = [f"some_function_{n}\x00/x/nova/deep.py\x00{n}" for n in range(60)]
    samples = [
        *rebuild_samples(),
        ([frame], 0.3),
        *[(deep[: 2 * n], 0.02) for n in range(1, 30)],
    ]
    write_session(path.with_suffix(".pyisession"), *samples)
    log = folder / "requests.json"
    log.write_text(
        "\n".join(json.dumps(one.to_dict()) for one in [slow, *others])
    )
    return folder, path, log


def made(pages, name, capsysbinary) -> Path:
    """Return the page of a command."""
    folder, path, log = pages
    dumps = str(folder / "dumps")
    commands = {
        "report": ["report", str(log), "--by", "user", "--slow", "100ms"],
        "compare": ["compare", str(log), str(log), "--history", dumps + "h"],
        "top": ["top", str(path.with_suffix(".pyisession"))],
        "export": ["export", str(path), "-o", "-"],
        "show": ["show", str(path)],
    }
    assert main([*commands[name], "--format", "html"]) == 0
    page = folder / f"{name}.html"
    page.write_bytes(capsysbinary.readouterr().out)
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_at_each_width(browser, pages, capsysbinary, name):
    """It goes sideways at none, nothing of it runs, and no name is a column.

    Neither as it opens nor with all that is folded.
    """
    made_page = made(pages, name, capsysbinary)
    for width, is_dark in ((WIDE, False), (PHONE, True)):
        with page_in(browser, width, dark=is_dark) as page:
            page.goto(made_page.as_uri())

            assert page.evaluate(SIDEWAYS) <= 0
            assert page.evaluate(TALL) < 12_000
            page.evaluate(UNFOLD)
            assert page.evaluate(SIDEWAYS) <= 0
            assert page.evaluate(NARROWEST) > 80
            assert page.evaluate(WAS_RUN) is None
            assert page.evaluate("document.images.length") == 0
