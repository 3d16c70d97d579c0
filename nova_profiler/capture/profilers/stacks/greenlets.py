# SPDX-License-Identifier: Apache-2.0
"""Where a greenlet that does not run keeps its frame: found by trial.

Greenlets are parked in a frame that is known, and what each points to is
searched for the address of that frame.
"""

from __future__ import annotations

import os
import struct
from types import ModuleType
from typing import Any

from nova_profiler.capture.profilers.stacks.layouts import (
    GREENLET_STATE,
    Layout,
)
from nova_profiler.capture.profilers.stacks.reader.memory import Memory

# Where a frame object has the interpreter's frame; up to 3.10 it is that.
_FRAME = 24
_TRIALS = 3
# Bytes of a greenlet's state that are searched.
_SIZE = 512


def frame_offset(module: ModuleType, layout: Layout) -> int:
    """Return where a greenlet's state has its frame, 0 if that is unknown.

    *module* is greenlet. Where there is more than one such place, or another
    one each time, it is unknown.
    """
    memory = Memory(os.getpid())
    found: set[int] | None = None
    for _ in range(_TRIALS):
        places = _places(module, layout, memory)
        found = places if found is None else found & places
    return found.pop() if found and len(found) == 1 else 0


def _places(module: ModuleType, layout: Layout, memory: Memory) -> set[int]:
    def parked() -> None:
        module.getcurrent().parent.switch()

    greenlet: Any = module.greenlet(parked)
    greenlet.switch()
    try:
        frame = greenlet.gr_frame
        if frame is None or frame.f_code is not parked.__code__:
            return set()
        wanted = id(frame)
        if not layout.is_on_heap:
            wanted = memory.word(id(frame) + _FRAME)
        state = memory.word(id(greenlet) + GREENLET_STATE)
        raw = memory.content(state, _SIZE)
        words = struct.unpack_from(f"<{len(raw) // 8}Q", raw)
        return {8 * n for n, word in enumerate(words) if word == wanted}
    finally:
        greenlet.switch()
