# SPDX-License-Identifier: Apache-2.0
"""A request's figures, from real calls of the hooks on clocks of our own."""

from __future__ import annotations

import pytest
from executing import Cursor, executed
from hypothesis import example, given, settings
from hypothesis import strategies as st
from serving import Profiled, added_up, calls_of, during, set_clock
from thread_clocks import Clocks, record_of

from nova_profiler.capture import captures
from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import LaneCall, current_lane
from nova_profiler.capture.hooks import timed_callables
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.record_making import totals
from nova_profiler.capture.sinks.statsd_sink import MAX_DATAGRAM, StatsdSink
from nova_profiler.capture.timing import call_timed
from nova_profiler.record import OK

KEYS = {name: CallKey("db_api", name) for name in ("get", "update", "destroy")}
TIMED = CallKey("timed", "module.function")


class Ticking(Clocks):
    """Clocks that are never twice at one moment, as real ones."""

    def __call__(self) -> float:
        self.now += 1e-9
        return self.now


@pytest.fixture
def spender(monkeypatch):
    made = Clocks()
    made.put(monkeypatch)
    return made


def db_api(name, work):
    """Run *work* as a call of the DB API function *name*."""
    return db_api_calls.timed(work, KEYS[name])()


def statement(spender, seconds):
    """Spend *seconds* as a statement does."""
    executed("SELECT 1", lambda: spender.spend(seconds), Cursor(1))


# -- waiting ---------------------------------------------------------------


def test_waiting_inside_a_db_api_call(spender):
    """4 s of the call, 1 of them run: 3 s waited, 1 s SQLAlchemy."""

    def work():
        spender.spend(2.0, 2.0)
        db_api("get", lambda: spender.spend(4.0, 1.0))
        spender.spend(1.0, 1.0)

    record = record_of(work)

    assert record.breakdown_ms == pytest.approx(
        {"sqlalchemy": 1000, "waiting": 3000, "python": 3000}
    )
    assert record.cpu_ms == pytest.approx(4000)


def test_waiting_between_calls(spender):
    """Off the processor with no call open."""

    def work():
        db_api("get", lambda: spender.spend(1.0, 1.0))
        spender.spend(5.0, 1.0)
        db_api("get", lambda: spender.spend(1.0, 1.0))

    record = record_of(work)

    assert record.breakdown_ms == pytest.approx(
        {"sqlalchemy": 2000, "waiting": 4000, "python": 1000}
    )


def test_running_all_the_time_is_no_waiting(spender):
    """Clocks are never read at the same moment: a hair is not a wait."""

    def work():
        for _ in range(50):
            spender.spend(0.010_01, 0.01)
            db_api("get", lambda: spender.spend(0.010_01, 0.01))

    record = record_of(work)

    assert record.breakdown_ms.get("waiting", 0.0) <= 1.0
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


# -- all kinds of requests -------------------------------------------------

MICROSECONDS = st.integers(0, 5_000_000).map(lambda us: us / 1e6)
LEAVES = st.tuples(
    st.sampled_from(["spend", "statement"]), MICROSECONDS, MICROSECONDS
)
NAMES = st.sampled_from(sorted(KEYS))
STEPS = st.recursive(
    st.lists(LEAVES, max_size=3),
    lambda inner: st.lists(
        st.one_of(
            LEAVES,
            st.tuples(st.sampled_from(["call", "fail"]), NAMES, inner),
            st.tuples(st.sampled_from(["timed", "lane"]), inner),
        ),
        max_size=4,
    ),
    max_leaves=12,
)


def timed(work):
    """Run *work* as a callable that an operator named."""
    return timed_callables._timed(work, TIMED)()


def failing(work):
    work()
    raise LookupError("told to")


def run(steps, spender):
    """Do *steps*, each inside the one that holds it."""
    for kind, *rest in steps:
        inner = rest[-1]
        if kind == "spend":
            spender.spend(rest[0], min(rest))
        elif kind == "statement":
            statement(spender, rest[0])
        elif kind == "call":
            db_api(rest[0], lambda inner=inner: run(inner, spender))
        elif kind == "timed":
            timed(lambda inner=inner: run(inner, spender))
        elif kind == "lane":
            capture = current_lane().capture
            LaneCall(capture, run)(inner, spender)
        else:
            with pytest.raises(LookupError, match="told to"):
                db_api(
                    rest[0],
                    lambda inner=inner: failing(lambda: run(inner, spender)),
                )


