# SPDX-License-Identifier: Apache-2.0
"""What the commands about kept runs share: options, logs, errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any, TypeVar

import click

from nova_profiler.reading.command_line.options import Finite
from nova_profiler.reading.logs import AccessEntry, ReadError, Unread
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.requests_once import entries_of_sources
from nova_profiler.reading.runs.kept.run import HistoryError
from nova_profiler.reading.screen.terminal import printable

Function = TypeVar("Function", bound=Callable[..., Any])

_TOLD = 10


def history_option(function: Function) -> Function:
    """Add the option that says where the runs are."""
    return click.option(
        "--history",
        "directory",
        metavar="DIR",
        envvar="NOVA_PROFILER_HISTORY",
        type=click.Path(file_okay=False, path_type=Path),
        default=_user_data,
        show_default="nova-profiler/history in the user's data directory",
        help="Where the runs are; also NOVA_PROFILER_HISTORY.",
    )(function)


def engine_option(function: Function) -> Function:
    """Add the option that names the engine."""
    return click.option(
        "--engine",
        metavar="URL",
        default="duckdb://",
        show_default=True,
        help="What reads the Parquet: a Spark master such as "
        "spark://host:7077, or any URL that ibis connects to.",
    )(function)


least_change_option = click.option(
    "--ignore-below",
    "least_change",
    metavar="PERCENT",
    type=Finite(0, 1000),
    default=5.0,
    show_default=True,
    help="Smaller changes are none.",
)


@contextmanager
def told() -> Iterator[None]:
    """Turn what is wrong with runs, logs or the set-up into one line."""
    try:
        yield
    except (HistoryError, ReadError) as exc:
        raise click.ClickException(printable(exc)) from exc
    except ModuleNotFoundError as exc:
        raise click.ClickException(
            f"{exc}; pip install 'nova-profiler[history]'"
        ) from exc


def entries_of_logs(
    logs: Sequence[str], unread: Unread, local: tzinfo | None = None
) -> Iterator[AccessEntry]:
    """Yield the requests in *logs*; on a terminal a bar follows them."""
    sources = sources_of(logs, unread, local)
    if not sys.stderr.isatty():
        yield from entries_of_sources(sources, unread)
        return
    # Only here: it takes longer to import than a short command runs.
    from rich.console import Console
    from rich.progress import Progress

    total = sum(source.size or 0 for source in sources)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading logs", total=total)
        yield from entries_of_sources(
            sources, unread, lambda count: bar.advance(task, count)
        )


def tell_unread(unread: Unread) -> None:
    """Say on standard error what was left out, the most frequent first."""
    for kind, count, example in list(unread)[:_TOLD]:
        times = "" if count == 1 else f"{count} times "
        click.echo(f"skipped: {times}{kind}: {printable(example)}", err=True)


def _user_data() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "nova-profiler" / "history"
