# SPDX-License-Identifier: Apache-2.0
"""nova's three databases on a MySQL or MariaDB server, made once."""

from __future__ import annotations

import sqlalchemy as sa

from demo.databases import making
from demo.places import STATE

SERVER_URL = "mysql+pymysql://root@127.0.0.1:3306"
# Never nova's own names: the server may have a nova of its own.
_PREFIX = "nova_profiler_demo_"
_EDITION = sa.Table(
    "edition",
    sa.MetaData(),
    sa.Column("name", sa.Text),
    schema=f"{_PREFIX}edition",
)


def urls(
    server_url: str, instances: int, progress: making.Progress
) -> dict[str, str]:
    """Return the URLs of the demo's databases, made if they are not there.

    They stay on the server for the next run; one more database holds the
    name of their edition.
    """
    server = sa.engine.make_url(server_url)
    urls = {
        name: server.set(database=f"{_PREFIX}{name}").render_as_string(False)
        for name in making.NAMES
    }
    edition = making.edition(instances)
    engine = sa.create_engine(server.set(database=""), poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            if _edition_of(connection) == edition:
                return urls
            progress(f"making MySQL databases with {instances} servers, once")
            _create(connection)
    except sa.exc.SQLAlchemyError as exc:
        raise _refusal(server, exc) from exc
    directory = STATE / "databases" / "mysql"
    directory.mkdir(parents=True, exist_ok=True)
    making.make(directory, urls, instances)
    with engine.begin() as connection:
        _EDITION.create(connection)
        connection.execute(sa.insert(_EDITION).values(name=edition))
    return urls


def _edition_of(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("edition", _EDITION.schema):
        return None
    return connection.execute(sa.select(_EDITION.c.name)).scalar()


def _create(connection: sa.Connection) -> None:
    """Create the databases, empty, in place of what has their names."""
    for name in (*making.NAMES, "edition"):
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_PREFIX}{name}")
        connection.exec_driver_sql(
            f"CREATE DATABASE {_PREFIX}{name} CHARACTER SET utf8mb3"
        )


def _refusal(server: sa.URL, exc: Exception) -> making.DatabaseError:
    reason = getattr(exc, "orig", None) or exc
    # The drivers raise (number, message).
    text = str(reason.args[-1] if reason.args else reason).splitlines()[0]
    return making.DatabaseError(
        f"cannot use MySQL at {server.render_as_string()}: {text}; start "
        "MySQL or MariaDB there, or name another server in MYSQL_URL"
    )
