# SPDX-License-Identifier: Apache-2.0
"""The demo's stacks: the options of each engine, the page at the end."""

from __future__ import annotations

import io

import pytest
from builders import numbered, written
from profile_builders import rebuild_samples, write_session
from rich.console import Console

from demo.load import LoadError
from demo.page import stacks
from nova_profiler.profiles.pending import ASKED_FOR

ROUTE = "/v2.1/servers/detail"


def test_an_engine_outside_looks_at_every_request() -> None:
    """From outside, all are as quick as before."""
    assert stacks.options("stacks", 300) == {
        "profiler": "stacks",
        "profile_when": "always",
    }


@pytest.mark.parametrize(
    ("requests", "rate"), [(10, "1.0000"), (30, "1.0000"), (300, "0.1000")]
)
def test_others_look_at_about_thirty(requests: int, rate: str) -> None:
    """However long the load, so that it is not all slowed."""
    options = stacks.options("cprofile", requests)

    assert options["profile_when"] == "rate,signed"
    assert options["profile_keys"] == stacks.KEY
    assert options["profile_rate"] == rate


def test_the_hot_path_of_a_route(tmp_path) -> None:
    """Of all its requests together, on the screen and as a page."""
    paths = written(
        tmp_path / "dumps",
        numbered(1, route=ROUTE),
        numbered(2, route=ROUTE),
        numbered(3),
    )
    for path in paths:
        write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    console = Console(file=io.StringIO(), width=120)

    stacks.show(console, tmp_path / "dumps", ROUTE, tmp_path / "page.html")

    shown = console.file.getvalue()
    assert "200 samples" in shown
    assert "nova.compute.api:rebuild holds 100.0 % of the work" in shown
    assert f"{ROUTE}, 2 requests" in (tmp_path / "page.html").read_text()


def test_stacks_that_never_come_end_the_wait(tmp_path, monkeypatch) -> None:
    """The wait is bounded, and without stacks there is no path to show."""
    monkeypatch.setattr(stacks, "_WINDOW_S", 0)
    profile = {"engine": "stacks", "file": None, "notes": [ASKED_FOR]}
    written(tmp_path, numbered(1, route=ROUTE, profile=profile))
    console = Console(file=io.StringIO(), width=120)

    with pytest.raises(LoadError, match="no stacks of /v2.1/servers/detail"):
        stacks.show(console, tmp_path, ROUTE, tmp_path / "page.html")

    assert "still to come" in console.file.getvalue()
