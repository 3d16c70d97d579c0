# SPDX-License-Identifier: Apache-2.0
"""What is printed at the end: the slowest create, and how to read on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from demo.cloud.clients import ACTIONS, Done
from demo.cloud.processes import CloudError
from demo.page.summary import print_head, show_commands
from demo.places import own_program, relative
from nova_profiler.reading.over_services.words import seconds_text
from nova_profiler.reading.screen.terminal import counted

# Less is not worth its place in a sentence.
_LEAST_SHARE = 0.02


def show(console: Console, dumps: Path, done: Sequence[Done]) -> None:
    """Print what was done, and the slowest create as the command shows it."""
    _show_actions(console, done)
    create = slowest(done, "create")
    words = [own_program(), *_show(create.request_id, dumps)]
    show_commands(console, "the slowest create", [("", " ".join(words))])
    sys.stdout.flush()
    # Its own output, on this terminal if it is one.
    if subprocess.run(words, check=False).returncode:
        raise CloudError("nova-profiler show has failed")
    console.print(f"\n{sentence(picture(dumps, create))}\n", soft_wrap=True)
    show_commands(console, "read on", _commands(dumps, done))


def _show_actions(console: Console, done: Sequence[Done]) -> None:
    """Print what the clients have seen of each action."""
    print_head(console, "as the clients saw it")
    for action in ACTIONS:
        times = [one.seconds for one in done if one.action == action]
        mean = seconds_text(sum(times) / len(times))
        console.print(
            f"  {action:<8} {counted(len(times), 'server')}: mean {mean}, "
            f"slowest {seconds_text(max(times))}"
        )
    console.print()


def slowest(done: Sequence[Done], action: str) -> Done:
    """Return the action that its client has waited longest for."""
    chosen = [one for one in done if one.action == action]
    return max(chosen, key=lambda one: one.seconds)


def picture(dumps: Path, one: Done) -> dict[str, Any]:
    """Return what ``nova-profiler show --json`` prints of an action."""
    words = [own_program(), *_show(one.request_id, dumps), "--json"]
    shown = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    if shown.returncode:
        raise CloudError("nova-profiler show --json has failed")
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def sentence(picture: dict[str, Any]) -> str:
    """Return the critical path of a picture in one sentence."""
    whole = picture["until_done"]
    parts = sorted(whole["shares"], key=lambda one: -one["ms"])
    held = [
        f"{one['holder']} {_seconds(one)} ({100 * one['share']:.0f} %)"
        for one in parts
        if one["share"] >= _LEAST_SHARE
    ]
    return (
        f"The slowest create was answered after "
        f"{_seconds(picture['until_answer'])} and done after "
        f"{_seconds(whole)}; its critical path was held by {', '.join(held)}."
    )


def _seconds(one: dict[str, Any]) -> str:
    return seconds_text(one["ms"] / 1000)


def _commands(dumps: Path, done: Sequence[Done]) -> list[tuple[str, str]]:
    program, at = own_program(), f"--dump-dir {relative(dumps)}"
    shown = [
        (
            f"the slowest {action}",
            " ".join(
                [program, *_show(slowest(done, action).request_id, dumps)]
            ),
        )
        for action in ("rebuild", "delete")
    ]
    create = _show(slowest(done, "create").request_id, dumps)
    return [
        *shown,
        (
            "the slowest create as a page",
            f"{program} {' '.join(create)} --format html > create.html",
        ),
        ("what took longest in any service", f"{program} list --slowest {at}"),
        ("the DB API functions of each route", f"{program} calls {at}"),
    ]


def _show(request_id: str, dumps: Path) -> list[str]:
    return ["show", request_id, "--dump-dir", relative(dumps)]
