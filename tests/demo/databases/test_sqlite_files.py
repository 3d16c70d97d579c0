# SPDX-License-Identifier: Apache-2.0
"""The demo's databases: made once, whole, and copied for each run."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from demo.databases import making, sqlite_files


@pytest.fixture
def state(tmp_path, monkeypatch):
    """Return a folder in the place of the checkout's; nova makes nothing."""
    monkeypatch.setattr(sqlite_files, "STATE", tmp_path / "state")
    monkeypatch.setattr(making, "edition", lambda instances: "edition")
    return tmp_path / "state"


def made(directory, urls, instances):
    for name in making.NAMES:
        connection = sqlite3.connect(directory / f"nova_{name}.sqlite")
        connection.execute(
            "CREATE TABLE cell_mappings (name, database_connection)"
        )
        connection.execute("INSERT INTO cell_mappings VALUES ('cell0', '')")
        connection.commit()
        connection.close()


def cell_of(directory: Path) -> str:
    connection = sqlite3.connect(directory / "nova_api.sqlite")
    rows = connection.execute("SELECT database_connection FROM cell_mappings")
    [[url]] = rows.fetchall()
    connection.close()
    return str(url)


def test_they_are_made_once_and_copied(tmp_path, state, monkeypatch):
    """Each run's cells are its own copies."""
    printed: list[str] = []
    monkeypatch.setattr(making, "make", made)
    runs = [tmp_path / "a", tmp_path / "b"]

    for run in runs:
        run.mkdir()
        urls = sqlite_files.urls(run, 3, printed.append)
        assert urls["cell0"] == f"sqlite:///{run}/nova_cell0.sqlite"
        assert cell_of(run) == urls["cell0"]

    assert printed == ["making SQLite databases with 3 servers, once"]


def test_another_run_may_be_quicker(tmp_path, state, monkeypatch):
    """Its databases are used, and the second ones leave nothing behind."""

    def made_twice(directory, urls, instances):
        made(directory, urls, instances)
        monkeypatch.setattr(making, "make", made)
        sqlite_files.urls(tmp_path, instances, lambda text: None)

    monkeypatch.setattr(making, "make", made_twice)
    run = tmp_path / "run"
    run.mkdir()

    sqlite_files.urls(run, 3, lambda text: None)

    assert cell_of(run).endswith("run/nova_cell0.sqlite")
    assert [p.name for p in (state / "databases").iterdir()] == [
        "sqlite-edition"
    ]


def test_what_failed_is_not_taken_for_whole(tmp_path, state, monkeypatch):
    """The next run makes them again; the log of the failure stays."""

    def failing(directory, urls, instances):
        (directory / "populate.log").write_text("why")
        raise making.DatabaseError("no")

    monkeypatch.setattr(making, "make", failing)
    with pytest.raises(making.DatabaseError):
        sqlite_files.urls(tmp_path, 3, lambda text: None)
    monkeypatch.setattr(making, "make", made)

    sqlite_files.urls(tmp_path, 3, lambda text: None)

    assert cell_of(tmp_path)
    [log] = (state / "databases").glob("*/populate.log")
    assert log.read_text() == "why"
