# SPDX-License-Identifier: Apache-2.0
"""A report in Prometheus's text format, as node_exporter's textfile wants it.

What the figures are of shrinks where a log is rotated: Prometheus takes that
for a counter that began again.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from nova_profiler.reading.logs.line_parts.stamps import iso_epoch

_SPACE = "nova_profiler_report"
# Of a label's letters, which each series of a row has anew.
_LONGEST_LABEL = 1_000
_QUANTILES = (("0.5", "p50_ms"), ("0.9", "p90_ms"), ("0.99", "p99_ms"))

Labels = dict[str, str]


class Sample(NamedTuple):
    """One value: what its metric's name ends in, its labels."""

    ending: str
    labels: Labels
    value: float


def text_of(summary: dict[str, Any]) -> str:
    """Return the metrics of *summary*, times in seconds.

    A report's summary, or what a kept run has of one.
    """
    rows = [(_labels_of(row, summary["by"]), row) for row in summary["rows"]]
    return "".join(_lines(rows, summary))


def _lines(
    rows: list[tuple[Labels, dict[str, Any]]], summary: dict[str, Any]
) -> Iterator[str]:
    """Yield each metric, with its head."""
    yield from _metric(
        *("request_seconds", "summary", "Requests in the logs, by row."),
        (one for labels, row in rows for one in _spread(labels, row)),
    )
    yield from _metric(
        *("all_request_seconds", "summary", "All requests in the logs."),
        _spread({}, summary["total"]),
    )
    yield from _metric(
        *("longest_request_seconds", "gauge", "The longest request."),
        (Sample("", labels, row["max_ms"] / 1000) for labels, row in rows),
    )
    yield from _metric(
        *("slow_requests", "gauge", "Requests of slow_limit_seconds or more."),
        (Sample("", labels, row["slow_calls"]) for labels, row in rows),
    )
    yield from _metric(
        *("slow_limit_seconds", "gauge", "The option --slow."),
        [Sample("", {}, summary["slow_ms"] / 1000)],
    )
    yield from _metric(
        *("db_api_seconds", "gauge", "DB API calls, added up."),
        (
            Sample("", labels, row["db_api"]["ms"] / 1000)
            for labels, row in rows
            if "db_api" in row
        ),
    )
    yield from _metric(
        *("part_seconds", "gauge", "Where the time went, by part."),
        (
            Sample("", {**labels, "part": part}, ms / 1000)
            for labels, row in rows
            for part, ms in row.get("breakdown_ms", {}).items()
        ),
    )
    yield from _metric(
        *("rows_left_out", "gauge", "Rows past the option --limit."),
        [Sample("", {}, summary["rows_more"])],
    )
    if summary["to"] is not None:
        yield from _metric(
            *("last_request_timestamp_seconds", "gauge", "The last one."),
            [Sample("", {}, iso_epoch(summary["to"]) or 0.0)],
        )


def _labels_of(row: dict[str, Any], by: str) -> Labels:
    names = ("method", "route") if by == "route" else (by,)
    return {name: str(row[name]) for name in names}


def _spread(labels: Labels, row: dict[str, Any]) -> Iterator[Sample]:
    """Yield the parts of a summary; without requests it has no quantiles."""
    if row["calls"]:
        for quantile, name in _QUANTILES:
            marked = {**labels, "quantile": quantile}
            yield Sample("", marked, row[name] / 1000)
    yield Sample("_sum", labels, row["total_ms"] / 1000)
    yield Sample("_count", labels, row["calls"])


def _metric(
    name: str, kind: str, meaning: str, samples: Iterable[Sample]
) -> Iterator[str]:
    """Yield a metric's lines; none where it has no sample."""
    head = f"# HELP {_SPACE}_{name} {meaning}\n# TYPE {_SPACE}_{name} {kind}\n"
    for sample in samples:
        yield f"{head}{_SPACE}_{name}{_written(sample)}\n"
        head = ""


def _written(sample: Sample) -> str:
    labels = ",".join(
        f'{name}="{_quoted(value)}"' for name, value in sample.labels.items()
    )
    braces = f"{{{labels}}}" if labels else ""
    return f"{sample.ending}{braces} {float(f'{sample.value:.12g}')!r}"


def _plain(sign: str) -> str:
    if sign == "\n" or (sign.isprintable() and sign != "\\"):
        return sign
    return sign.encode("unicode_escape").decode("ascii")


def _quoted(text: str) -> str:
    """Return a label's value, as the format escapes it.

    What no terminal prints, and what is no UTF-8, is written as in Python;
    so is a backslash, or two rows might become one, which would have the
    whole file refused. For the same reason a long one, which is cut, ends in
    a digest of the whole.
    """
    if len(text) > _LONGEST_LABEL:
        whole = text.encode("utf-8", "surrogatepass")
        digest = blake2b(whole, digest_size=16).hexdigest()
        text = f"{text[:_LONGEST_LABEL]}... {digest}"
    text = "".join(map(_plain, text))
    for sign, instead in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(sign, instead)
    return text
