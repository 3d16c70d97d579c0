# SPDX-License-Identifier: Apache-2.0
"""Figures and small pictures of a request's page, made for templates.

As functions: macros of a template take several times as long.
"""

from __future__ import annotations

# A narrower part cannot be seen.
_LEAST = 0.006


def ms(value: float, digits: int = 1) -> str:
    """Return milliseconds, or another number, for a column."""
    return f"{value:.{digits}f}"


def pc(value: float) -> str:
    """Return a share of a width."""
    return f"{100 * value:.2f}%"


def swatch(kind: str) -> str:
    """Return the element that shows the colour of a class."""
    return (
        f'<svg class="swatch" aria-hidden="true"><rect width="100%" '
        f'height="100%" class="{kind}"/></svg>'
    )


def stripe(kind: str, left: float, width: float) -> str:
    """Return the element of a part of a whole, as shares of it."""
    return (
        f'<svg class="bar" width="160" height="12" aria-hidden="true">'
        f'<rect x="{pc(left)}" width="{pc(max(_LEAST, width))}" height="12" '
        f'class="{kind}"/></svg>'
    )


MARKS = {"ms": ms, "pc": pc, "swatch": swatch, "stripe": stripe}
