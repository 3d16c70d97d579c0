# SPDX-License-Identifier: Apache-2.0
"""A quick look whether a file holds a text at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from nova_profiler.reading.logs.files.sources import Source, without_waiting

# Longer files are read once, line by line: a late hit costs a second reading.
_LARGEST_FILE = 64 * 1024 * 1024
# Small enough to be in the processor's cache when it is searched.
_BUFFER_BYTES = 256 * 1024
_HEAD_BYTES = 8 * 1024


class QuickLook(threading.local):
    """Looks through files in one buffer: no copies, no new memory.

    Of a thousand files a request is in a few; cutting the others into lines
    would take most of the time. Each thread has its own buffer.
    """

    def __init__(self) -> None:
        self._buffer = bytearray(_BUFFER_BYTES)

    def passes_over(
        self,
        source: Source,
        needles: Sequence[bytes],
        on_bytes: Callable[[int], None],
    ) -> bool:
        """Return whether *source* surely holds none of *needles*.

        *on_bytes* hears how many bytes were searched if so.
        """
        if (
            source.path is None
            or not source.is_plain
            or source.size is None
            or source.size > _LARGEST_FILE
        ):
            return False
        try:
            searched = self._searched(source.path, needles)
        except OSError:
            # The reader of the file notes why.
            return False
        if searched is None:
            return False
        on_bytes(searched)
        return True

    def _searched(self, path: str, needles: Sequence[bytes]) -> int | None:
        """Return the bytes searched, None if a needle is there."""
        buffer, view = self._buffer, memoryview(self._buffer)
        # A text may lie across two reads.
        overlap = max(map(len, needles)) - 1
        held = searched = 0
        with open(path, "rb", 0, opener=without_waiting) as file:
            while count := file.readinto(view[held:]):
                end = held + count
                if not searched and b"\0" in buffer[: min(end, _HEAD_BYTES)]:
                    # The reader of the file notes that it is binary.
                    return None
                if any(buffer.find(one, 0, end) >= 0 for one in needles):
                    return None
                searched += count
                held = min(overlap, end)
                view[:held] = view[end - held : end]
        return searched
