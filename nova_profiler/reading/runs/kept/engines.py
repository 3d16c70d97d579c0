# SPDX-License-Identifier: Apache-2.0
"""The engine that reads runs: DuckDB inside, or a larger one by URL."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from nova_profiler.errors import missing_extra
from nova_profiler.reading.runs.kept.run import HistoryError, Run, folder_of

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

Rows = list[dict[str, Any]]

DEFAULT = "duckdb://"
# The forms of a Spark master; anything else is a URL for ibis.
_SPARK_MASTER = re.compile(r"spark://|k8s://|yarn$|local(-cluster)?(\[|$)")
_WITHOUT_URL = re.compile(r"yarn|local(?:-cluster)?(?:\[[0-9,*]*\])?")
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
    backend = _connected(url)
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
    backend: BaseBackend, directory: Path, runs: Sequence[Run]
) -> ir.Table:
    """Return the requests of *runs*, with the name of each as ``run``."""
    if backend.name == "duckdb":
        # DuckDB opens these files only; others may lie beside them.
        return backend.read_parquet(
            [
                folder_of(directory, run.name) / part
                for run in runs
                for part in run.parts
            ],
            hive_partitioning=True,
            hive_types_autocast=False,
            union_by_name=len({run.schema for run in runs}) > 1,
        )
    table = backend.read_parquet(str(directory))
    return table.filter(table.run.isin([run.name for run in runs]))


def rows_of(table: ir.Table) -> Rows:
    """Return the rows of *table*, worked out by its engine."""
    backend = table.get_backend()
    if backend.name == "duckdb":
        # to_pyarrow() would import pandas: longer than most queries take.
        values = backend.raw_sql(backend.compile(table)).fetchall()
        return [dict(zip(table.columns, row, strict=True)) for row in values]
    rows: Rows = table.to_pyarrow().to_pylist()
    return rows


def _connected(url: str) -> Any:
    try:
        import ibis

        if _SPARK_MASTER.match(url):
            return _spark(url)
        if url == DEFAULT:
            return ibis.duckdb.connect()
        return ibis.connect(url)
    except ImportError as exc:
        extra = "spark" if _SPARK_MASTER.match(url) else "history"
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
