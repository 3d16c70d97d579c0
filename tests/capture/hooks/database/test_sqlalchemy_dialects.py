# SPDX-License-Identifier: Apache-2.0
"""Dialects of every descent, loaded before and after the hook."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import weakref

import pytest
import sqlalchemy
from executing import Context, Cursor
from serving import calls_of, recorded
from sqlalchemy import pool, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mssql import pyodbc
from sqlalchemy.dialects.mysql import mysqldb
from sqlalchemy.dialects.oracle import cx_oracle
from sqlalchemy.dialects.postgresql import psycopg2
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import default

from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.database import (
    sqlalchemy_dialects,
    sqlalchemy_statements,
)


class Counting:
    """Has a dialect's method without being a dialect."""

    def do_execute(self, cursor, statement, parameters, context=None):
        self.executed = getattr(self, "executed", 0) + 1
        super().do_execute(cursor, statement, parameters, context=context)


@pytest.fixture
def hook():
    undo = sqlalchemy_statements.install()
    yield undo
    undo()


def engine_of(dialect_class, monkeypatch):
    """Return an engine over *dialect_class*, found as drivers are."""
    name = dialect_class.__name__.lower()
    monkeypatch.setattr(f"{__name__}.loaded", dialect_class, raising=False)
    registry.register(f"sqlite.{name}", __name__, "loaded")
    return sqlalchemy.create_engine(
        f"sqlite+{name}://", poolclass=pool.StaticPool
    )


def selected(engine, times=1):
    """Return the record of *times* statements on *engine*."""

    def work():
        with engine.connect() as connection:
            for _ in range(times):
                connection.execute(text("SELECT 1")).fetchall()

    record = recorded(work)
    engine.dispose()
    return record


@pytest.mark.parametrize("first", ["dialect", "engine", "hook"])
@pytest.mark.parametrize("base", [(), (Counting,)])
def test_only_the_outermost_method_counts(first, base, monkeypatch):
    """A dialect's own method calls the one it overrides, loaded whenever."""
    undos = []
    if first == "hook":
        undos.append(sqlalchemy_statements.install())

    class Derived(*base, SQLiteDialect_pysqlite):
        supports_statement_cache = True

        def do_execute(self, cursor, statement, parameters, context=None):
            super().do_execute(cursor, statement, parameters, context)

    if first == "dialect":
        undos.append(sqlalchemy_statements.install())
    engine = engine_of(Derived, monkeypatch)
    if first == "engine":
        undos.append(sqlalchemy_statements.install())

    record = selected(engine, times=3)

    assert calls_of(record, "sql")["SELECT"].count == 3
    assert record.groups["sql"].calls == 3
    if base:
        assert engine.dialect.executed >= 3
    undos[0]()
    assert "sql" not in selected(engine).groups


def test_undo_reaches_what_was_loaded_later(hook, monkeypatch):
    """Each class of a dialect is as it was written."""

    class Mixed(Counting):
        def do_execute(self, *args, **kwargs):
            super().do_execute(*args, **kwargs)

    class Later(Mixed, SQLiteDialect_pysqlite):
        supports_statement_cache = True

        def do_execute_no_params(self, cursor, statement, context=None):
            cursor.execute(statement)

    before = [dict(vars(owner)) for owner in (Mixed, Later)]

    selected(engine_of(Later, monkeypatch))
    during = [dict(vars(owner)) for owner in (Mixed, Later)]
    hook()

    assert all(
        was != is_now for was, is_now in zip(before, during, strict=True)
    )
    assert [dict(vars(owner)) for owner in (Mixed, Later)] == before


@pytest.mark.parametrize(
    "dialect",
    [
        mysqldb.MySQLDialect_mysqldb,
        psycopg2.PGDialect_psycopg2,
        pyodbc.MSDialect_pyodbc,
        cx_oracle.OracleDialect_cx_oracle,
    ],
)
def test_drivers_with_an_executemany_of_their_own(hook, dialect):
    """Those of SQLAlchemy that have one: it is timed, and counts once."""
    driver = ManyCursor()
    made = dialect.__new__(dialect)
    made.fast_executemany = False
    made.executemany_mode = 0
    context = Context("INSERT INTO t VALUES (?)")

    record = recorded(
        lambda: made.do_executemany(
            driver, context.statement, [(1,), (2,)], context
        )
    )

    assert driver.seen == [context.statement]
    assert calls_of(record, "sql")["INSERT t"].count == 1


