# SPDX-License-Identifier: Apache-2.0
"""What only a dump holds: its statements and its timeline."""

from __future__ import annotations

import json

import pytest
from executing import Cursor, executed
from hypothesis import given
from hypothesis import strategies as st
from serving import recorded

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import Capture, handing_of
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.current import LaneCall, current_lane
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.lanes import PieceLane
from nova_profiler.capture.record_making.dump_details import fill_details
from nova_profiler.record import MOST, RequestRecord


def statement(text, rows=-1, many=False, fails=False):
    """Execute *text*; the driver counts *rows*, or fails."""

    def driver():
        if fails:
            raise LookupError("x")

    try:
        executed(text, driver, Cursor(rows), many)
    except LookupError:
        assert fails


def dumped(work, **options):
    """Return the record of *work* with all its details."""
    return recorded(work, dump_dir="x", dump_when=("all",), **options)


def test_texts_that_differ_in_values_are_one_statement():
    """Values are gone, so the N+1 of a loop shows as one row."""

    def work():
        for number in range(5):
            statement(
                f"SELECT a FROM t WHERE b = {number} AND c = 'x{number}'"
            )

    record = dumped(work)
    (row,) = record.statements

    assert row.statement == "SELECT a FROM t WHERE b = ? AND c = ?"
    assert (row.name, row.count) == ("SELECT t", 5)
    assert {entry.statement for entry in record.timeline} == {0}


def test_lanes_share_the_statements():
    """The same text in three threads is one row; the timeline tells them."""

    def work():
        statement("SELECT a FROM t")
        for _ in range(2):
            LaneCall(current_lane().capture, statement)("SELECT a FROM t")

    record = dumped(work)

    assert [row.count for row in record.statements] == [3]
    assert [entry.lane for entry in record.timeline] == [0, 1, 2]


def test_a_piece_that_a_profiler_saw_has_its_lane():
    """Also one that goes on; those without calls come behind the others."""
    capture = Capture(NothingServed(), 100)
    key = CallKey("timed", "work")
    lanes = [PieceLane(capture) for _ in range(4)]
    for piece, lane in zip((11, 22, 0, 44), lanes, strict=True):
        handing_of(capture)
        capture.has_added(lane)
        lane.piece = piece
    lanes[0].ended = True
    for lane in lanes[1:3]:
        lane.add(key, (capture.started, capture.started + 1, 0))
    capture.close()
    late = PieceLane(capture)
    capture.has_added(late)
    record = RequestRecord()
    record.lanes_of_pieces = {}

    fill_details(record, capture)

    assert [entry.lane for entry in record.timeline] == [1, 2]
    assert record.lanes_of_pieces == {11: 3, 22: 1, 44: 4}


def test_an_own_lane_without_calls_still_is_lane_0():
    """Threads are numbered from 1, whoever did the work."""

    def work():
        LaneCall(current_lane().capture, statement)("SELECT a FROM t")

    assert [entry.lane for entry in dumped(work).timeline] == [1]


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        (0, 0),
        (7, 7),
        (10**15 - 1, 10**15 - 1),
        (-1, None),
        (None, None),
        # PyMySQL's word for it.
        (2**64 - 1, None),
        (2**63, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        ("7", None),
        (True, None),
        ([], None),
    ],
)
@pytest.mark.parametrize("most", [0, 2_000])
def test_rows_are_what_the_driver_counted_or_null(rows, known, most):
    """Drivers have several words for not having counted."""

    def work():
        for _ in range(260):
            statement("UPDATE t SET a = 1", rows)

    record = dumped(work, max_calls=most)

    assert {entry.rows for entry in record.timeline} <= {known}
    total = None if known is None else 260 * known
    total = total if total is not None and total < MOST else None
    assert [row.rows for row in record.statements] == [total]
    json.dumps(record.to_dict(), allow_nan=False)
    assert RequestRecord.from_dict(record.to_dict()).statements


@given(st.lists(st.sampled_from([0, 1, 3, -1, None, 2**64 - 1]), min_size=1))
def test_rows_are_known_if_those_of_all_executions_are(counted):
    """A sum of a part would be a number that is not so."""

    def work():
        for rows in counted:
            statement("UPDATE t SET a = 1", rows)

    (row,) = dumped(work).statements

    known = [rows for rows in counted if rows in (0, 1, 3)]
    assert row.rows == (sum(known) if known == counted else None)


