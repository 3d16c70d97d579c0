# SPDX-License-Identifier: Apache-2.0
"""The cloud's databases on MySQL or MariaDB: made once, copied for a run."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from demo.cloud import schemas
from demo.cloud.configuration import HOST
from demo.cloud.processes import CloudError
from demo.databases.making import Progress

# Never nova's own names: the server may have a nova of its own.
_PREFIX = "nova_profiler_cloud_"
_TEMPLATES = f"{_PREFIX}template_"
_RUNS = f"{_PREFIX}run_"
# cell0 is a second copy of a cell's schema.
_COPIES = {
    "api": "api",
    "cell0": "cell",
    "cell1": "cell",
    "placement": "placement",
}
_MAKING_S = 600


def missing(server_url: str) -> str | None:
    """Return why the server cannot be used; None if it can."""
    server = sa.engine.make_url(server_url)
    try:
        with _engine(server).connect():
            return None
    except sa.exc.SQLAlchemyError as exc:
        reason = getattr(exc, "orig", None) or exc
        text = str(reason.args[-1] if reason.args else reason).splitlines()[0]
        return (
            f"no MySQL or MariaDB at {server.render_as_string()}: {text}; "
            "apt-get install mariadb-server and start it, or name another "
            "server in MYSQL_URL"
        )


@contextmanager
def made(
    server_url: str, transport_url: str, progress: Progress
) -> Iterator[dict[str, str]]:
    """Give the URLs of new databases, gone at the end of the with statement.

    What runs left that were killed goes now.
    """
    server = sa.engine.make_url(server_url)
    # Its locks are held until it is closed, or this process is gone.
    with _engine(server).connect() as connection:
        _drop_left_overs(connection)
        _make_templates(connection, server, progress)
        run = f"{_RUNS}{secrets.token_hex(4)}_"
        _lock(connection, run, 0)
        try:
            for name, template in _COPIES.items():
                _copy(connection, f"{_TEMPLATES}{template}", run + name)
            urls = {name: _url(server, run + name) for name in _COPIES}
            _map_cells(connection, run, urls, transport_url)
            _map_host(connection, run)
            yield urls
        finally:
            for name in _COPIES:
                _drop(connection, run + name)


def _engine(server: sa.URL) -> sa.Engine:
    return sa.create_engine(
        server.set(database=""),
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
    )


def _url(server: sa.URL, database: str) -> str:
    return server.set(database=database).render_as_string(False)


def _lock(connection: sa.Connection, name: str, seconds: int) -> None:
    words = {"name": name, "seconds": seconds}
    got = connection.execute(
        sa.text("SELECT GET_LOCK(:name, :seconds)"), words
    )
    if got.scalar() != 1:
        raise CloudError(f"another run holds {name} of the database server")


def _unlock(connection: sa.Connection, name: str) -> None:
    statement = sa.text("SELECT RELEASE_LOCK(:name)")
    connection.execute(statement, {"name": name})


def _drop(connection: sa.Connection, database: str) -> None:
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {database}")


def _drop_left_overs(connection: sa.Connection) -> None:
    """Drop the databases of runs whose lock is free: they are over."""
    is_free = sa.text("SELECT IS_FREE_LOCK(:name)")
    for database in _databases(connection, _RUNS):
        run = database.rpartition("_")[0] + "_"
        if connection.execute(is_free, {"name": run}).scalar() == 1:
            _drop(connection, database)


def _databases(connection: sa.Connection, prefix: str) -> list[str]:
    return [
        name
        for name in sa.inspect(connection).get_schema_names()
        if name.startswith(prefix)
    ]


def _make_templates(
    connection: sa.Connection, server: sa.URL, progress: Progress
) -> None:
    """Make the schemas that runs copy, unless they are there already."""
    # One of several runs makes them, the others wait for it.
    _lock(connection, _TEMPLATES, _MAKING_S)
    edition = _TEMPLATES + schemas.edition()
    if edition not in _databases(connection, _TEMPLATES):
        progress("making the schemas of nova and placement, once")
        for database in _databases(connection, _TEMPLATES):
            _drop(connection, database)
        urls = {}
        for name in set(_COPIES.values()):
            database = _TEMPLATES + name
            connection.exec_driver_sql(
                f"CREATE DATABASE {database} CHARACTER SET utf8mb3"
            )
            urls[name] = _url(server, database)
        schemas.make(urls, progress)
        # An empty one, whose name is the mark that the others are whole.
        connection.exec_driver_sql(f"CREATE DATABASE {edition}")
    _unlock(connection, _TEMPLATES)


def _copy(connection: sa.Connection, source: str, target: str) -> None:
    """Make *target* a copy of *source*, tables and rows.

    Left out are the tables that only deleted rows would go to: they are half
    of a cell's, and the demo archives nothing.
    """
    execute = connection.exec_driver_sql
    execute(f"CREATE DATABASE {target} CHARACTER SET utf8mb3")
    execute(f"USE {target}")
    # A table may come before one that it refers to.
    execute("SET foreign_key_checks = 0")
    for table in sa.inspect(connection).get_table_names(source):
        if table.startswith("shadow_"):
            continue
        made = execute(f"SHOW CREATE TABLE {source}.`{table}`").one()[1]
        # A percent sign would stand for a parameter.
        execute(made.replace("%", "%%"))
        execute(f"INSERT INTO `{table}` SELECT * FROM {source}.`{table}`")  # noqa: S608 - names of nova's own
    execute("SET foreign_key_checks = 1")


def _map_cells(
    connection: sa.Connection,
    run: str,
    urls: dict[str, str],
    transport_url: str,
) -> None:
    """Point the cell mappings of the copied API database to its own cells."""
    update = sa.text(
        f"UPDATE {run}api.cell_mappings SET database_connection = :database, "  # noqa: S608 - a name of ours
        "transport_url = :transport WHERE name = :name"
    )
    # Nothing serves cell0: its servers never came to a host.
    for name, transport in (("cell0", "none:///"), ("cell1", transport_url)):
        words = {"name": name, "database": urls[name], "transport": transport}
        connection.execute(update, words)


def _map_host(connection: sa.Connection, run: str) -> None:
    """Map the compute host to its cell, before it is there.

    ``nova-manage cell_v2 discover_hosts`` would do so once it is, and takes
    longer than all that a server is created with.
    """
    insert = sa.text(
        f"INSERT INTO {run}api.host_mappings (created_at, cell_id, host) "  # noqa: S608 - a name of ours
        f"SELECT NOW(), id, :host FROM {run}api.cell_mappings "
        "WHERE name = 'cell1'"
    )
    connection.execute(insert, {"host": HOST})
