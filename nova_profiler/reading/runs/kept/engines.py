# SPDX-License-Identifier: Apache-2.0
"""The engine that reads runs: DuckDB inside, or a larger one by URL."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from nova_profiler.errors import missing_extra
from nova_profiler.reading.runs.kept.run import (
    FOLDER_PREFIX,
    HistoryError,
    Run,
    folder_of,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

Rows = list[dict[str, Any]]

DEFAULT = "duckdb://"
# The times of fifty million requests. DuckDB would take most of the host's, a
# few megabytes of Parquet can ask for any amount, and services run beside us.
_MEMORY = "2GB"
# The forms of a Spark master; anything else is a URL for ibis.
_SPARK_MASTER = re.compile(r"spark://|k8s://|yarn$|local(-cluster)?(\[|$)")
_WITHOUT_URL = re.compile(r"yarn|local(?:-cluster)?(?:\[[0-9,*]*\])?")
# The last folder alone: one above the history may have the same prefix.
_RUN_IN_PATH = f"/{FOLDER_PREFIX}([^/]+)/[^/]+$"
# What DuckDB takes for patterns, unless it stands in brackets, and what other
# engines do, which cannot all escape it.
_PATTERN = re.compile(r"[*?\[]")
_PATTERN_ELSEWHERE = re.compile(r"[*?\[\]{}\\]")
_LONGEST_MESSAGE = 300
# The scheme, then host, port and database; between them may be a user with a
# password, after them a query. Where a second reading is possible, it is none.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)"
    r"(?:[^@/?#]*@)?((?:[A-Za-z0-9.-]*|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?"
    r"(?:/[A-Za-z0-9._/-]*)?)(?:[?#][^@]*)?"
)


@contextmanager
def engine_at(url: str = DEFAULT) -> Iterator[BaseBackend]:
    """Connect to the engine at *url*, and disconnect at the end."""
    with warnings.catch_warnings():
        # ibis and its engines warn each other of their own changes.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield from _engine_at(url)


def _engine_at(url: str) -> Iterator[BaseBackend]:
    with ExitStack() as stack:
        folder = ""
        if url == DEFAULT:
            # What has no room in memory goes there, and not where we are.
            # Without a place for it, all has to have room.
            with suppress(OSError):
                folder = stack.enter_context(
                    TemporaryDirectory(
                        prefix="nova-profiler-", ignore_cleanup_errors=True
                    )
                )
        yield from _engine_of(url, folder)


def _engine_of(url: str, folder: str) -> Iterator[BaseBackend]:
    backend = _connected(url, folder)
    try:
        yield backend
    except HistoryError:
        raise
    except Exception as exc:
        # Each engine has error classes of its own.
        raise HistoryError(
            f"engine {_shown(url)}: {_reason(url, exc)}"
        ) from exc
    finally:
        with suppress(Exception):
            backend.disconnect()


def requests_of(
    backend: BaseBackend, directory: Path | str, runs: Sequence[Run]
) -> ir.Table:
    """Return the requests of *runs*, with the name of each as ``run``.

    *directory* is the URL of an object store where it is a text.
    """
    if backend.name == "duckdb":
        folder = _folder_opened(backend, directory)
        # DuckDB opens these files only; others may lie beside them.
        table = backend.read_parquet(
            [folder(run.name, part) for run in runs for part in run.parts],
            # It would make columns of folders above the history, too.
            hive_partitioning=False,
            filename=True,
            union_by_name=len({run.schema for run in runs}) > 1,
        )
        run_name = table.filename.re_extract(_RUN_IN_PATH, 1)
        return table.mutate(run=run_name).drop("filename")
    _refuse_pattern(backend.name, directory)
    if backend.name == "clickhouse":
        return _of_clickhouse(backend, directory, runs)
    table = backend.read_parquet(str(directory))
    return table.filter(table.run.isin([run.name for run in runs]))


def _of_clickhouse(
    backend: Any, directory: Path | str, runs: Sequence[Run]
) -> ir.Table:
    """Return what a server reads by itself: its own files, or S3's."""
    if isinstance(directory, str) and not directory.startswith("s3://"):
        raise HistoryError(
            f"{directory}: ClickHouse reads s3:// and directories of its own "
            "host"
        )
    function = "s3" if isinstance(directory, str) else "file"
    names = ",".join(run.name for run in runs)
    chosen = f"{{{names}}}" if len(runs) > 1 else names
    files = f"{directory}/{FOLDER_PREFIX}{chosen}/part-*.parquet"
    quoted = files.replace("\\", "\\\\").replace("'", "\\'")
    # Not by the folders' names: it takes the name of a run for a number.
    table: ir.Table = backend.sql(
        f"SELECT *, extract(_path, '{_RUN_IN_PATH}') AS run "  # noqa: S608 - names of runs are letters, the path is quoted
        f"FROM {function}('{quoted}', 'Parquet') "
        "SETTINGS use_hive_partitioning = 0"
    )
    return table


