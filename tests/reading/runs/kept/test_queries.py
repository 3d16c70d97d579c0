# SPDX-License-Identifier: Apache-2.0
"""Queries of kept runs, against the same worked out by hand."""

from __future__ import annotations

import random
import statistics
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_builders import entry, kept

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.report.durations import Batch, Durations
from nova_profiler.reading.runs.kept import (
    engines,
    queries,
    schema,
    store,
    writing,
)
from nova_profiler.reading.runs.kept.engines import (
    engine_at,
    requests_of,
    rows_of,
)
from nova_profiler.reading.runs.kept.queries import SidesFigures


@pytest.fixture
def backend():
    """Return the engine inside."""
    with engine_at() as backend:
        yield backend


@pytest.fixture
def asked(backend, tmp_path):
    """Return a function from name to entries to name to table."""

    def ask(**runs):
        history = kept(tmp_path, **runs)
        return {
            run.name: requests_of(backend, tmp_path, [run])
            for run in history.runs()
        }

    return ask


def test_runs_of_an_older_schema_are_read_beside_new_ones(
    backend, tmp_path, monkeypatch
):
    """What they have no column for is not known of them."""
    columns = schema.COLUMNS
    older = columns.remove(columns.get_field_index("http_ms"))
    place = schema.PARTS.index("http")
    arrays = schema._arrays
    with monkeypatch.context() as before:
        before.setattr(schema, "COLUMNS", older)
        before.setattr(writing, "COLUMNS", older)
        before.setattr(store, "SCHEMA", 1)
        before.setattr(
            schema,
            "_arrays",
            lambda some: [
                one
                for number, one in enumerate(arrays(some))
                if number != len(schema._ENTRY_COLUMNS) + place
            ],
        )
        kept(tmp_path, old=[entry(1.0, breakdown_ms={"sql": 1.0})])
    history = kept(tmp_path, new=[entry(4.0, breakdown_ms={"http": 3.0})])

    runs = history.runs()
    requests = requests_of(backend, tmp_path, runs)
    rows = rows_of(requests.select("run", "ms", "sql_ms", "http_ms"))

    assert {run.name: run.schema for run in runs} == {
        "old": 1,
        "new": schema.SCHEMA,
    }
    assert {tuple(row.values()) for row in rows} == {
        ("old", 1.0, 1.0, None),
        ("new", 4.0, None, 3.0),
    }


def test_levels_are_those_of_each_run(backend, tmp_path):
    """A failed request does not show how long the work takes."""
    history = kept(
        tmp_path,
        one=[entry(ms) for ms in (1.0, 2.0, 4.0)] + [entry(99.0, status=500)],
        two=[entry(5.0)],
    )

    requests = requests_of(backend, tmp_path, history.runs())
    found = {row["run"]: row for row in rows_of(queries.levels(requests))}

    assert found["one"]["calls"] == 3
    assert found["one"]["p50_ms"] == 2.0
    assert found["one"]["p99_ms"] == 4.0
    assert found["two"]["calls"] == 1


@pytest.mark.parametrize("calls", [1, 2, 40, 99, 100, 101])
def test_percentiles_are_those_of_a_report(backend, tmp_path, calls):
    """Of as many calls, the same one: nearest rank, ties or not."""
    times = [float(25 * (number % 30)) for number in range(1, calls + 1)]
    durations = Durations()
    durations.add(Batch(times, 1000.0))
    failed = [entry(0.5, status=500)] * 7
    history = kept(tmp_path, one=[*map(entry, times), *failed])

    requests = requests_of(backend, tmp_path, history.runs())
    (level,) = rows_of(queries.levels(requests))
    (total,) = rows_of(queries.totals(requests.mutate(side=requests.run)))

    expected = durations.percentiles_ms(50, 99)
    assert [level["p50_ms"], level["p99_ms"]] == expected
    assert [total["p50_ms"], total["p99_ms"]] == expected
    assert (total["calls"], total["failed"]) == (calls, 7)


