# SPDX-License-Identifier: Apache-2.0
"""Pages have the terminal's colours, which stand out in both schemes."""

from __future__ import annotations

import pytest

from nova_profiler.groups import BUCKETS, COLORS
from nova_profiler.reading.screen.page_colors import (
    BACKGROUND,
    OTHER,
    PALETTE,
    class_of,
    rules,
)


def luminance(color: str) -> float:
    """Return the relative luminance of ``#rrggbb``, as WCAG defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_bucket_has_a_colour():
    """A new one needs no other row than its own in groups.py."""
    assert {COLORS[bucket.name] for bucket in BUCKETS} <= PALETTE.keys()
    assert all(f".{class_of(bucket.name)} {{" in rules() for bucket in BUCKETS)
    assert class_of("of a newer release") == f"c-{OTHER}"


@pytest.mark.parametrize("name", PALETTE)
def test_colours_stand_out(name):
    """So that a text in the background's colour can be read on them."""
    shades = PALETTE[name]

    assert contrast(shades.light, BACKGROUND.light) >= 4.5
    assert contrast(shades.dark, BACKGROUND.dark) >= 4.5
