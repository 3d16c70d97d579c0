# SPDX-License-Identifier: Apache-2.0
"""The requests of a history's runs are rows; a damaged run is named."""

from __future__ import annotations

from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logged import keep_run, log_file_line, request_id, write_log, wsgi_line
from web_pages import asked

from nova_profiler.web.application import Pages
from nova_profiler.web.guard import Guard
from nova_profiler.web.index import Index
from nova_profiler.web.tables.histories import HistorySource


@pytest.fixture
def history(tmp_path):
    directory = tmp_path / "history"
    log = write_log(tmp_path / "a.log", wsgi_line(1), wsgi_line(3, 7.0, 500))
    keep_run(directory, "first", log)
    log = write_log(tmp_path / "b.log", wsgi_line(2), wsgi_line(4))
    keep_run(directory, "second", log)
    return directory


def read(directory, **more):
    """Return the index of all runs that are there now."""

    def source(number, names, keeper):
        return HistorySource(number, str(directory), names, keeper)

    index = Index([], more=[source], **more)
    index.look_up_names()
    index.read_heads()
    return index


def test_runs_are_one_table(history):
    """In the order of time, each row with its run in its key."""
    index = read(history)

    assert [row.key for row in index.rows] == [
        f"0/second/1.{request_id(4)}",
        f"0/first/1.{request_id(3)}",
        f"0/second/0.{request_id(2)}",
        f"0/first/0.{request_id(1)}",
    ]
    assert [index.row(row.key) for row in index.rows] == list(index.rows)
    row = index.rows[1]
    assert (row.title, row.duration_ms) == ("GET /v2.1/servers/detail", 7.0)
    assert (row.status, row.is_failed, row.service) == (500, True, "nova-api")
    assert row.started_at == "2026-11-10T10:00:02.993+00:00"
    assert index.progress.is_done


def test_parts_come_from_the_columns_of_a_run(tmp_path):
    """The largest first, without those that took nothing."""
    parts = {"sql": 20.0, "python": 70.0, "lock": 0.0}
    log = write_log(
        tmp_path / "a", log_file_line(1, breakdown_ms=parts), wsgi_line(1)
    )
    keep_run(tmp_path / "history", "first", log)

    plain, with_parts = read(tmp_path / "history").rows

    assert with_parts.parts == (("python", 70.0), ("sql", 20.0))
    assert with_parts.part == "python"
    assert (plain.parts, plain.part) == ((), "")


def test_what_a_log_has_a_run_has(tmp_path, history):
    """Rows of both are equal but for their keys."""
    from nova_profiler.web.tables.logs import LogSource

    def source(number, names, keeper):
        return LogSource(number, [str(tmp_path / "b.log")], names, keeper)

    of_log = Index([], more=[source])
    of_log.look_up_names()
    of_log.read_heads()

    of_run = [row for row in read(history).rows if "second" in row.key]

    assert [row._replace(key="") for row in of_log.rows] == [
        row._replace(key="") for row in of_run
    ]


def test_new_runs_appear_and_removed_ones_go(tmp_path, history):
    """Without another start."""
    index = read(history)
    log = write_log(tmp_path / "c.log", wsgi_line(9))
    keep_run(history, "third", log)
    (history / "run=first").rename(tmp_path / "gone")

    index.look_up_names()
    assert not index.progress.is_done
    index.read_heads()

    assert [row.key.split("/")[1] for row in index.rows] == [
        "third",
        "second",
        "second",
    ]


def test_damaged_runs_are_problems_and_the_others_fine(history):
    """Of Parquet that is none, and of a manifest."""
    [part] = (history / "run=first").glob("*.parquet")
    part.write_bytes(b"PAR1" + b"x" * 500 + b"PAR1")
    (history / "run=third").mkdir()

    index = read(history)

    assert [row.key.split("/")[1] for row in index.rows] == ["second"] * 2
    problems = " ".join(index.progress.problems)
    assert "run first: is damaged" in problems
    assert "run third: has no _run.json" in problems


def changed(history, name, values):
    """Put *values* into a column of a run, as its file has them."""
    [part] = (history / "run=second").glob("*.parquet")
    table = pq.ParquetFile(part).read()
    at = table.schema.get_field_index(name)
    field = table.schema.field(at)
    column = pa.array(values, pa.int64() if name == "at" else field.type)
    pq.write_table(table.set_column(at, field, column.cast(field.type)), part)


@pytest.mark.parametrize("ms", [1e30, 1e308, -1.0, float("nan"), None])
def test_a_time_that_cannot_be_added_up_is_damage(history, ms):
    """One row would be the whole of each picture, or more than a number."""
    changed(history, "ms", [ms, 1.0])

    index = read(history)

    assert {row.key.split("/")[1] for row in index.rows} == {"first"}
    assert "a time that cannot be" in index.progress.problems[0]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("route", "GET no route"),
        ("method", "no method /v2.1/servers/detail"),
    ],
)
def test_a_request_without_a_name_is_shown_as_one(history, name, title):
    """It can be chosen, alone and as a route of the overview."""
    changed(history, name, [None, None])

    pages = Pages(read(history), Guard([], ""), 1000.0)
    pages.index.start = lambda: None
    page = asked(pages, "/").text
    query = urlencode({"route": title})
    chosen = asked(pages, f"/?{query}&format=json").json

    assert f'href="route?{query}">{title}</a>' in page
    assert f'class="name">{title}</td>' in page
    assert chosen["total"]["requests"] == 2
    assert {row["title"] for row in chosen["requests"]} == {title}


def test_an_end_that_cannot_be_is_none(history):
    """As in a log: the row stays, without a time."""
    changed(history, "at", [2**62, -(2**62)])

    rows = [row for row in read(history).rows if "second" in row.key]

    assert [row.started_at for row in rows] == ["", ""]


def test_nothing_of_a_history_is_changed(history):
    """Not even what a dead process left behind."""
    (history / ".removed-1234").mkdir()
    before = sorted(history.rglob("*"))

    read(history)

    assert sorted(history.rglob("*")) == before


def test_runs_that_there_is_no_room_for_are_counted(history):
    """The newest run stays."""
    index = read(history, most_records=3)

    assert {row.key.split("/")[1] for row in index.rows} == {"second"}
    assert index.progress.left_out == 2


def test_a_history_that_vanished_is_a_problem(history, tmp_path):
    """The pages go on, and have the reason."""
    index = read(history)
    history.rename(tmp_path / "gone")

    index.look_up_names()
    index.read_heads()

    assert len(index.rows) == 0
    assert "No such file" in index.progress.problems[0]