def by_innermost(steps, around=()):
    """Return (bucket, seconds) of each moment of *steps*, by what holds it.

    A DB API function inside another one is a part of it, also where a
    function of another group stands between: then of that.
    """
    for kind, *rest in steps:
        if kind == "spend":
            yield bucket_within(around), rest[0]
        elif kind == "statement":
            yield "sql", rest[0]
        else:
            yield from by_innermost(rest[-1], (*around, kind))


def bucket_within(around):
    """Return the bucket of a moment that *around* hold, outermost first."""
    database = [kind in ("call", "fail") for kind in around]
    if True in database and "timed" in around[database.index(True) :]:
        return "timed"
    if True in database:
        return "sqlalchemy"
    return "timed" if "timed" in around else None


def has_lane(steps):
    return any(
        kind == "lane"
        or (kind not in ("spend", "statement") and has_lane(rest[-1]))
        for kind, *rest in steps
    )


def called(steps):
    """Return how many calls *steps* hold, of all groups."""
    count = 0
    for kind, *rest in steps:
        count += kind not in ("spend", "lane")
        if kind not in ("spend", "statement"):
            count += called(rest[-1])
    return count


@example(
    # A call of the same group within one of another, all without a driver.
    steps=[
        (
            "call",
            "destroy",
            [("timed", [("call", "destroy", [("spend", 0.02, 0.0)])])],
        )
    ],
    max_calls=100,
    chunk=256,
)
@example(
    # Two calls at once, of which only their sum was kept.
    steps=[
        (
            "call",
            "destroy",
            [
                (
                    "lane",
                    [
                        ("call", "destroy", []),
                        ("call", "destroy", [("spend", 2e-06, 0.0)]),
                    ],
                )
            ],
        )
    ],
    max_calls=0,
    chunk=2,
)
@given(STEPS, st.sampled_from([0, 3, 2000]), st.sampled_from([2, 256]))
@settings(deadline=None, max_examples=200)
def test_whatever_a_request_does_it_adds_up(steps, max_calls, chunk):
    """Nested, failed, in lanes beside: the parts make the whole."""
    spender = Ticking()
    with pytest.MonkeyPatch.context() as patching:
        set_clock(patching, spender)
        set_clock(patching, lambda: spender.cpu, "thread_time")
        # How many of a name are kept before they are added up.
        set_clock(patching, chunk, "CHUNK_CALLS")
        record = record_of(
            lambda: run(steps, spender),
            max_calls=max_calls,
            dump_dir="x",
            dump_when=("all",),
        )

    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)
    assert min(record.breakdown_ms.values()) >= 0.0
    assert sum(calls.count for calls in record.calls) == called(steps)
    assert len(record.timeline) + record.dropped_calls == called(steps)
    for group in record.groups.values():
        assert -0.001 <= group.wall_ms <= group.ms + 0.001
        assert group.wall_ms <= record.duration_ms + 0.001
    for calls in record.calls:
        assert calls.max_ms <= calls.ms + 0.001
        assert 0 <= calls.errors <= calls.count
        assert 0 <= calls.nested <= calls.count
    assert record.outcome == OK
    if not has_lane(steps) and "breakdown_of_own_lane" not in record.counts:
        assert_innermost(record, steps)


def assert_innermost(record, steps):
    """Running or waiting, each moment is that of the innermost call."""
    expected: dict[str, float] = {}
    for bucket, seconds in by_innermost(steps):
        expected[bucket] = expected.get(bucket, 0.0) + seconds * 1000
    for bucket in ("sql", "timed"):
        assert record.breakdown_ms.get(bucket, 0.0) == pytest.approx(
            expected.get(bucket, 0.0), abs=0.001
        )


@pytest.mark.parametrize("name", ["gc", "lock", "log", "timed"])
def test_what_goes_on_inside_a_statement_is_its_own(spender, name):
    """A driver makes objects until the collector runs, and may log."""
    key = CallKey(name, "inside")

    def driver():
        spender.spend(0.5)
        call_timed(current_lane(), key, spender.spend, (2.0, 2.0), {})
        spender.spend(0.5)

    def work():
        executed("SELECT 1", driver, Cursor(1))
        # Nothing of this waited, as the statement did before the call.
        spender.spend(4.0, 4.0)

    record = record_of(work)

    assert record.breakdown_ms == pytest.approx(
        {"sql": 1_000.0, name: 2_000.0, "python": 4_000.0}
    )


