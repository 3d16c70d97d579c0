# SPDX-License-Identifier: Apache-2.0
"""What SQLAlchemy has its driver do: statements, fetches, pool, commits."""

from __future__ import annotations

import concurrent.futures
import sqlite3
import threading

import pytest
import sqlalchemy
from executing import executed
from serving import added_up, calls_of, recorded
from sqlalchemy import pool, text
from sqlalchemy.dialects.mysql import mysqldb
from sqlalchemy.engine import cursor, default

from nova_profiler.capture import calls
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.hooks import HookError
from nova_profiler.capture.hooks.database import sqlalchemy_statements


@pytest.fixture
def engine(tmp_path):
    """Return an engine with a table of three rows."""
    made = sqlalchemy.create_engine(
        f"sqlite:///{tmp_path}/nova_cell1.db",
        poolclass=pool.QueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE instances (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO instances VALUES (1),(2),(3)")
    yield made
    made.dispose()


@pytest.fixture
def hook(engine):
    """Install the hook, after the engine was made."""
    undo = sqlalchemy_statements.install()
    yield
    undo()


@pytest.fixture
def in_connection(engine, hook, tmp_path):
    """Return what records *work* with a connection, as a dump."""

    def run(work, engine=engine, **options):
        def connected():
            with engine.connect() as connection:
                work(connection)

        return dumped(connected, tmp_path, **options)

    return run


def dumped(work, folder, **options):
    """Return the record of *work* with its statements and timeline."""
    return recorded(work, dump_dir=str(folder), dump_when=("all",), **options)


def counts(record):
    """Return the number of calls of each group."""
    return {group: totals.calls for group, totals in record.groups.items()}


def test_a_statement_is_counted_and_named(in_connection):
    """By verb and table; its text without values is in the dump."""
    record = in_connection(
        lambda c: c.execute(
            text("SELECT id FROM instances WHERE id = 77")
        ).fetchall()
    )

    assert calls_of(record, "sql")["SELECT instances"].count == 1
    (statement,) = record.statements
    assert statement.statement == "SELECT id FROM instances WHERE id = ?"
    assert statement.engine == "nova_cell1.db"
    assert statement.count == 1
    assert statement.errors == 0
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_the_driver_gets_what_it_got_before(in_connection):
    """Statement and parameters pass the hook unchanged."""
    found = []

    in_connection(
        lambda c: found.extend(
            c.execute(
                text("SELECT id FROM instances WHERE id > :id ORDER BY id"),
                {"id": 1},
            ).fetchall()
        )
    )

    assert [tuple(row) for row in found] == [(2,), (3,)]


def test_values_are_never_kept(in_connection):
    """Neither those in the text nor the parameters."""

    def work(connection):
        connection.exec_driver_sql("SELECT 'hunter2' FROM instances")
        connection.execute(text("SELECT :p"), {"p": "hunter2"})
        with pytest.raises(sqlalchemy.exc.SQLAlchemyError, match="missing"):
            connection.execute(
                text("SELECT :p FROM missing"), {"p": "hunter2"}
            )

    record = in_connection(work)

    assert "hunter2" not in str(record.to_dict())


def test_a_statement_that_fails(in_connection):
    """It counts, with the class of the driver's error."""

    def work(connection):
        with pytest.raises(sqlalchemy.exc.OperationalError, match="missing"):
            connection.execute(text("SELECT * FROM missing"))
        connection.execute(text("SELECT * FROM instances")).fetchall()

    record = in_connection(work)
    calls = calls_of(record, "sql")

    assert (calls["SELECT missing"].count, calls["SELECT missing"].errors) == (
        1,
        1,
    )
    assert calls["SELECT instances"].errors == 0
    errors = [entry.error for entry in record.timeline if entry.error]
    assert errors == ["OperationalError"]
    assert [row.errors for row in record.statements] == [1, 0]


def test_executemany_is_one_statement_of_many_rows(engine, hook, tmp_path):
    """The driver is called once; its row count is told."""

    def work():
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO instances VALUES (:id)"),
                [{"id": number} for number in range(5)],
            )

    record = dumped(work, tmp_path)
    (statement,) = record.statements

    assert calls_of(record, "sql")["INSERT instances"].count == 1
    assert statement.executemany == 1
    assert statement.rows == 5


@pytest.mark.parametrize(
    ("fetch", "fetches", "rows"),
    [
        (lambda result: result.fetchall(), 1, 3),
        (lambda result: result.all(), 1, 3),
        (lambda result: result.fetchone(), 1, 1),
        (lambda result: result.first(), 1, 1),
        (lambda result: [result.fetchone() for _ in range(4)], 4, 3),
        (lambda result: result.fetchmany(2), 1, 2),
        (lambda result: list(result), None, 3),
        (lambda result: result.close(), None, None),
    ],
)
def test_fetching_is_a_group_of_its_own(in_connection, fetch, fetches, rows):
    """However the rows are taken; their number is the statement's."""
    record = in_connection(
        lambda c: fetch(c.execute(text("SELECT id FROM instances")))
    )

    if fetches is not None:
        assert record.groups["fetch"].calls == fetches
    assert record.statements[0].rows == rows
    assert counts(record)["sql"] == 1


def test_streamed_results_are_fetched(in_connection):
    """A server-side cursor has a strategy of its own."""
    found = []

    def work(connection):
        streamed = connection.execution_options(stream_results=True)
        result = streamed.execute(text("SELECT id FROM instances"))
        found.extend(result.fetchall())

    record = in_connection(work)

    assert len(found) == 3
    assert record.groups["fetch"].calls >= 1
    assert record.statements[0].rows == 3
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


@pytest.mark.parametrize("most", [0, 300, 2_000])
@pytest.mark.parametrize("streamed", [False, True])
def test_rows_that_were_fetched_are_exact(
    engine, hook, tmp_path, most, streamed
):
    """One by one, of two statements in turn, beyond what a dump lists."""

    def work():
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO instances VALUES (:id)"),
                [{"id": number} for number in range(10, 1_207)],
            )
        with engine.connect() as connection:
            connection = connection.execution_options(stream_results=streamed)
            every = connection.execute(text("SELECT id FROM instances"))
            some = connection.execute(
                text("SELECT id + 1 FROM instances WHERE id < 500")
            )
            for _ in every.mappings():
                some.fetchone()

    record = dumped(work, tmp_path, max_calls=most)

    rows = {row.statement: row.rows for row in record.statements}
    assert rows["SELECT id FROM instances"] == 1_200
    assert rows["SELECT id + ? FROM instances WHERE id < ?"] == 493


