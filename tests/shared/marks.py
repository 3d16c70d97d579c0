# SPDX-License-Identifier: Apache-2.0
"""Requests side by side, with functions whose names have their number."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

REQUESTS = 16
_MARK = re.compile(r"\b[a-z]+_for_(\d+)\b")


def marked(source: str, **names: Any) -> list[dict[str, Any]]:
    """Return the functions of *source* once for each request.

    Its names end in ``_for_{n}``; *names* are what else it may use.
    """
    requests = [dict(names) for _ in range(REQUESTS)]
    for number, functions in enumerate(requests):
        exec(source.format(n=number), functions)
    return requests


def marks_in(stack: Iterable[str]) -> set[int]:
    """Return the requests that functions of *stack* are of."""
    return {int(mark) for mark in _MARK.findall("\n".join(stack))}


def at_once(client: Callable[[int], object]) -> None:
    """Call *client* with the number of each request, in threads."""
    threads = [
        threading.Thread(target=client, args=(number,))
        for number in range(REQUESTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
