# SPDX-License-Identifier: Apache-2.0
"""The options of the commands about kept runs, and how they read logs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from nova_profiler.command_name import command_name
from nova_profiler.errors import missing_extra
from nova_profiler.reading.command_line.options import Finite
from nova_profiler.reading.command_line.progress import log_progress
from nova_profiler.reading.logs import AccessEntry, Unread
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.requests_once import entries_of_sources

Function = TypeVar("Function", bound=Callable[..., Any])


class _Place(click.Path):
    """A directory, or the URL of an object store, which stays a text."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return a path, or a URL without a slash at its end."""
        if isinstance(value, str) and "://" in value:
            return value.rstrip("/")
        return super().convert(value, param, ctx)


def history_option(function: Function) -> Function:
    """Add the option for the directory of the runs."""
    return click.option(
        "--history",
        "directory",
        metavar="DIR",
        envvar="NOVA_PROFILER_HISTORY",
        type=_Place(),
        default=_user_data,
        show_default="nova-profiler/history in the user's data directory",
        help="The directory of the runs, or an object store as "
        "s3://bucket/prefix; also NOVA_PROFILER_HISTORY.",
    )(function)


def engine_option(function: Function) -> Function:
    """Add the option for the engine."""
    return click.option(
        "--engine",
        metavar="URL",
        default="duckdb://",
        show_default=True,
        help="The engine that reads the Parquet: a Spark master such as "
        "spark://host:7077, clickhouse://user:password@host:8123/default, or "
        "any URL that ibis connects to.",
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
    logs: Sequence[str],
    unread: Unread,
    local: tzinfo | None = None,
    stated: tuple[str, ...] = (),
) -> Iterator[AccessEntry]:
    """Yield the requests in *logs*; a bar on a terminal shows how far."""
    sources = sources_of(logs, unread, local, stated)
    with log_progress(sources, "reading logs") as progress:
        yield from entries_of_sources(sources, unread, progress.advance)


def is_there(directory: Path | str) -> bool:
    """Return false for the usual place before its first run.

    A directory that was named and is missing is an error, by what reads it.
    """
    source = click.get_current_context().get_parameter_source("directory")
    return source is not ParameterSource.DEFAULT or Path(directory).is_dir()


def no_runs(directory: Path | str) -> str:
    """Return that nothing is kept in *directory*, and what keeps a run."""
    return (
        f"no runs in {directory} yet; `{command_name()} history add NAME "
        f"LOG...` keeps one"
    )


def _user_data() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "nova-profiler" / "history"