def test_an_empty_result_has_no_rows(in_connection):
    """Fetched, and nothing was there: that is known."""
    record = in_connection(
        lambda c: c.execute(text("SELECT id FROM instances WHERE 0")).all()
    )

    assert record.statements[0].rows == 0


def test_of_too_many_statements_the_rows_are_not_known(
    engine, hook, tmp_path, monkeypatch
):
    """Those that were fetched are told apart for so many statements."""
    monkeypatch.setattr(calls, "MAX_KINDS", 2)

    def work():
        with engine.connect() as connection:
            for number in range(600):
                connection.execute(
                    text(f"SELECT id AS a{number} FROM instances")
                ).all()

    record = dumped(work, tmp_path, max_calls=0)

    assert {row.rows for row in record.statements} == {None}


def test_rows_of_an_update(engine, hook, tmp_path):
    """The driver says how many were changed."""

    def work():
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE instances SET id = 9 WHERE id > 1")
            )

    record = dumped(work, tmp_path)

    assert record.statements[0].rows == 2


def test_a_connection_is_made_once(in_connection, engine):
    """The first request pays for it, the next one does not."""
    engine.dispose()

    first = in_connection(lambda c: None)
    second = in_connection(lambda c: None)

    assert counts(first)["connect"] == 1
    assert "connect" not in counts(second)
    names = {e.group: e.name for e in first.timeline}
    assert names["pool_wait"] in ("nova_cell1.db", "sqlite")


def test_a_connection_that_fails(hook, tmp_path):
    """Its time and its error are told; the caller gets the exception."""
    engine = sqlalchemy.create_engine(
        f"sqlite:///{tmp_path}/nowhere/x.db", poolclass=pool.NullPool
    )

    def work():
        with pytest.raises(sqlalchemy.exc.OperationalError, match="unable"):
            engine.connect()

    record = dumped(work, tmp_path)

    assert counts(record)["connect"] == 1
    assert [e.error for e in record.timeline] == ["OperationalError"]