def test_failed_and_many():
    """Errors by call and by statement; executemany by statement."""

    def work():
        statement("INSERT INTO t VALUES (?)", 2, many=True)
        statement("INSERT INTO t VALUES (?)", fails=True)
        statement("INSERT INTO t VALUES (?)", 1)

    record = dumped(work)
    (row,) = record.statements

    assert (row.count, row.errors, row.executemany, row.rows) == (3, 1, 1, 3)
    assert [e.error for e in record.timeline] == [None, "LookupError", None]


@pytest.mark.parametrize("most", [0, 1, 300, 5_000])
def test_the_timeline_ends_where_it_was_told_to(most):
    """Its first calls are there; the figures are of all of them."""

    def work():
        for _ in range(1_000):
            statement("SELECT a FROM t", 1)

    record = dumped(work, max_calls=most)

    assert len(record.timeline) == min(most, 1_000)
    assert record.dropped_calls == 1_000 - len(record.timeline)
    assert [row.count for row in record.statements] == [1_000]
    starts = [entry.start_ms for entry in record.timeline]
    assert starts == sorted(starts)


def test_an_unusual_driver_fails_no_statement(caplog):
    """A cursor that cannot tell its rows: logged once, then counted."""

    class Odd:
        @property
        def rowcount(self):
            raise NotImplementedError("token=secret")

    def work():
        for _ in range(3):
            executed("SELECT 1", cursor=Odd())
        statement("SELECT a FROM t")

    record = dumped(work)

    assert record.outcome == "ok"
    assert len(caplog.records) <= 1
    assert "secret" not in caplog.text
    assert "SELECT a FROM t" in [row.statement for row in record.statements]


def test_db_api_calls_are_listed_in_their_order():
    """Over all lanes, outermost calls only, for the lines of log_calls."""

    def named(name, work=lambda: None):
        key = CallKey("db_api", name, f"nova.db.main.api.{name}")
        db_api_calls.timed(work, key)()

    def work():
        named("one", lambda: named("nested"))
        LaneCall(current_lane().capture, named)("two")
        named("three")

    record = recorded(work, log_calls=True)

    assert [label for label, _ in record.db_api_calls] == [
        "nova.db.main.api.one",
        "nova.db.main.api.two",
        "nova.db.main.api.three",
    ]


@pytest.mark.parametrize("most", [0, 300, 5_000])
def test_rows_are_exact_however_many_statements(most):
    """Also of those that the timeline has no room for."""

    def work():
        for _ in range(1_000):
            statement("SELECT a FROM t", rows=2)
            statement("SELECT a FROM u", rows=-1)

    record = dumped(work, max_calls=most)

    assert [row.rows for row in record.statements] == [2_000, None]


def test_each_call_knows_the_call_around_it():
    """In its lane; a statement of another thread has none of ours."""
    get = db_api_calls.timed(
        lambda: statement("SELECT a FROM t"), CallKey("db_api", "get")
    )

    def update():
        get()
        LaneCall(current_lane().capture, get)()
        statement("UPDATE t SET a = 1")

    def work():
        db_api_calls.timed(update, CallKey("db_api", "update"))()
        statement("SELECT b FROM t")

    timeline = dumped(work).timeline
    names = {entry.id: entry.name for entry in timeline}

    assert [entry.id for entry in timeline] == list(range(len(timeline)))
    assert [
        (entry.lane, entry.name, names.get(entry.parent)) for entry in timeline
    ] == [
        (0, "update", None),
        (0, "get", "update"),
        (0, "SELECT t", "get"),
        (1, "get", None),
        (1, "SELECT t", "get"),
        (0, "UPDATE t", "update"),
        (0, "SELECT t", None),
    ]


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6))
def test_a_parent_stands_before_its_calls_and_contains_them(shape):
    """However deep, and where clocks do not move between two calls."""

    def call(depths):
        if depths:
            db_api_calls.timed(
                lambda: call(depths[1:]), CallKey("db_api", f"n{depths[0]}")
            )()

    timeline = dumped(lambda: [call(depths) for depths in shape]).timeline

    for entry in timeline:
        if entry.parent is not None:
            around = timeline[entry.parent]
            assert around.id < entry.id
            assert around.start_ms <= entry.start_ms
            end_ms = entry.start_ms + entry.ms
            assert end_ms <= around.start_ms + around.ms + 1e-5
    assert sum(entry.parent is None for entry in timeline) == sum(
        map(bool, shape)
    )
