# SPDX-License-Identifier: Apache-2.0
"""Statements without a database: what a dialect gets, and a driver of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy

from nova_profiler.capture.hooks.database.sqlalchemy_statements import WRAPS


class Connection:
    """As much of a connection as the hook looks at."""

    engine = sqlalchemy.create_engine("sqlite://")


class Cursor:
    """A driver's cursor after a statement."""

    def __init__(self, rowcount: Any = -1) -> None:
        self.rowcount = rowcount


class Context:
    """As much of an execution context as the hook looks at."""

    def __init__(self, statement: str, connection: Any = Connection) -> None:
        self.statement = statement
        self.executemany = False
        self.root_connection = connection


def nothing(*args: Any) -> None:
    """Do what the fastest driver does."""


def executed(
    text: str,
    driver: Callable[..., Any] = nothing,
    cursor: Any = None,
    many: bool = False,
    connection: Any = Connection,
) -> None:
    """Execute *text* as SQLAlchemy has a dialect do it."""
    method = "do_executemany" if many else "do_execute"
    execute = WRAPS[method](lambda *args: driver())
    context = Context(text, connection)
    execute(None, cursor or Cursor(), text, (), context)
