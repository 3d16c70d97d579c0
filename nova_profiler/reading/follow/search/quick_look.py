# SPDX-License-Identifier: Apache-2.0
"""A quick look: does a file hold a text at all?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from nova_profiler.reading.logs.files.sources import Source

# What is longer is read once only, line by line from the beginning.
_LARGEST_FILE = 64 * 1024 * 1024
# Small enough to be still in the processor's cache when it is searched.
_BUFFER_BYTES = 256 * 1024
_HEAD_BYTES = 8 * 1024


class QuickLook(threading.local):
    """Looks through files in one buffer: no copy, no new memory for each.

    Of a thousand files a request is in a few; cutting the others into lines
    would take most of the time. Each thread has a buffer of its own.
    """

    def __init__(self) -> None:
        self._buffer = bytearray(_BUFFER_BYTES)

    def passes_over(
        self,
        source: Source,
        needles: Sequence[bytes],
        on_bytes: Callable[[int], None],
    ) -> bool:
        """Tell whether *source* surely holds none of *needles*.

        *on_bytes* hears how much of it was searched then.
        """
        if (
            source.path is None
            or source.compression is not None
            or source.size is None
            or source.size > _LARGEST_FILE
        ):
            return False
        try:
            searched = self._searched(source.path, needles)
        except OSError:
            # Whoever reads it will say so.
            return False
        if searched is None:
            return False
        on_bytes(searched)
        return True

    def _searched(self, path: str, needles: Sequence[bytes]) -> int | None:
        """Return how many bytes were searched in vain, None if not so."""
        buffer, view = self._buffer, memoryview(self._buffer)
        # A text may lie across two reads.
        overlap = max(map(len, needles)) - 1
        held = searched = 0
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(view[held:]):
                end = held + count
                if not searched and b"\0" in buffer[: min(end, _HEAD_BYTES)]:
                    # No text: whoever reads it will say so.
                    return None
                if any(buffer.find(one, 0, end) >= 0 for one in needles):
                    return None
                searched += count
                held = min(overlap, end)
                view[:held] = view[end - held : end]
        return searched
