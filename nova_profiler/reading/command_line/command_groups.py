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

    def get_command(
        self, ctx: click.Context, cmd_name: str
    ) -> click.Command | None:
        """Return the command, with ``--no-pager`` if it prints a page."""
        command = self.found(ctx, cmd_name)
        if command is None or cmd_name not in PAGED:
            return command
        if isinstance(command, click.Group):
            return command
        return with_pager_option(command)

    def found(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command as it is defined."""
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* begin with, or raise UsageError."""
        names = self.list_commands(ctx)
        is_known = args[0] in names or args[0].startswith("-")
        # A shell that completes gets no error.
        if not is_known and not ctx.resilient_parsing:
            near = _nearest(args[0], names)
            ctx.fail(f"No such command {args[0]!r}{near}")
        return super().resolve_command(ctx, args)


def _nearest(name: str, names: list[str]) -> str:
    """Return a question with the name that was meant, empty if none is."""
    found = difflib.get_close_matches(name, names, 1)
    return f" (did you mean {found[0]!r}?)" if found else ""
