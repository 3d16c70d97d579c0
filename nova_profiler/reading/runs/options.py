# SPDX-License-Identifier: Apache-2.0
"""The options of the commands about kept runs, and how they read logs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from nova_profiler.errors import missing_extra
from nova_profiler.reading.command_line.options import Finite
from nova_profiler.reading.logs import AccessEntry, Unread
from nova_profiler.reading.logs.files.sources import Source, sources_of
from nova_profiler.reading.logs.requests_once import entries_of_sources
from nova_profiler.reading.screen.terminal import printable

Function = TypeVar("Function", bound=Callable[..., Any])

_MOST_KINDS = 10


def history_option(function: Function) -> Function:
    """Add the option for the directory of the runs."""
    return click.option(
        "--history",
        "directory",
        metavar="DIR",
        envvar="NOVA_PROFILER_HISTORY",
        type=click.Path(file_okay=False, path_type=Path),
        default=_user_data,
        show_default="nova-profiler/history in the user's data directory",
        help="The directory of the runs; also NOVA_PROFILER_HISTORY.",
    )(function)


def engine_option(function: Function) -> Function:
    """Add the option for the engine."""
    return click.option(
        "--engine",
        metavar="URL",
        default="duckdb://",
        show_default=True,
        help="The engine that reads the Parquet: a Spark master such as "
        "spark://host:7077, or any URL that ibis connects to.",
    )(function)


least_change_option = click.option(
    "--ignore-below",
    "least_change",
    metavar="PERCENT",
    type=Finite(0, 1000),
    default=5.0,
    show_default=True,
    help="Ignore changes smaller than this.",
)


def uses_history_extra(function: Function) -> Function:
    """Make *function* name the extra whose package it cannot import."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ModuleNotFoundError as exc:
            raise missing_extra(str(exc), "history") from exc

    return cast(Function, run)


def entries_of_logs(
    logs: Sequence[str], unread: Unread, local: tzinfo | None = None
) -> Iterator[AccessEntry]:
    """Yield the requests in *logs*; a bar on a terminal shows how far."""
    sources = sources_of(logs, unread, local)
    with _log_progress(sources) as advance:
        yield from entries_of_sources(sources, unread, advance)


@contextmanager
def _log_progress(
    sources: Sequence[Source],
) -> Iterator[Callable[[int], None] | None]:
    if not sys.stderr.isatty():
        yield None
        return
    # Only here: it takes longer to import than a short command runs.
    from rich.console import Console
    from rich.progress import Progress

    total = sum(source.size or 0 for source in sources)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading logs", total=total)
        yield lambda count: bar.advance(task, count)


def print_unread(unread: Unread) -> None:
    """Print on standard error what was left out, the most frequent first."""
    for kind, count, example in list(unread)[:_MOST_KINDS]:
        times = "" if count == 1 else f"{count} times "
        click.echo(f"skipped: {times}{kind}: {printable(example)}", err=True)


def _user_data() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "nova-profiler" / "history"