def test_a_run_called_by_a_number_stays_a_text(backend, tmp_path):
    """2026 and 007 are names."""
    history = kept(tmp_path, **{"007": [entry()], "2026": [entry()]})

    requests = requests_of(backend, tmp_path, history.runs())
    found = rows_of(queries.levels(requests))

    assert sorted(row["run"] for row in found) == ["007", "2026"]


@pytest.mark.parametrize(
    "above", ["run=all", "method=POST/ms=1", "filename=x", "it's", "a run=b"]
)
def test_folders_above_the_history_are_no_columns(backend, tmp_path, above):
    """A pipeline may keep a history in a folder of a key and a value."""
    history = kept(tmp_path / above, n1=[entry(2.5)], n2=[entry(7.5)])

    requests = requests_of(backend, history.directory, history.runs())
    rows = rows_of(requests.select("run", "method", "ms").order_by("run"))

    assert tuple(requests.columns) == (*schema.COLUMNS.names, "run")
    assert [(row["run"], row["method"], row["ms"]) for row in rows] == [
        ("n1", "GET", 2.5),
        ("n2", "GET", 7.5),
    ]


def test_rows_are_those_of_a_table_of_ibis(asked):
    """DuckDB is asked without ibis; values and types are the same."""
    runs = asked(a=[entry(ms) for ms in (1.0, 2.5, 2.5)], b=[entry(7.5)])
    figures = SidesFigures(runs["a"], runs["b"], ["a"])
    both = queries.sides(runs["a"], runs["b"])
    expected = queries.totals(both).order_by("side").to_pyarrow().to_pylist()

    found = sorted(figures.totals, key=lambda row: row["side"])

    assert repr(found) == repr(expected)


def test_totals_count_failures_apart(asked):
    """A quick failure is not a faster route."""
    runs = asked(a=[entry(5.0), entry(1.0, status=503)], b=[entry(7.5)])

    found = SidesFigures(runs["a"], runs["b"], ["a"]).totals

    by_side = {row["side"]: row for row in found}
    assert (by_side["a"]["calls"], by_side["a"]["failed"]) == (1, 1)
    assert by_side["a"]["p50_ms"] == 5.0
    assert by_side["b"]["failed"] == 0


def test_order_statistics_are_all_times_of_a_few(asked):
    """Of many they are GRID times, evenly by rank."""
    many = [float(value) + 0.25 for value in range(1, 1001)]
    runs = asked(a=[entry(3.5), entry(1.5)], b=[entry(ms) for ms in many])

    figures = SidesFigures(runs["a"], runs["b"], ["a"])
    found = figures.order_statistics()

    a = sorted(row["value"] for row in found if row["side"] == "a")
    b = sorted(row["value"] for row in found if row["side"] == "b")
    assert a == [1.5, 3.5]
    assert len(b) == queries.GRID
    assert statistics.mean(b) == pytest.approx(statistics.mean(many), rel=0.01)
    assert {b[i + 1] - b[i] for i in range(len(b) - 1)} == {5.0}
    assert {row["size"] for row in found if row["side"] == "b"} == {1000}


def test_rank_sums_are_those_of_the_pooled_times(asked):
    """Ties share their middle rank; the drift is taken out."""
    chance = random.Random(3)
    a = [round(chance.uniform(1, 9), 1) + 0.01 for _ in range(60)]
    b = [round(chance.uniform(1, 9), 1) + 0.01 for _ in range(40)]
    runs = asked(a=[entry(x) for x in a], b=[entry(2 * x) for x in b])

    figures = SidesFigures(runs["a"], runs["b"], ["a"])
    (found,) = figures.rank_sums(2.0)

    pooled = sorted(a + b)
    ranks = {
        x: pooled.index(x) + (pooled.count(x) + 1) / 2 for x in set(pooled)
    }
    assert found["rank_sum_b"] == pytest.approx(sum(ranks[x] for x in b))
    ties = sum(pooled.count(x) ** 2 - 1 for x in pooled)
    assert found["ties"] == ties
    assert (found["calls_a"], found["calls_b"]) == (60, 40)


