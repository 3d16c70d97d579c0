# SPDX-License-Identifier: Apache-2.0
"""A table of ClickHouse for records, with its sort key and its TTL.

https://clickhouse.com/docs/engines/table-engines/mergetree-family/mergetree
"""

from __future__ import annotations

from nova_profiler.reading.shipping.columns import (
    AT,
    BOOLEAN,
    INTEGER,
    KEYED,
    MOMENT,
    NUMBER,
    OPEN,
    ROWS,
    STAMP,
    TEXT,
    Column,
    columns,
)
from nova_profiler.reading.shipping.plan import NAME, Plan

_TYPES = {
    TEXT: "String",
    INTEGER: "Int64",
    NUMBER: "Float64",
    MOMENT: "DateTime64(6, 'UTC')",
    BOOLEAN: "Bool",
    # As it is; JSONExtract reads it.
    OPEN: "String",
}
# Where the other times are, and what nothing is asked of.
_NOT_KEPT = (STAMP, "@version", "schema")
# A route of a service over some time is what is asked for most.
_SORT_KEY = ("service", "route", "method", AT)

_TEXT = """\
-- nova-profiler's records: clickhouse-client --multiquery < THIS_FILE
-- To read a log file, with times in ISO 8601 and fields of later releases:
--   clickhouse-client --date_time_input_format best_effort \\
--       --input_format_skip_unknown_fields 1 \\
--       --query 'INSERT INTO {name} FORMAT JSONEachRow' < {log_file}
CREATE TABLE IF NOT EXISTS {name}
(
{columns}
)
ENGINE = MergeTree
PARTITION BY toMonday({at})
ORDER BY ({key})
TTL toDateTime({at}) + INTERVAL {days} DAY DELETE
SETTINGS ttl_only_drop_parts = 1;
"""


def text(plan: Plan) -> str:
    """Return the statement that makes the table."""
    lines = [
        f"    `{one.name}` {_type_of(one)}"
        for one in columns()
        if one.name not in _NOT_KEPT
    ]
    return _TEXT.format(
        name=NAME,
        log_file=plan.log_file,
        columns=",\n".join(lines),
        key=", ".join(_SORT_KEY),
        at=AT,
        days=plan.days,
    )


def _type_of(column: Column) -> str:
    if column.kind == ROWS:
        return f"Array({_tuple(column.fields)})"
    if column.kind == KEYED:
        return f"Map(LowCardinality(String), {_value_of(column)})"
    found = _TYPES[column.kind]
    if column.is_null and column.kind != OPEN:
        found = f"Nullable({found})"
    return f"LowCardinality({found})" if column.has_few else found


def _value_of(column: Column) -> str:
    if column.fields[0].name:
        return _tuple(column.fields)
    return _type_of(column.fields[0])


def _tuple(fields: tuple[Column, ...]) -> str:
    inner = ", ".join(f"`{one.name}` {_type_of(one)}" for one in fields)
    return f"Tuple({inner})"
