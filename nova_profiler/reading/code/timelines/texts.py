# SPDX-License-Identifier: Apache-2.0
"""Texts of records and stacks, as they go into files of other programs."""

from __future__ import annotations

from nova_profiler.reading.screen.terminal import printable

# A statement is shorter; what is longer was made to be.
_LONGEST = 20_000
# Of what stands in a file again for each lane of a request.
_LONGEST_TITLE = 300


def text(value: str) -> str:
    """Return *value* bounded, without what turns the direction of text."""
    return printable(value, _LONGEST)


def title_text(value: str) -> str:
    """Return *value* as :func:`text` does, but short: a name of a process."""
    return printable(value, _LONGEST_TITLE)
