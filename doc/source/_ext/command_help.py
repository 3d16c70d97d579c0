# SPDX-License-Identifier: Apache-2.0
"""Sphinx directive ``command-help``: what each command's --help prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from nova_profiler import cli


class CommandHelp(Directive):
    """One section for each command there is, from the program itself."""

    def run(self) -> list[nodes.Node]:
        parent = click.Context(cli.group, info_name=cli.PROGRAM)
        return list(_sections(cli.group, parent))


def _sections(
    group: click.Group, parent: click.Context
) -> Iterator[nodes.section]:
    """Yield a section for each command of *group*, also those below."""
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is None:
            raise LookupError(f"no command {name}")
        context = click.Context(
            command, parent, info_name=name, max_content_width=78
        )
        yield _section(context, command)
        if isinstance(command, click.Group):
            yield from _sections(command, context)


def _section(context: click.Context, command: click.Command) -> nodes.section:
    help_text = command.get_help(context)
    title = context.command_path
    section = nodes.section(ids=[nodes.make_id(title)], names=[title])
    section += nodes.title(text=title)
    section += nodes.literal_block(help_text, help_text, language="text")
    return section


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