def test_waiting_for_the_pool_is_a_group_of_its_own(
    engine, hook, tmp_path, monkeypatch
):
    """One connection, held by another thread until it is asked for."""
    held, release = threading.Event(), threading.Event()
    get = engine.pool._pool.get

    def asked(*args):
        # Given back a moment later.
        timer.start()
        return get(*args)

    def hold():
        with engine.connect():
            held.set()
            assert release.wait(60)

    def work():
        with engine.connect():
            pass

    timer = threading.Timer(0.02, release.set)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        holding = executor.submit(hold)
        assert held.wait(60)
        monkeypatch.setattr(engine.pool._pool, "get", asked)
        record = dumped(work, tmp_path)
        holding.result(timeout=60)
    timer.join()

    assert counts(record)["pool_wait"] == 1
    assert record.groups["pool_wait"].ms > 5
    assert record.breakdown_ms["pool_wait"] > 5
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.01)


def test_a_full_pool_is_told(engine, hook, tmp_path):
    """The wait that ended in TimeoutError is one, too."""
    engine = sqlalchemy.create_engine(
        engine.url,
        poolclass=pool.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.01,
    )

    def work():
        with engine.connect():
            with pytest.raises(sqlalchemy.exc.TimeoutError, match="limit"):
                engine.connect()

    record = dumped(work, tmp_path)
    engine.dispose()

    assert counts(record)["pool_wait"] == 2
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_pings_are_told_where_they_can_be(engine, hook, tmp_path):
    """SQLAlchemy's pool_pre_ping, from 2.0 on, has a method of its own."""
    pinged = sqlalchemy.create_engine(engine.url, pool_pre_ping=True)
    with pinged.connect():
        pass

    record = dumped(lambda: pinged.connect().close(), tmp_path)
    pinged.dispose()

    told = hasattr(default.DefaultDialect, "_do_ping_w_event")
    assert counts(record).get("ping", 0) == int(told)
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_commit_and_rollback_are_transactions(engine, hook, tmp_path):
    """Each is a call to the driver."""

    def work():
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO instances VALUES (7)"))
        with pytest.raises(LookupError, match="back"):
            with engine.begin() as connection:
                connection.execute(text("DELETE FROM instances"))
                raise LookupError("back")

    record = dumped(work, tmp_path)
    ends = [e.name for e in record.timeline if e.group == "transaction"]

    assert ends.count("COMMIT") == 1
    assert ends.count("ROLLBACK") >= 1
    assert counts(record)["transaction"] == len(ends)


def test_engines_are_told_apart_by_database(hook, tmp_path):
    """Never by their URL, which holds the password."""
    engines = [
        sqlalchemy.create_engine(
            "sqlite://", poolclass=pool.StaticPool, creator=connect_memory
        )
        for _ in range(2)
    ]
    for engine, name in zip(engines, ("nova_api", "nova_cell1"), strict=True):
        engine.url = sqlalchemy.engine.make_url(
            f"mysql+pymysql://nova:hunter2@db.example/{name}"
        )

    def work():
        for engine in engines:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1")).fetchall()

    record = dumped(work, tmp_path)
    for engine in engines:
        engine.dispose()

    assert [row.engine for row in record.statements] == [
        "nova_api",
        "nova_cell1",
    ]
    assert calls_of(record, "sql")["SELECT"].count == 2
    assert "hunter2" not in str(record.to_dict())


def connect_memory():
    return sqlite3.connect(":memory:")


def test_engines_made_before_and_after_are_seen_alike(engine, hook, tmp_path):
    """The hook is in the classes of their dialects."""
    later = sqlalchemy.create_engine("sqlite://")

    def work():
        for one in (engine, later):
            with one.connect() as connection:
                connection.execute(text("SELECT 1")).fetchall()

    record = dumped(work, tmp_path)
    later.dispose()

    assert calls_of(record, "sql")["SELECT"].count == 2


def test_an_orm_session_is_seen(engine, hook, tmp_path):
    """As nova reads: objects, loaded and flushed."""
    from sqlalchemy.orm import Session, declarative_base

    base = declarative_base()

    class Instance(base):
        __tablename__ = "things"
        id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)

    base.metadata.create_all(engine)

    def work():
        with Session(engine) as session:
            session.add_all([Instance(id=number) for number in range(3)])
            session.commit()
        with Session(engine) as session:
            assert len(session.query(Instance).all()) == 3

    record = dumped(work, tmp_path)

    calls = calls_of(record, "sql")
    assert calls["INSERT things"].count == 1
    assert calls["SELECT things"].count == 1
    assert record.groups["fetch"].calls >= 1
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


