# SPDX-License-Identifier: Apache-2.0
"""Room on the interpreter's stack, so that a filter's frames cost nothing.

CPython 3.11 and later keep the frames of a thread in chunks of 16 KiB. A
call that does not fit maps a new chunk, and its return unmaps it: where a
loop at some depth calls over that border, each round pays two system calls
and the page faults. Which loops those are depends on how deep the stack is,
so that a filter, just by being there, may add or take away thousands of
them per request. A frame that needs much room gets a chunk of a size that
fits, the rest of which is for the frames above it: no border is near.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

# Words of 8 bytes: more than half of 256 KiB, so that the chunk has that
# size and a good 100 KiB stay for others. Untouched pages cost nothing.
_STACK_WORDS = 17_000


def with_room(function: Callable[..., Result], /, *args: Any) -> Result:
    """Return ``function(*args)``, called with 100 KiB of stack to itself."""
    return function(*args)


if sys.version_info >= (3, 11):
    with_room.__code__ = with_room.__code__.replace(co_stacksize=_STACK_WORDS)
