# SPDX-License-Identifier: Apache-2.0
"""Groups of commands: a wrong name gets the nearest, long pages a pager."""

from __future__ import annotations

import difflib

import click

from nova_profiler.reading.command_line.paging import with_pager_option

# They print one page, which may be longer than a terminal.
PAGED = frozenset(
    "calls check compare diff follow history list report running show top "
    "trend".split()
)


class SuggestingGroup(click.Group):
    """A group that suggests a command for a name that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* begin with, or raise UsageError."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            near = nearest(args[0], names)
            ctx.fail(f"No such command {args[0]!r}{near}")
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and name in PAGED and name != "history":
            command = with_pager_option(command)
        return name, command, rest


def nearest(name: str, names: list[str]) -> str:
    """Return a question with the name that was meant, empty if none is."""
    found = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {found[0]!r}?" if found else ""
