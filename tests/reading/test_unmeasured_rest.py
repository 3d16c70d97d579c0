# SPDX-License-Identifier: Apache-2.0
"""What no call claims looks measured nowhere, where no clock measured it."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from builders import record, written
from web_pages import still_index

from demo.page.figures import by_route
from nova_profiler.cli import main
from nova_profiler.groups import EITHER, LABELS, PYTHON, WAITING
from nova_profiler.reading.logs.forms.own_records import entry_of
from nova_profiler.reading.over_services.picture import picture_of
from nova_profiler.reading.over_services.reasons import (
    reason_of,
    work_by_holder,
)
from nova_profiler.reading.over_services.relations.served import served_of
from nova_profiler.reading.runs.kept.schema import batches_of
from nova_profiler.web.choice import choice_of
from nova_profiler.web.overview.figures import overview_of

MEASURED = (LABELS[PYTHON.name], LABELS[WAITING.name])


def of_a_greenthread(**fields):
    """Return a request that shared its CPU clock with others."""
    return record(cpu_ms=None, **fields)


@pytest.mark.parametrize("command", ["show", "report"])
def test_the_rest_has_one_name_on_a_terminal(command, tmp_path, capsys):
    """It ran or waited, and that is how it is called."""
    (dump,) = written(tmp_path, of_a_greenthread())
    line = tmp_path / "requests.jsonl"
    line.write_text(json.dumps(of_a_greenthread().to_dict()) + "\n")

    assert main([command, str(dump if command == "show" else line)]) == 0

    shown = capsys.readouterr().out
    assert EITHER.label in shown
    assert not [label for label in MEASURED if label in shown]


def test_it_has_a_column_of_its_own_in_runs():
    """Those of what a clock measured are empty there, not 0."""
    entry = entry_of(of_a_greenthread().to_dict(), "log_file")

    (row,) = pa.Table.from_batches(batches_of([entry], 1)).to_pylist()

    assert row["either_ms"] == 30.0
    assert row["python_ms"] is row["waiting_ms"] is None


def test_it_has_its_name_on_the_pages_of_serve(tmp_path):
    """Slow requests are compared with others by the same parts."""
    slow = {"sql": 4.0, "python": 996.0}
    written(
        tmp_path,
        *[of_a_greenthread(request_id=f"req-{n}") for n in range(10)],
        *[
            of_a_greenthread(duration_ms=1000.0 + n, breakdown_ms=slow)
            for n in range(10)
        ],
    )

    found = overview_of(still_index(tmp_path).rows, choice_of({}), 500.0)

    labels = [part["label"] for part in found.differ["parts"]]
    assert labels == [EITHER.label]
    assert {row.part for row in found.requests} == {EITHER.name}


def test_the_picture_of_a_request_calls_it_both():
    """Where a service had no call that could be the reason."""
    served = served_of(of_a_greenthread(breakdown_ms={"python": 42.5}))
    picture = picture_of("req", [served])
    (stretches,) = work_by_holder(picture, picture.until_answer).values()

    reason = reason_of(picture, stretches)

    assert reason.text == "running or waiting, in no call that is timed"


def test_the_demo_has_no_name_for_it_in_its_answer():
    """The answer has named parts alone."""
    (route,) = by_route([of_a_greenthread()])

    assert EITHER.label in [part.label for part in route.parts()]
    assert [part.name for part in route.largest_named(3)] == [
        "sqlalchemy",
        "sql",
    ]
