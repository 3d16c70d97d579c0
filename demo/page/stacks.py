# SPDX-License-Identifier: Apache-2.0
"""The demo's stacks: the options that take them, and their hot path."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.padding import Padding

from demo.load import LoadError
from nova_profiler.dump_store import DumpEntry, DumpStore, name_of_route
from nova_profiler.profiles import ENGINES, STACKS
from nova_profiler.profiles.loading import Profiles, beside
from nova_profiler.profiles.pending import promise_in
from nova_profiler.reading.code.hot_path_page import hot_path_parts
from nova_profiler.reading.code.profile_page.page import page_of

__all__ = ["ENGINES", "KEY", "STACKS", "options", "show"]

# Signs what `nova-profiler sign` asks for; guards nothing here.
KEY = "the-key-of-the-demo"
# Requests of each path to watch, where watching slows them.
_CHOSEN = 30
# A reader answers within ten seconds, or never.
_WINDOW_S = 15


def options(engine: str, requests: int) -> dict[str, str]:
    """Return the filter's options for *engine*.

    stacks looks at every request from outside. The others run inside the
    requests that were chosen.
    """
    if engine == STACKS:
        return {"profiler": engine, "profile_when": "always"}
    return {
        "profiler": engine,
        "profile_when": "rate,signed",
        "profile_rate": f"{min(1.0, _CHOSEN / requests):.4f}",
        "profile_keys": KEY,
    }


def show(console: Console, dumps: Path, route: str, page: Path) -> None:
    """Print the hot path of all requests of *route*, and write their page."""
    profiles = Profiles()
    for path in _stacks_of(dumps, route, console.print):
        profiles.add(path)
    profiles.share_out_unseen()
    (profile,) = profiles.engines
    title = f"{route}, {profile.profiles} requests"
    for part in hot_path_parts(profile):
        console.print(Padding(part, (0, 0, 0, 2), expand=False))
    page.write_text(page_of(profile, title), encoding="utf-8")


def _stacks_of(
    dumps: Path, route: str, progress: Callable[[str], object]
) -> list[Path]:
    """Return the stacks of *route*, once they have all been written."""
    store = DumpStore(dumps)
    name = name_of_route(route)
    entries = [one for one in store.entries() if one.route_name == name]
    left = [one for one in entries if _is_to_come(store, one)]
    if left:
        progress("waiting for stacks that are still to come")
    deadline = time.monotonic() + _WINDOW_S
    while left and time.monotonic() < deadline:
        time.sleep(1)
        left = [one for one in left if _is_to_come(store, one)]
    found = [path for one in entries if (path := beside(one.path))]
    if not found:
        raise LoadError(f"{dumps}: no stacks of {route}")
    return found


def _is_to_come(store: DumpStore, entry: DumpEntry) -> bool:
    profile = store.read(entry).profile
    return profile is not None and promise_in(profile["notes"]) is not None
