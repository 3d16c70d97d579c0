# SPDX-License-Identifier: Apache-2.0
"""Durations as options take them: ``1s``, ``500ms``, ``2h``, or a number."""

from __future__ import annotations

import re
from typing import Any

import click

from nova_profiler.reading.command_line.options import Finite

_MS = {
    "us": 0.001,
    "ms": 1.0,
    "s": 1000.0,
    "m": 60_000.0,
    "h": 3_600_000.0,
    "d": 86_400_000.0,
    "w": 604_800_000.0,
}
_WORDS = {"ms": "milliseconds", "s": "seconds", "h": "hours"}
_WITH_UNIT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?) ?(us|ms|[smhdw])")


class Duration(Finite):
    """A duration with its unit; a number without one is of *unit*.

    The value is a number of *unit*, too, and so are the bounds.
    """

    name = "time"

    def __init__(
        self,
        unit: str,
        least: float = 0.0,
        most: float | None = None,
        *,
        min_open: bool = False,
    ) -> None:
        super().__init__(least, most, min_open=min_open)
        self._unit = unit

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return *value* as a number of the unit, or refuse it."""
        text = str(value).strip()
        found = _WITH_UNIT.fullmatch(text)
        if found is not None:
            ms = float(found[1]) * _MS[found[2]]
            return super().convert(
                # Without what dividing adds in the last digits.
                round(ms / _MS[self._unit], 9),
                param,
                ctx,
            )
        if not _is_number(text):
            self.fail(
                f"{value!r}: expected a time such as 500ms, 1s or 2h; a "
                f"number without a unit is {_WORDS[self._unit]}",
                param,
                ctx,
            )
        return super().convert(text, param, ctx)


slow_option = click.option(
    "--slow",
    "slow_s",
    metavar="TIME",
    default="1s",
    show_default=True,
    type=Duration("s"),
    help="A call that takes at least this is slow: 1s, 500ms, or seconds.",
)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
