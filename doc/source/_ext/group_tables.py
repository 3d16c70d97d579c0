# SPDX-License-Identifier: Apache-2.0
"""Sphinx directives for the tables that the package itself has.

``group-table`` lists the groups, ``bucket-table`` those of the breakdown,
``metric-table`` the names that statsd gets, ``label-table`` their tags: all
from ``nova_profiler.groups``; ``advice-table`` the rules of advice. So a new
source, or a new rule, needs no line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from nova_profiler import groups
from nova_profiler.reading.advice.rules.table import RULES

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
        sentence = rule.sentence.format(about="...", times="5", by="")
        evidence = (
            f"{rule.evidence} Of dumps." if rule.of_dumps else rule.evidence
        )
        yield f"``{rule.name}``", evidence, f"{sentence} saves at most"


TABLES: dict[str, tuple[Row, Any]] = {
    "group-table": (("group", "what was timed"), group_rows),
    "bucket-table": (("bucket", "as pages call it", "group"), bucket_rows),
    "metric-table": (("name", "type", "for each"), metric_rows),
    "label-table": (("name", "tags"), label_rows),
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
