# SPDX-License-Identifier: Apache-2.0
"""Pages have the terminal's colours, which stand out in both schemes."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from nova_profiler.groups import BUCKETS, COLORS, EITHER, GC, GROUPS, PYTHON
from nova_profiler.reading.screen.html_pages import still_style
from nova_profiler.reading.screen.page_colors import (
    OTHER,
    PALETTE,
    class_of,
    rules,
)

Color = tuple[float, float, float]
Matrix = tuple[Color, Color, Color]

SCHEMES = ("light", "dark")
# Linear RGB as eyes see it that lack one kind of cone. Machado and others, A
# Physiologically-based Model for Simulation of Color Vision Deficiency, 2009.
ALL_CONES: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
DEUTERANOPIA: Matrix = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
PROTANOPIA: Matrix = (
    (0.152286, 1.052583, -0.204868),
    (0.114503, 0.786281, 0.099216),
    (-0.003882, -0.048116, 1.051998),
)
# From linear RGB to OKLab: https://bottosson.github.io/posts/oklab
CONES: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
OKLAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def linear(color: str) -> list[float]:
    """Return linear red, green and blue of ``#rrggbb``, 0 to 1 each."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]


def luminance(color: str) -> float:
    """Return the relative luminance of ``#rrggbb``, as WCAG defines it."""
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def times(matrix: Matrix, values: list[float]) -> list[float]:
    return [
        sum(one * value for one, value in zip(row, values, strict=True))
        for row in matrix
    ]


def oklab(color: str, eyes: Matrix) -> list[float]:
    seen = [min(1.0, max(0.0, part)) for part in times(eyes, linear(color))]
    return times(OKLAB, [part ** (1 / 3) for part in times(CONES, seen)])


def distance(one: str, other: str, eyes: Matrix = ALL_CONES) -> float:
    """Return how far two colours are apart in OKLab, black and white 1."""
    pairs = zip(oklab(one, eyes), oklab(other, eyes), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


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
    light, dark = re.findall(r"--back: (#[\da-f]{6});", still_style().text)

    assert contrast(shades.light, light) >= 4.5
    assert contrast(shades.dark, dark) >= 4.5


def test_black_and_white_are_one_apart():
    """So that distances mean what is written here of them."""
    assert distance("#000000", "#ffffff") == pytest.approx(1, abs=1e-3)
    assert distance("#3b5bab", "#3b5bab") == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_two_names_are_one_colour(scheme):
    """Colours of one bar differ, where they have different names."""
    for one, other in combinations(PALETTE.values(), 2):
        assert distance(getattr(one, scheme), getattr(other, scheme)) > 0.035


@pytest.mark.parametrize("bucket", [PYTHON, EITHER, GC.bucket])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_rest_of_a_bar_is_like_no_group(bucket, scheme):
    """Nearly every bar has it, mostly as its largest part.

    Python, or what no clock can tell, is not taken for a garbage collection,
    by eyes that lack cones for green or red neither.
    """
    color = COLORS[bucket.name]
    groups = {COLORS[group.bucket.name] for group in GROUPS}
    if bucket is not GC.bucket:
        assert color not in groups
    for name in {*groups, COLORS[PYTHON.name]} - {color}:
        two = getattr(PALETTE[color], scheme), getattr(PALETTE[name], scheme)
        assert distance(*two) > 0.08
        assert distance(*two, DEUTERANOPIA) > 0.06
        assert distance(*two, PROTANOPIA) > 0.06
