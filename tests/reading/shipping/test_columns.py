# SPDX-License-Identifier: Apache-2.0
"""The fields of a line, as those that store it want to know them."""

from __future__ import annotations

import json

from builders import record, slow_rebuild

from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.groups import GROUPS
from nova_profiler.reading.shipping.columns import (
    AT,
    IDS,
    INTEGER,
    KEYED,
    LABELS,
    MOMENT,
    OPEN,
    ROWS,
    STAMP,
    Column,
    columns,
)

BY_NAME = {one.name: one for one in columns()}


def test_every_field_of_a_line_is_a_column():
    """Those that are always there first of all."""
    for made in (record(), slow_rebuild()):
        assert json.loads(line_of(made)).keys() <= BY_NAME.keys()


def test_each_has_the_kind_of_its_values():
    """Moments, rows, values by key, and what is left as it is."""
    assert BY_NAME[AT] == Column(AT, MOMENT)
    assert BY_NAME[STAMP].kind == MOMENT
    assert BY_NAME["status"] == Column("status", INTEGER)
    assert BY_NAME["profile"] == Column("profile", OPEN, is_null=True)
    assert BY_NAME["cpu_ms"].is_null
    assert BY_NAME["wait_ms"].is_null
    assert not BY_NAME["duration_ms"].is_null


def test_rows_and_values_by_key_have_fields():
    """A group is an object with three figures, a part of the time one."""
    groups, parts = BY_NAME["groups"], BY_NAME["breakdown_ms"]

    assert groups.kind == parts.kind == KEYED
    assert groups.keys == tuple(group.name for group in GROUPS)
    assert [one.name for one in groups.fields] == ["calls", "ms", "wall_ms"]
    assert [one.name for one in parts.fields] == [""]
    assert BY_NAME["calls"].kind == ROWS
    assert "driver_ms" in [one.name for one in BY_NAME["calls"].fields]


def test_what_is_chosen_by_name_exists():
    """Labels have few values; ids are none of them."""
    assert {AT, STAMP, *LABELS, *IDS} <= BY_NAME.keys()
    assert all(BY_NAME[name].has_few for name in LABELS)
    assert not any(BY_NAME[name].has_few for name in IDS)