class ManyCursor(Cursor):
    """A cursor that takes many rows."""

    def __init__(self):
        super().__init__(2)
        self.seen = []

    def executemany(self, statement, parameters):
        self.seen.append(statement)
        return 2


def test_what_is_no_method_is_left_alone(hook, monkeypatch):
    """It would be called with a dialect that it does not expect."""

    class Odd(SQLiteDialect_pysqlite):
        supports_statement_cache = True

        @staticmethod
        def do_execute(cursor, statement, parameters, context=None):
            cursor.execute(statement, parameters)

        do_executemany = None

    record = selected(engine_of(Odd, monkeypatch))

    assert record.outcome == "ok"
    assert "sql" not in record.groups


def test_a_class_that_takes_no_attributes(hook, monkeypatch):
    """As one compiled from C: its statements go untimed, but they go."""
    before = HOOK_FAILURES.counts().get("sqlalchemy_hook", 0)

    class Sealing(type(SQLiteDialect_pysqlite)):
        def __setattr__(cls, name, value):
            if name == "do_execute":
                raise TypeError("cannot set attribute of immutable type")
            super().__setattr__(name, value)

    class Sealed(SQLiteDialect_pysqlite, metaclass=Sealing):
        supports_statement_cache = True

        def do_execute(self, cursor, statement, parameters, context=None):
            cursor.execute(statement, parameters)

    record = selected(engine_of(Sealed, monkeypatch))

    assert record.outcome == "ok"
    assert "sql" not in record.groups
    assert HOOK_FAILURES.counts()["sqlalchemy_hook"] == before + 1


def test_a_pool_of_somebody_else(hook):
    """One that tells no dialect makes connections as ever."""
    before = HOOK_FAILURES.counts()

    class Silent(pool.StaticPool):
        @property
        def _dialect(self):
            raise LookupError("none here")

        @_dialect.setter
        def _dialect(self, value):
            pass

    silent = Silent(lambda: sqlite3.connect(":memory:"))

    record = sqlalchemy_dialects.pool_base._ConnectionRecord(silent)

    assert record.dbapi_connection is not None
    record.dbapi_connection.close()
    failures = HOOK_FAILURES.counts()
    assert failures["sqlalchemy_hook"] == before.get("sqlalchemy_hook", 0) + 1


def test_classes_are_not_held(hook, monkeypatch):
    """A dialect that is unloaded again is gone."""

    def load():
        class Brief(SQLiteDialect_pysqlite):
            supports_statement_cache = True

        selected(engine_of(Brief, monkeypatch))
        monkeypatch.undo()
        return weakref.ref(Brief)

    brief = load()
    registry.impls.pop("sqlite.brief")
    gc.collect()

    assert brief() is None


def test_a_driver_of_asyncio(hook, monkeypatch):
    """SQLAlchemy runs it in a greenlet that carries the context along."""
    concurrency = pytest.importorskip("sqlalchemy.util.concurrency")
    pytest.importorskip("greenlet")

    class Awaiting(SQLiteDialect_pysqlite):
        supports_statement_cache = True

        def do_execute(self, cursor, statement, parameters, context=None):
            concurrency.await_only(asyncio.sleep(0))
            cursor.execute(statement, parameters)

    engine = engine_of(Awaiting, monkeypatch)

    async def both():
        await concurrency.greenlet_spawn(engine.connect().close)
        await asyncio.gather(
            concurrency.greenlet_spawn(ask, "SELECT 1"),
            concurrency.greenlet_spawn(ask, "SELECT 2"),
        )

    def ask(query):
        with engine.connect() as connection:
            connection.execute(text(query)).fetchall()

    record = recorded(lambda: asyncio.run(both()))
    engine.dispose()

    assert calls_of(record, "sql")["SELECT"].count == 2
    added = sum(record.breakdown_ms.values())
    assert added == pytest.approx(record.duration_ms, abs=0.001)


def test_default_methods_are_found_where_they_are(hook):
    """Three of them, on the class that all dialects have in common."""
    for name in sqlalchemy_statements.WRAPS:
        method = vars(default.DefaultDialect)[name]
        assert method.__wrapped__.__module__ == "sqlalchemy.engine.default"
