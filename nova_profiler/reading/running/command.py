# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler running``: the requests that are on right now."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click

from nova_profiler.reading.command_line.answers import (
    print_json,
    say_nothing_found,
)
from nova_profiler.reading.command_line.dump_dir import dump_dir_of
from nova_profiler.reading.command_line.options import (
    json_option,
    limit_option,
)
from nova_profiler.reading.running.workers import Request, seen_in


@click.command("running")
@click.option(
    "--dump-dir",
    "dump_dirs",
    metavar="DIR",
    envvar="NOVA_PROFILER_DUMP_DIR",
    type=click.Path(file_okay=False),
    multiple=True,
    help="Where the workers dump, once for each service; also "
    "NOVA_PROFILER_DUMP_DIR. Without it, the dump_dir of nova's "
    "configuration.",
)
@click.option(
    "--config-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="nova.conf or api-paste.ini to take dump_dir from.",
)
@limit_option(10, "How many to show; JSON has all.")
@click.option("--stacks", is_flag=True, help="Show whole stacks.")
@json_option
def command(
    dump_dirs: Sequence[str],
    config_file: str | None,
    limit: int,
    stacks: bool,
    as_json: bool,
) -> None:
    """Show the requests that are on now, in all workers of this host.

    The longest first: for how long, in which call, at which line. Run it as
    nova-api's user or as root.

    \b
    sudo -u nova nova-profiler running
    """
    seen = seen_in(dump_dirs or [dump_dir_of(config_file)])
    if as_json:
        fields = {
            "requests": [_fields_of(one) for one in seen.requests],
            "more_requests": seen.more,
            "workers": {"answered": seen.answered, "silent": seen.silent},
            "problems": seen.problems,
        }
        print_json(fields)
    if not seen.answered and not seen.silent:
        say_nothing_found("; ".join(seen.problems))
        return
    if as_json:
        return
    # Only here: it takes a good part of a short run, which may fail before.
    from nova_profiler.reading.command_line.skipped import print_skipped
    from nova_profiler.reading.running.page import lines_of

    width = None
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        width = shutil.get_terminal_size().columns
    for line in lines_of(seen, limit, width, stacks):
        click.echo(line)
    print_skipped(seen.problems)


def _fields_of(request: Request) -> dict[str, object]:
    return {
        **request.record.to_dict(),
        "on_ms": round(request.on_ms, 3),
        "age_s": round(request.age_s, 3),
    }