@pytest.mark.parametrize("max_calls", [2_000, 0])
def test_many_calls_keep_their_place_in_the_breakdown(spender, max_calls):
    """A thousand of one name, of a group outside the database."""

    def work():
        for _ in range(1_000):
            timed(lambda: spender.spend(0.001))
            statement(spender, 0.002)

    record = record_of(work, max_calls=max_calls)

    assert record.breakdown_ms == pytest.approx(
        {"timed": 1_000.0, "sql": 2_000.0, "python": 0.0}
    )
    assert record.counts == {}


# -- totals ----------------------------------------------------------------


def test_totals_by_name(spender):
    """How many, how long, the longest, the driver's part."""

    def work():
        db_api("get", lambda: spender.spend(1.0))
        db_api("get", lambda: statement(spender, 3.0))
        db_api("update", lambda: spender.spend(2.0))

    record = record_of(work)
    calls = calls_of(record, "db_api")

    assert calls["get"] == pytest.approx(
        ("db_api", "get", 2, 4000, 3000, 0, 0, 3000)
    )
    assert calls["update"].ms == pytest.approx(2000)
    assert record.groups["db_api"] == pytest.approx((3, 6000, 6000))
    assert record.groups["sql"] == pytest.approx((1, 3000, 3000))
    assert record.breakdown_ms["sql"] == pytest.approx(3000)


def test_what_a_request_needs_seldom_is_its_own():
    """Errors and tallies are made late, and never shared by requests."""

    def fail():
        raise KeyError("no such row")

    def work():
        for _ in range(300):
            with pytest.raises(KeyError):
                db_api("get", fail)

    failed = record_of(work)
    after = record_of(lambda: db_api("get", lambda: None))

    get = calls_of(failed, "db_api")["get"]
    assert (get.count, get.errors) == (300, 300)
    get = calls_of(after, "db_api")["get"]
    assert (get.count, get.errors) == (1, 0)


def test_the_order_of_the_timeline_is_that_of_the_calls(spender):
    """By when they began, the outer one first."""

    def outer():
        spender.spend(1.0)
        db_api("get", lambda: spender.spend(1.0))

    def work():
        spender.spend(0.5)
        db_api("update", outer)
        db_api("destroy", lambda: spender.spend(1.0))

    record = record_of(work, dump_dir="x", dump_when=("all",))
    shown = [
        (e.name, round(e.start_ms), round(e.ms), e.nested)
        for e in record.timeline
    ]

    assert shown == [
        ("update", 500, 2000, False),
        ("get", 1500, 1000, True),
        ("destroy", 2500, 1000, False),
    ]


@pytest.mark.parametrize("labels", ["none", "dogstatsd"])
def test_metrics_of_a_hundred_thousand_calls_are_few(spender, labels):
    """Sample rates make their number right; a datagram keeps its size."""
    sent = []
    sink = StatsdSink(sent.append, "nova", "nova-api", labels)

    def work():
        for _ in range(100_000):
            db_api("get", lambda: spender.spend(0.001))

    profiled = Profiled(during(work), sink)
    profiled.get()
    lines = "\n".join(sent).splitlines()
    own = [line for line in lines if "db_api" in line]

    assert len(sent) <= 3
    assert max(map(len, sent)) <= MAX_DATAGRAM
    assert len(own) <= 12
    assert sum(counted(line) for line in own) == pytest.approx(
        100_000, rel=1e-6
    )
    assert calls_of(profiled.record, "db_api")["get"].count == 100_000
    assert profiled.record.groups["db_api"].ms == pytest.approx(100_000)


def counted(line):
    """Return how many calls a statsd line stands for."""
    rates = [part[1:] for part in line.split("|") if part.startswith("@")]
    return 1 / float(rates[0]) if rates else 1


def test_a_lane_that_begins_while_the_record_is_made_loses_nothing(
    monkeypatch,
):
    """A pool's thread takes up its work just then."""
    captures = []
    as_it_is = totals.named_calls

    def named_and_begun(lane):
        captures[0].new_lane()
        return as_it_is(lane)

    monkeypatch.setattr(totals, "named_calls", named_and_begun)

    def work():
        captures.append(current_lane().capture)
        db_api("get", lambda: None)

    record = record_of(work)

    assert calls_of(record, "db_api")["get"].count == 1


def test_pieces_of_work_beyond_the_most_lanes_count_once(monkeypatch):
    """However many calls each of them makes."""
    monkeypatch.setattr(captures, "MAX_LANES", 1)

    def piece():
        for _ in range(10):
            db_api("get", lambda: None)

    def work():
        capture = current_lane().capture
        for _ in range(5):
            LaneCall(capture, piece)()

    record = record_of(work)

    assert record.counts["lanes_missing"] == 5
    assert record.calls == []