@pytest.mark.parametrize(("texts", "most"), [(1, 1_100), (2_000, 30_000)])
def test_a_hundred_thousand_statements(texts, most, tmp_path):
    """Totals are exact, the list is capped, and little is kept."""
    lists = []

    def work():
        for number in range(100_000):
            executed(f"SELECT a{number % texts} FROM instances", many=True)
        lane = current_lane()
        (by_text,) = lane.sql.values()
        lists.extend(calls.kept_count() for calls in by_text.values())

    record = dumped(work, tmp_path, max_calls=500)
    call = calls_of(record, "sql")["SELECT instances"]

    assert call.count == record.groups["sql"].calls == 100_000
    assert sum(row.count for row in record.statements) == 100_000
    assert sum(row.executemany for row in record.statements) == 100_000
    assert len(record.statements) <= 501
    assert len(record.timeline) == 500
    assert record.dropped_calls >= 99_000
    assert sum(lists) < most
    assert sum(map(len, record.durations.values())) <= 10
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_many_distinct_statements_are_kept_by_kind(in_connection):
    """Real ones: texts are only held up to a number, totals are not."""

    def work(connection):
        for number in range(700):
            sql = f"SELECT id AS a{number} FROM instances"
            connection.exec_driver_sql(sql).fetchall()

    record = in_connection(work)
    kind = record.statements[-1]

    assert calls_of(record, "sql")["SELECT instances"].count == 700
    assert record.dropped_calls == 0
    assert len(record.statements) == 501
    assert kind.statement == "SELECT ... FROM instances"
    assert (kind.name, kind.count) == ("SELECT instances", 200)
    assert kind.rows == 600


def test_outside_a_request_nothing_is_kept(engine, hook):
    """A service's periodic work goes on as ever."""
    with engine.begin() as connection:
        result = connection.execute(text("SELECT id FROM instances"))

        assert len(result.fetchall()) == 3


def patched_places():
    """Return what the hook replaces, object by object."""
    owners = [
        cursor.CursorFetchStrategy,
        cursor.BufferedRowCursorFetchStrategy,
        default.DefaultDialect,
        mysqldb.MySQLDialect_mysqldb,
        pool.QueuePool,
        pool.base._ConnectionRecord,
    ]
    return [dict(vars(owner)) for owner in owners]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_undo_leaves_sqlalchemy_as_it_was(engine, order):
    """Installed twice, undone in any order, each undo twice."""
    before = patched_places()

    undos = [sqlalchemy_statements.install() for _ in range(2)]
    during = patched_places()
    for index in order:
        undos[index]()
        undos[index]()

    assert during != before
    assert patched_places() == before
    record = recorded(lambda: engine.connect().close())
    assert record.groups == {}


def test_undone_and_installed_again(engine, tmp_path):
    """Each statement is seen by those that are there, and once."""

    def work():
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    first, second = (sqlalchemy_statements.install() for _ in range(2))
    first()
    assert counts(dumped(work, tmp_path))["sql"] == 1
    second()
    assert "sql" not in counts(dumped(work, tmp_path))
    third = sqlalchemy_statements.install()
    assert counts(dumped(work, tmp_path))["sql"] == 1
    third()


def test_installed_twice_each_statement_counts_once(engine, tmp_path):
    """Two filters of one process share the hook."""
    undos = [sqlalchemy_statements.install() for _ in range(2)]

    def work():
        with engine.connect() as connection:
            connection.execute(text("SELECT 1")).fetchall()

    record = dumped(work, tmp_path)
    for undo in undos:
        undo()

    assert counts(record)["sql"] == 1
    assert counts(record)["fetch"] == 1


def test_other_listeners_keep_working(engine, hook, tmp_path):
    """oslo.db has its own on every engine; what they ask is told apart."""
    seen = []

    def listener(conn, cursor, statement, parameters, context, executemany):
        seen.append(statement)
        if len(seen) < 3:
            conn.execute(text("SELECT 2")).fetchall()

    sqlalchemy.event.listen(engine, "before_cursor_execute", listener)

    def work():
        with engine.connect() as connection:
            connection.execute(text("SELECT 1")).fetchall()

    record = dumped(work, tmp_path)

    assert seen == ["SELECT 1", "SELECT 2", "SELECT 2"]
    assert counts(record)["sql"] == 3
    starts = {e.start_ms for e in record.timeline if e.group == "sql"}
    assert len(starts) == 3


