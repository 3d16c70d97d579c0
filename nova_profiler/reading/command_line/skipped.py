# SPDX-License-Identifier: Apache-2.0
"""What a command could not read: counted, the first few named."""

from __future__ import annotations

import click

from nova_profiler.reading.screen.terminal import printable

_NAMED = 3


class Skipped:
    """Damaged and foreign files or lines that a command left out."""

    def __init__(self) -> None:
        self.count = 0
        self._named: list[str] = []

    def add(self, message: str) -> None:
        """Note that something was left out and why."""
        self.count += 1
        if len(self._named) < _NAMED:
            self._named.append(message)

    @property
    def first(self) -> str:
        """Return what was left out first."""
        return printable(self._named[0]) if self._named else ""

    def add_foreign(self, names: list[str]) -> None:
        """Note files that are no dumps."""
        for name in names:
            self.add(f"{name}: not a dump")

    def tell(self) -> None:
        """Say so on standard error, each in a line."""
        for message in self._named:
            click.echo(f"skipped {printable(message)}", err=True)
        if self.count > _NAMED:
            click.echo(f"skipped {self.count - _NAMED} more", err=True)
