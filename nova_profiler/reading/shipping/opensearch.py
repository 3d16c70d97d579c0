# SPDX-License-Identifier: Apache-2.0
"""An index template of OpenSearch: mappings of a data stream of records.

Elasticsearch takes it as well.
https://docs.opensearch.org/latest/im-plugin/index-templates/
"""

from __future__ import annotations

import json
from typing import Any

from nova_profiler.reading.shipping.columns import (
    BOOLEAN,
    INTEGER,
    KEYED,
    MOMENT,
    NUMBER,
    OPEN,
    ROWS,
    TEXT,
    Column,
    columns,
)
from nova_profiler.reading.shipping.plan import NAME, STREAM, Plan

# The longest text that is in the index; longer ones are in the source alone.
_MOST_TEXT = 1024
_TYPES: dict[str, dict[str, Any]] = {
    TEXT: {"type": "keyword", "ignore_above": _MOST_TEXT},
    INTEGER: {"type": "long"},
    NUMBER: {"type": "double"},
    MOMENT: {"type": "date"},
    BOOLEAN: {"type": "boolean"},
    # In the source as it came, and in no index.
    OPEN: {"type": "object", "enabled": False},
}


def text(plan: Plan) -> str:
    """Return the template, JSON, as ``PUT _index_template/NAME`` takes it."""
    template = {
        "index_patterns": [f"{STREAM.rpartition('-')[0]}-*"],
        "data_stream": {},
        "priority": 500,
        "template": {
            "settings": {"index": {"codec": "best_compression"}},
            "mappings": {
                # What a later release adds is kept, and makes no field.
                "dynamic": False,
                "properties": _properties(columns()),
            },
        },
        "_meta": {"description": f"records of {NAME}"},
    }
    return json.dumps(template, indent=2) + "\n"


def _properties(fields: tuple[Column, ...]) -> dict[str, Any]:
    return {one.name: _mapping(one) for one in fields}


def _mapping(column: Column) -> dict[str, Any]:
    if column.kind == ROWS:
        # Its fields belong together: a query may ask for both of a row.
        return {"type": "nested", "properties": _properties(column.fields)}
    if column.kind == KEYED:
        return {"properties": {k: _value_of(column) for k in column.keys}}
    return _TYPES[column.kind]


def _value_of(column: Column) -> dict[str, Any]:
    if column.fields[0].name:
        return {"properties": _properties(column.fields)}
    return _mapping(column.fields[0])
