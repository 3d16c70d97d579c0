# SPDX-License-Identifier: Apache-2.0
"""Sphinx directives for the tables that the package itself has.

``group-table`` lists the groups, ``bucket-table`` those of the breakdown,
``metric-table`` the names that statsd gets, ``label-table`` their tags: all
from ``nova_profiler.groups``; ``advice-table`` the rules of advice;
``otlp-metric-table``, ``otlp-field-table`` and ``otlp-call-table`` the words
of OpenTelemetry beside ours. So a new source, or a new rule, needs no line
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from nova_profiler import groups
from nova_profiler.capture.sinks.otlp.messages import names
from nova_profiler.reading.advice.rules.table import RULES
from nova_profiler.record.metric_labels import LABELS_OF_KINDS

Row = tuple[str, ...]


def group_rows() -> Iterator[Row]:
    """Yield name and meaning of each group."""
    for group in groups.GROUPS:
        yield f"``{group.name}``", group.meaning


def bucket_rows() -> Iterator[Row]:
    """Yield name, label and group of each bucket."""
    by_bucket = {group.bucket.name: group.name for group in groups.GROUPS}
    for bucket in groups.BUCKETS:
        name = by_bucket.get(bucket.name)
        yield (
            f"``{bucket.name}``",
            bucket.label,
            f"``{name}``" if name else "no group",
        )


def metric_rows() -> Iterator[Row]:
    """Yield the name of each group's metric, and for what it is sent."""
    for group in groups.GROUPS:
        parts = "".join(f".<{part}>" for part in group.metric)
        each = group.noun if group.metric else "request with a call"
        yield (
            f"``<prefix>.<service>.{group.name}{parts}``",
            "timing",
            f"{each} of ``{group.name}``",
        )


def label_rows() -> Iterator[Row]:
    """Yield each group's metric with labels, and its tags."""
    for group in groups.GROUPS:
        tags = ", ".join(f"``{part}``" for part in group.metric)
        yield f"``<prefix>.{group.name}``", tags


def advice_rows() -> Iterator[Row]:
    """Yield each rule of advice: its name, its evidence, its sentence."""
    for rule in RULES:
        sentence = rule.sentence.format(
            about="...", times="5", by="", longest="..."
        )
        evidence = (
            f"{rule.evidence} Of dumps." if rule.of_dumps else rule.evidence
        )
        yield f"``{rule.name}``", evidence, f"{sentence} saves at most"


def otlp_metric_rows() -> Iterator[Row]:
    """Yield each metric of ours, OpenTelemetry's, and the labels of both."""
    for ours, (name, labels) in names.METRICS.items():
        pairs = zip(LABELS_OF_KINDS[ours], labels, strict=True)
        yield (
            f"``{ours}``",
            f"``{name}``",
            ", ".join(f"{one}: ``{theirs}``" for one, theirs in pairs),
        )


def otlp_field_rows() -> Iterator[Row]:
    """Yield each field of a record, and the attribute of its span."""
    for ours, theirs in (
        *names.REQUEST_FIELDS,
        ("status", names.STATUS),
        *names.OWN_REQUEST_FIELDS,
        *names.FIELDS,
        *names.OWN_FIELDS,
        ("breakdown_ms", names.BREAKDOWN + "<bucket>"),
    ):
        yield f"``{ours}``", f"``{theirs}``"


def otlp_call_rows() -> Iterator[Row]:
    """Yield each group, the kind of its spans, and what its words are."""
    for group in groups.GROUPS:
        words = names.words_of(group)
        shown = ", ".join(f"``{word}``" for word in words.attributes)
        yield (
            f"``{group.name}``",
            "client" if words.is_client else "internal",
            shown or "none",
        )


TABLES: dict[str, tuple[Row, Any]] = {
    "group-table": (("group", "what was timed"), group_rows),
    "bucket-table": (("bucket", "as pages call it", "group"), bucket_rows),
    "metric-table": (("name", "type", "for each"), metric_rows),
    "label-table": (("name", "tags"), label_rows),
    "otlp-metric-table": (
        ("kind", "metric", "its labels"),
        otlp_metric_rows,
    ),
    "otlp-field-table": (("record", "attribute"), otlp_field_rows),
    "otlp-call-table": (
        ("group", "span", "the words of its names"),
        otlp_call_rows,
    ),
    "advice-table": (("rule", "evidence", "sentence"), advice_rows),
}


class GroupTable(Directive):
    """The table that the directive's name asks for."""

    def run(self) -> list[nodes.Node]:
        heading, rows = TABLES[self.name]
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in (heading, *rows()):
            for number, cell in enumerate(row):
                lines.append(f"   {'* -' if number == 0 else '  -'} {cell}")
        node = nodes.container()
        source = StringList(lines, source=f"<{self.name}>")
        self.state.nested_parse(source, self.content_offset, node)
        return node.children


def setup(app: Sphinx) -> dict[str, Any]:
    for name in TABLES:
        app.add_directive(name, GroupTable)
    return {"parallel_read_safe": True}
