# SPDX-License-Identifier: Apache-2.0
"""nova's three databases for the demo: made once, then used again."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from demo import configuration

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".state"
NAMES = ("api", "cell0", "cell1")
MYSQL_URL = "mysql+pymysql://root@127.0.0.1:3306"
# Never nova's own names: the server may have a nova of its own.
_MYSQL_PREFIX = "nova_profiler_demo_"

Progress = Callable[[str], None]


class DatabaseError(Exception):
    """The database server cannot be used; one line that says why."""


def sqlite_urls(directory: Path) -> dict[str, str]:
    """Return the URLs of three SQLite files in *directory*."""
    return {
        name: f"sqlite:///{directory / f'nova_{name}.sqlite'}"
        for name in NAMES
    }


def sqlite(
    directory: Path, instances: int, progress: Progress
) -> dict[str, str]:
    """Return the URLs of new SQLite databases in *directory*.

    Making them takes about 15 s, so that is done once for a number of
    instances; each run gets a copy and may write to it.
    """
    template = STATE / "databases" / f"sqlite-{_edition(instances)}"
    if not (template / "complete").exists():
        progress(f"making SQLite databases with {instances} servers, once")
        shutil.rmtree(template, ignore_errors=True)
        template.mkdir(parents=True)
        _make(template, sqlite_urls(template), instances)
        (template / "complete").touch()
    urls = sqlite_urls(directory)
    for url in urls.values():
        name = Path(url.removeprefix("sqlite:///")).name
        shutil.copyfile(template / name, directory / name)
    _map_cells(directory, urls)
    return urls


def mysql(
    server_url: str, instances: int, progress: Progress
) -> dict[str, str]:
    """Return the URLs of the demo's databases on a MySQL or MariaDB server.

    They stay on the server for the next run. Raises DatabaseError if there
    is no server.
    """
    import sqlalchemy

    base = server_url.rstrip("/")
    urls = {name: f"{base}/{_MYSQL_PREFIX}{name}" for name in NAMES}
    try:
        engine = sqlalchemy.create_engine(f"{base}/")
        with engine.begin() as connection:
            if _mysql_edition(connection) == _edition(instances):
                return urls
            progress(f"making MySQL databases with {instances} servers, once")
            for name in (*NAMES, "edition"):
                connection.exec_driver_sql(
                    f"DROP DATABASE IF EXISTS {_MYSQL_PREFIX}{name}"
                )
                connection.exec_driver_sql(
                    f"CREATE DATABASE {_MYSQL_PREFIX}{name} "
                    "CHARACTER SET utf8mb3"
                )
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, OSError) as exc:
        reason = str(getattr(exc, "orig", exc)).splitlines()[0]
        shown = sqlalchemy.engine.make_url(base).render_as_string()
        raise DatabaseError(
            f"no MySQL or MariaDB at {shown} ({reason}); start one, or name "
            "it in MYSQL_URL"
        ) from exc
    directory = STATE / "databases" / "mysql"
    directory.mkdir(parents=True, exist_ok=True)
    _make(directory, urls, instances)
    with engine.begin() as connection:
        table = f"{_MYSQL_PREFIX}edition.edition"
        connection.exec_driver_sql(f"CREATE TABLE {table} (name TEXT)")
        connection.execute(
            sqlalchemy.text(f"INSERT INTO {table} VALUES (:name)"),
            {"name": _edition(instances)},
        )
    engine.dispose()
    return urls


def _edition(instances: int) -> str:
    """Return what tells one set of databases from another."""
    recipe = (ROOT / "demo" / "populate.py").read_bytes()
    digest = hashlib.sha256(recipe).hexdigest()[:8]
    return f"nova-{version('nova')}-{instances}-servers-{digest}"


def _mysql_edition(connection: object) -> str | None:
    import sqlalchemy

    table = f"{_MYSQL_PREFIX}edition.edition"
    try:
        return connection.exec_driver_sql(  # type: ignore[attr-defined]
            f"SELECT name FROM {table}"
        ).scalar()
    except sqlalchemy.exc.ProgrammingError:
        return None


def _make(directory: Path, urls: dict[str, str], instances: int) -> None:
    """Have a process of nova's own make schemas, cells and servers."""
    directory.chmod(0o700)
    (directory / "nova.conf").write_text(
        configuration.nova_conf_text(directory, urls, "http://127.0.0.1:1")
    )
    log = directory / "populate.log"
    with log.open("w") as output:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "demo.populate",
                str(directory),
                urls["cell0"],
                urls["cell1"],
                str(instances),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise DatabaseError(f"the databases could not be made; see {log}")


def _map_cells(directory: Path, urls: dict[str, str]) -> None:
    """Point the cell mappings of a copied API database to its own cells."""
    with sqlite3.connect(directory / "nova_api.sqlite") as connection:
        for cell in ("cell0", "cell1"):
            connection.execute(
                "UPDATE cell_mappings SET database_connection = ? "
                "WHERE name = ?",
                (urls[cell], cell),
            )
    connection.close()