def test_whole_milliseconds_are_spread(asked):
    """A log that rounds writes 3 for all from 2.5 to 3.5."""
    runs = asked(a=[entry(3.0)] * 4, b=[entry(3.0)] * 2)

    figures = SidesFigures(runs["a"], runs["b"], ["a"])
    found = figures.order_statistics()

    a = sorted(row["value"] for row in found if row["side"] == "a")
    b = sorted(row["value"] for row in found if row["side"] == "b")
    assert a == [2.625, 2.875, 3.125, 3.375]
    assert b == [2.75, 3.25]


def test_no_time_is_a_little_time(asked):
    """There is no ratio to zero."""
    runs = asked(a=[entry(0.0)], b=[entry(0.25)])

    found = SidesFigures(runs["a"], runs["b"], ["a"]).order_statistics()

    assert min(row["value"] for row in found) > 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nosuch://host", "engine nosuch://host: "),
        ("postgres://me:secret@127.0.0.1:1/x", "engine postgres://127"),
    ],
)
def test_an_engine_that_cannot_be_reached_is_one_line(url, message):
    """It has the host, and no user and password."""
    with pytest.raises(NovaProfilerError) as caught, engine_at(url):
        pass

    assert str(caught.value).startswith(message)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


SECRETS = [
    "Xo7wordA",
    "Xo7/wordA",
    "Xo7@wordA",
    "Xo7:wordA",
    "Xo7?wordA",
    "Xo7#wordA",
    "Xo7%2FwordA",
    "Xo7%40wordA",
    "Xo7+wordA",
    "12345/Xo7wordA",
    "Xo7 wordA",
    "Xo7]wordA",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "url",
    [
        "postgres://me:{}@127.0.0.1:1/x",
        "postgres://{}@127.0.0.1:1/x",
        "postgres://127.0.0.1:1/x?password={}",
        "postgres://me@127.0.0.1:1/x?password={}&user=me",
        "postgres://127.0.0.1:1/x#{}",
        "nosuch://me:{}@host/x",
        "nosuch://host?token={}",
        "nosuch:me:{}@host",
        "{}",
        "duckdb:///nowhere/at/all?motherduck_token={}",
        "snowflake://me:{}@account/db?warehouse=x",
        "local[{}]",
        "spark://me:{}@127.0.0.1:1",
    ],
)
def test_no_secret_of_a_url_is_in_a_message(url, secret):
    """Whatever a password is made of, and whatever an engine repeats."""
    address = url.format(secret)

    for text in (
        engines._shown(address),
        engines._reason(address, Exception(f"cannot reach {address}")),
        engines._reason(address, Exception(f"no user {unquote(address)}")),
        engines._reason(address, Exception(f"'{unquote(secret)}' is bad")),
    ):
        assert "Xo7" not in text
        assert "wordA" not in text


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_part_of_any_url_but_its_ends_is_shown(user, query):
    """A second @ has none of it shown but the scheme."""
    shown = engines._shown(f"x://{user}@host/db?{query}")

    assert shown in ("x://host/db", "x://...")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("duckdb://", "duckdb://"),
        (
            "postgres://me:secret@db.example:5432/x",
            "postgres://db.example:5432/x",
        ),
        ("postgres://[::1]:5432/x?sslmode=off", "postgres://[::1]:5432/x"),
        ("local[2]", "local[2]"),
        ("local-cluster[2,1,1024]", "local-cluster[2,1,1024]"),
        ("spark://host:7077", "spark://host:7077"),
        ("yarn", "yarn"),
    ],
)
def test_what_is_shown_of_a_url(url, shown):
    """Scheme, host and database."""
    assert engines._shown(url) == shown
    assert engines._reason(url, Exception("gone away")) == "gone away"