def _refuse_pattern(engine: str, directory: Path | str) -> None:
    """Raise HistoryError for a place that *engine* takes for several."""
    if _PATTERN_ELSEWHERE.search(str(directory)) is not None:
        raise HistoryError(
            f"{directory}: {engine} reads * ? [ ] {{ }} and \\ in a place as "
            "a pattern; move the history, or leave out --engine"
        )


def _escaped(path: Path) -> str:
    """Return *path* as DuckDB opens this file and no other."""
    escaped = _PATTERN.sub(r"[\g<0>]", str(path))
    if escaped != str(path) and "\\" in escaped:
        # In a pattern it ends the name of a folder.
        raise HistoryError(
            f"{path.parent.parent}: DuckDB cannot read a place with a \\ "
            "beside * ? or [; move the history"
        )
    return escaped


def _folder_opened(
    backend: Any, directory: Path | str
) -> Callable[[str, str], str]:
    """Return what makes the place of a run's part, which DuckDB can open."""
    if isinstance(directory, Path):
        return lambda name, part: _escaped(folder_of(directory, name) / part)
    from fsspec.core import url_to_fs
    from fsspec.implementations.dirfs import DirFileSystem

    files, root = url_to_fs(directory)
    # By a scheme of its own: of s3:// DuckDB would download an extension.
    scheme = DirFileSystem.protocol
    # Of two sides each asks.
    if scheme not in backend.con.list_filesystems():
        backend.register_filesystem(DirFileSystem(root, files))
    return lambda name, part: f"{scheme}://{FOLDER_PREFIX}{name}/{part}"


def rows_of(table: ir.Table) -> Rows:
    """Return the rows of *table*, worked out by its engine."""
    backend = table.get_backend()
    if backend.name == "duckdb":
        # to_pyarrow() would import pandas: longer than most queries take.
        values = _fetched(backend, backend.compile(table))
        return [dict(zip(table.columns, row, strict=True)) for row in values]
    rows: Rows = table.to_pyarrow().to_pylist()
    return rows


def _fetched(backend: Any, query: str) -> list[tuple[Any, ...]]:
    from duckdb import OutOfMemoryException

    try:
        rows: list[tuple[Any, ...]] = backend.raw_sql(query).fetchall()
    except OutOfMemoryException as exc:
        # No damage of a run.
        raise HistoryError(
            "too many requests for the memory that DuckDB may take: name "
            "fewer runs, or give it more, as by --engine "
            "'duckdb://?memory_limit=8GB'"
        ) from exc
    return rows


def _connected(url: str, folder: str) -> Any:
    try:
        import ibis

        if _SPARK_MASTER.match(url):
            return _spark(url)
        if url == DEFAULT:
            return ibis.duckdb.connect(
                memory_limit=_MEMORY, temp_directory=folder
            )
        # It logs what it raises as well, and without a handler to stderr.
        logging.getLogger("clickhouse_connect").addHandler(
            logging.NullHandler()
        )
        return ibis.connect(url)
    except ImportError as exc:
        extra = "spark" if _SPARK_MASTER.match(url) else "history"
        if url.startswith("clickhouse://"):
            extra = "clickhouse"
        raise missing_extra(
            f"engine {_shown(url)}: {_reason(url, exc)}", extra
        ) from exc
    except Exception as exc:
        raise HistoryError(
            f"engine {_shown(url)}: {_reason(url, exc)}"
        ) from exc


def _spark(master: str) -> Any:
    import ibis
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master(master)
        .appName("nova-profiler")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        # The name of a run stays a text, also when it is 2026.
        .config(
            "spark.sql.sources.partitionColumnTypeInference.enabled", False
        )
        .getOrCreate()
    )
    return ibis.pyspark.connect(session)


def _shown(url: str) -> str:
    """Return scheme, host and database of *url*, or what is surely these."""
    if _WITHOUT_URL.fullmatch(url):
        return url
    whole = _URL.fullmatch(url)
    if whole is not None:
        return whole[1] + whole[2]
    scheme = _SCHEME.match(url)
    return f"{scheme[0] if scheme else ''}..."


def _reason(url: str, exc: Exception) -> str:
    """Return the first line of *exc*, unless a secret may stand in it.

    An engine may repeat the URL that it was given, or parts of it.
    """
    line = first_line(exc)
    hidden = _words(url) - _words(_shown(url))
    if any(word in line for word in hidden):
        return f"{type(exc).__name__}; its text has parts of the URL"
    return line


def _words(text: str) -> set[str]:
    """Return the words of *text*, as they are written and unquoted."""
    return {
        word
        for form in (text, unquote(text), unquote_plus(text))
        for word in re.split(r"[^\w.-]+", form)
        if word
    }


def first_line(exc: Exception) -> str:
    """Return the first line of *exc*; an engine may add a stack trace."""
    lines = str(exc).strip().splitlines() or [type(exc).__name__]
    return lines[0][:_LONGEST_MESSAGE]
