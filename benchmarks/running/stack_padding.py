# SPDX-License-Identifier: Apache-2.0
"""Pads Python's frame stack, so that luck evens out.

CPython from 3.11 on keeps frames in chunks of 16 KiB, and unmaps a chunk as
soon as it is empty. Where a function that is called thousands of times is the
first one of a chunk, each call maps memory and unmaps it: from 1 to 22 ms of
a GET servers/detail, with our filter or without. Each frame more shifts all
others, also that of a filter that does nothing. A comparison at one shift
compares luck; hence there are many.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

CHUNK_WORDS = 16 * 1024 // 8
_PIPELINE = re.compile(r"^((?:keystone|noauth2|pipeline)\s*=\s*)", re.M)


def padded_paste_text(text: str, words: int) -> str:
    """Return an api-paste.ini with the padding first in every pipeline."""
    return _PIPELINE.sub(r"\1stack_padding ", text) + (
        "\n[filter:stack_padding]\n"
        f"paste.filter_factory = {__name__}:filter_factory\n"
        f"words = {words}\n"
    )


def filter_factory(
    global_conf: dict[str, str], words: str
) -> Callable[[Any], Any]:
    """Return a filter with frames of about *words* on the stack."""
    call = padded_call(int(words))
    return lambda app: functools.partial(call, app)


def padded_call(words: int) -> Callable[..., Any]:
    """Return ``call(function, *args)``, its frame *words* larger."""
    names = " = ".join(f"v{number}" for number in range(words + 1))
    source = (
        "def call(function, *args):\n"
        f"    if function is None:\n        {names} = None\n"
        "    return function(*args)\n"
    )
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - the source is the lines above
    call: Callable[..., Any] = namespace["call"]
    return call


def paddings(count: int) -> list[int]:
    """Return *count* sizes, in words, spread evenly over a chunk."""
    return [CHUNK_WORDS * number // count for number in range(count)]
