# SPDX-License-Identifier: Apache-2.0
"""Texts that many rows share, each held once under a number."""

from __future__ import annotations

from collections.abc import Iterable

# A server that runs for months meets many names; those past this are one.
MOST_NAMES = 2_000_000
OTHERS = "(others)"


class Names:
    """Texts by number; number 0 is the empty one. Texts are only added."""

    def __init__(self, most: int = MOST_NAMES) -> None:
        self.texts: list[str] = ["", OTHERS]
        self._numbers: dict[str, int] = {"": 0, OTHERS: 1}
        self._most = most

    def number(self, text: str) -> int:
        """Return the number of *text*, which it has from now on."""
        found = self._numbers.get(text)
        if found is None:
            if len(self.texts) >= self._most:
                return 1
            # First the text: another thread may look a number up at once.
            found = len(self.texts)
            self.texts.append(text)
            self._numbers[text] = found
        return found

    def numbers(self, texts: Iterable[str]) -> list[int]:
        """Return the number of each of *texts*."""
        return [self.number(text) for text in texts]

    def known(self, text: str) -> int:
        """Return the number of *text*, -1 for one that no row has."""
        return self._numbers.get(text, -1)
