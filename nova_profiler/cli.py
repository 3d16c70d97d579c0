# SPDX-License-Identifier: Apache-2.0
"""The command ``nova-profiler``: reads back what the filter wrote."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from nova_profiler import __version__
from nova_profiler.command_name import PROGRAM, command_name
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line.answers import ANSWERED, FAILED
from nova_profiler.reading.command_line.command_groups import (
    PAGED,
    SuggestingGroup,
)
from nova_profiler.reading.command_line.paging import VARIABLE, paged
from nova_profiler.reading.command_line.termination import (
    Terminated,
    sigterm_as_ctrl_c,
)
from nova_profiler.trust.isolated_children import leave_out_current_folder

# A heading of the help, and one line a command: its name and the module whose
# ``command`` it is. Loaded when asked for, so that each starts without the
# others' imports.
GROUPS = {
    "Dumps, which the filter wrote": {
        "list": "nova_profiler.reading.requests.list_command",
        "show": "nova_profiler.reading.requests.show_command",
        "calls": "nova_profiler.reading.requests.calls_command",
        "prune": "nova_profiler.reading.requests.prune_command",
    },
    "Lines of code, from stacks in dumps": {
        "top": "nova_profiler.reading.code.top_command",
        "diff": "nova_profiler.reading.code.diff_command",
        "export": "nova_profiler.reading.code.export_command",
    },
    "Logs of any release, without the filter, too": {
        "report": "nova_profiler.reading.report.command",
        "follow": "nova_profiler.reading.follow.command",
        "history": "nova_profiler.reading.runs.command",
        "compare": "nova_profiler.reading.runs.compare.command",
    },
    "Services that run": {
        "running": "nova_profiler.reading.running.command",
        "sign": "nova_profiler.reading.setup.sign_command",
    },
    "All of it in a browser": {
        "serve": "nova_profiler.web.command",
    },
    "Set-up": {
        "check": "nova_profiler.reading.setup.check_command",
        "metrics": "nova_profiler.reading.metrics.command",
        "shipper": "nova_profiler.reading.shipping.command",
        "schema": "nova_profiler.reading.shipping.schema_command",
        "size": "nova_profiler.reading.sizing.command",
    },
}
# By click, for bash, zsh and fish.
_COMPLETE = "_NOVA_PROFILER_COMPLETE"

COMMANDS = {
    name: module
    for commands in GROUPS.values()
    for name, module in commands.items()
}


class _LazyGroup(SuggestingGroup):
    """A group that imports a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def found(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import what the name stands for."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command: click.Command = module.command
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        width = max(map(len, COMMANDS))
        for heading, names in GROUPS.items():
            rows = []
            for name in names:
                command = self.get_command(ctx, name)
                if command is not None:
                    # 6: what click leaves free around the two columns.
                    short = command.get_short_help_str(
                        formatter.width - width - 6
                    )
                    rows.append((name.ljust(width), short))
            with formatter.section(heading):
                formatter.write_dl(rows)


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `nova-profiler list --slowest`, or with `nova-profiler "
    "report LOG` where there are only logs.",
)
@click.version_option(__version__, "-V", "--version", prog_name=PROGRAM)
@click.option(
    "--no-pager",
    is_flag=True,
    help=f"Print long pages at once; also PAGER=cat or {VARIABLE}=cat.",
)
@click.pass_context
def group(ctx: click.Context, no_pager: bool) -> None:
    """Show where the time of Nova's REST calls went."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
    elif ctx.invoked_subcommand in PAGED and not no_pager:
        ctx.with_resource(paged())


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Whatever a user did wrong is one line on standard error and FAILED.
    """
    if args is None:
        # Commands are imported later: the process is ours from here on.
        leave_out_current_folder()
    _write_what_can_be_written()
    try:
        with sigterm_as_ctrl_c(ends_process=args is None):
            code = group.main(
                None if args is None else list(args),
                prog_name=_program(),
                complete_var=_COMPLETE,
                standalone_mode=False,
            )
    except Terminated:
        return _failed("terminated", 143)
    except click.ClickException as exc:
        return _failed(_message_of(exc))
    except NovaProfilerError as exc:
        # Only here: rich takes longer to import than a short command runs.
        from nova_profiler.reading.screen.terminal import printable

        return _failed(printable(exc))
    except click.Abort:
        return _failed("interrupted", 130)
    except OSError as exc:
        return _failed(f"{exc.filename or 'error'}: {exc.strerror or exc}")
    return code if isinstance(code, int) else ANSWERED


def _program() -> str:
    # A shell completes by the bare name, from wherever it is started.
    return PROGRAM if _COMPLETE in os.environ else command_name()


def _message_of(exc: click.ClickException) -> str:
    message = " ".join(exc.format_message().split())
    if isinstance(exc, click.UsageError):
        path = exc.ctx.command_path if exc.ctx is not None else command_name()
        return f"{message.rstrip('.')}; see `{path} --help`"
    return message


def _failed(message: str, code: int = FAILED) -> int:
    click.echo(f"{PROGRAM}: {message}", err=True)
    return code


def _write_what_can_be_written() -> None:
    # A terminal of another encoding gets a ? and not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
