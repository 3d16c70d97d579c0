# SPDX-License-Identifier: Apache-2.0
"""The option ``--kind``, and the records that it leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import click

from nova_profiler.record import KINDS, kind_of_method

Function = TypeVar("Function", bound=Callable[..., Any])

ALL = "all"
# What stands for a record of whatever kind, or of a kind yet unknown.
_RECORD = "record"
_NOUNS = {kind.name: kind.noun for kind in KINDS}


class WantedKind:
    """Which kind of records a command is about; counts those of others."""

    def __init__(self, name: str = ALL) -> None:
        self._name = name
        self._others: Counter[str] = Counter()
        self._has_own = False

    @property
    def noun(self) -> str:
        """Return what one of these records is of."""
        return noun_of(self._name)

    def has(self, kind: str) -> bool:
        """Return whether a record of *kind* is wanted."""
        if self._name in (ALL, kind):
            self._has_own = True
            return True
        self._others[kind] += 1
        return False

    def has_method(self, method: str) -> bool:
        """Tell it by the method, which is all that a dump's name has."""
        return self.has(kind_of_method(method).name)

    def print_others(self) -> None:
        """Say so where all records that there were are of other kinds."""
        if self.about_others:
            click.echo(self.about_others, err=True)

    @property
    def about_others(self) -> str:
        """Return that all there were are of other kinds; empty if not so."""
        if self._has_own or not self._others:
            return ""
        # Only here: rich takes longer to import than a short command runs.
        from nova_profiler.reading.screen.terminal import counted

        # Equal numbers are in the order of the table.
        known = [kind for kind in _NOUNS if kind in self._others]
        in_order = sorted(
            {**dict.fromkeys(known), **self._others},
            key=lambda kind: -self._others[kind],
        )
        found = [
            counted(self._others[kind], noun_of(kind)) for kind in in_order
        ]
        return (
            f"no {self.noun}s, but {', '.join(found)}; --kind {ALL} is about "
            f"these, too"
        )


def noun_of(kind: str) -> str:
    """Return what a record of *kind* is of: ``periodic task``."""
    return _NOUNS.get(kind, _RECORD)


def kind_option(default: str) -> Callable[[Function], Function]:
    """Return the option that chooses records by their kind."""
    return click.option(
        "--kind",
        type=click.Choice([*_NOUNS, ALL]),
        default=default,
        show_default=True,
        callback=lambda ctx, param, value: WantedKind(value),
        help="Only records of this kind.",
    )