def test_a_listener_that_writes_the_statement_anew(engine, hook, tmp_path):
    """As tracers do: however often, it is the one that was written."""
    traced = []

    def marked(conn, cursor, statement, parameters, context, executemany):
        traced.append(statement)
        return f"{statement} /* trace {len(traced)} */", parameters

    sqlalchemy.event.listen(
        engine, "before_cursor_execute", marked, retval=True
    )

    def work():
        with engine.connect() as connection:
            for _ in range(3):
                connection.execute(text("SELECT id FROM instances")).all()
                lane = current_lane()
        kept.extend(lane.sql[engine])

    kept = []
    (statement,) = dumped(work, tmp_path).statements

    assert kept == ["SELECT id FROM instances"]
    assert (statement.count, statement.rows) == (3, 9)
    assert (len(traced), statement.executemany) == (3, 0)


def test_a_listener_that_takes_the_call_over(engine, hook, tmp_path):
    """Who executes by an event of the dialect is not timed, nor disturbed."""

    def takes_over(cursor, statement, parameters, context):
        cursor.execute(statement, parameters)
        return True

    sqlalchemy.event.listen(engine, "do_execute", takes_over)
    found = []

    def work():
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT id FROM instances"))
            found.extend(rows.scalars())

    record = dumped(work, tmp_path)

    assert found == [1, 2, 3]
    assert "sql" not in counts(record)
    assert counts(record)["fetch"] >= 1


def test_without_parameters(in_connection):
    """A method of its own, in which the driver leaves "%" alone."""
    found = []

    def work(connection):
        bare = connection.execution_options(no_parameters=True)
        result = bare.exec_driver_sql("SELECT 7 % 4")
        found.append(result.scalar())

    record = in_connection(work)

    assert found == [3]
    assert calls_of(record, "sql")["SELECT"].count == 1


@pytest.mark.skipif(
    sqlalchemy.__version__ < "2",
    reason="SQLAlchemy before 2.0 has no INSERT of many rows with RETURNING",
)
def test_batches_of_one_insert_are_one_statement(engine, hook, tmp_path):
    """As it was written, not with its values repeated for each row."""
    things = sqlalchemy.Table(
        "things",
        sqlalchemy.MetaData(),
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("a", sqlalchemy.Integer),
    )
    things.create(engine)

    def work():
        with engine.begin() as connection:
            inserted = connection.execute(
                things.insert().returning(things.c.id),
                [{"a": number} for number in range(2_500)],
            )
            assert len(inserted.all()) == 2_500

    (statement,) = dumped(work, tmp_path).statements

    assert statement.statement == (
        "INSERT INTO things (a) VALUES (...) RETURNING id"
    )
    assert statement.count == statement.executemany == 3


def test_a_call_of_somebody_else(engine, hook):
    """A dialect's method without a context is passed through."""

    def work():
        with engine.connect() as connection:
            driver = connection.connection.cursor()
            engine.dialect.do_execute(driver, "SELECT 5", ())
            found.append(driver.fetchone())
            driver.close()

    found = []
    record = recorded(work)

    assert found == [(5,)]
    assert "sql" not in counts(record)


def test_what_stops_a_statement_passes(engine, hook, tmp_path):
    """As a killed greenthread: counted, not swallowed, and then forgotten."""

    class Killed(BaseException):
        pass

    def killed():
        raise Killed

    def work():
        with pytest.raises(Killed):
            executed("SELECT a FROM t", killed)
        executed("SELECT a FROM t")

    record = dumped(work, tmp_path)
    call = calls_of(record, "sql")["SELECT t"]

    assert (call.count, call.errors) == (2, 1)
    assert [e.error for e in record.timeline] == ["Killed", None]


def test_connecting_is_one_piece(hook, tmp_path):
    """What a new engine asks its database is connecting, and that once."""
    engine = sqlalchemy.create_engine("sqlite://", poolclass=pool.StaticPool)

    @sqlalchemy.event.listens_for(engine, "first_connect")
    def ask(dbapi_connection, record):
        asking = sqlalchemy.create_engine(
            "sqlite://", creator=lambda: dbapi_connection
        )
        with asking.connect() as connection:
            connection.execute(text("SELECT 1")).fetchall()

    record = dumped(lambda: engine.connect().close(), tmp_path)
    engine.dispose()

    # And what giving it back costs.
    assert counts(record) == {"connect": 1, "transaction": 1}


def test_an_old_sqlalchemy_is_refused(monkeypatch):
    """With one line, before anything is installed."""
    monkeypatch.setattr(sqlalchemy, "__version__", "1.3.24")

    with pytest.raises(HookError, match=r"1\.3\.24 is older than 1\.4"):
        sqlalchemy_statements.install()
