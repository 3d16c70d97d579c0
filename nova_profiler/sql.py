# SPDX-License-Identifier: Apache-2.0
"""SQL statements: their kind, their table, and their text without values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

# Longer texts are cut before anything looks at them.
MAX_SCANNED = 20_000
# What a dump keeps of a statement.
MAX_KEPT = 2_000
WITHHELD = "(text withheld: its quotes do not match)"

_VERBS = frozenset(
    "ALTER ANALYZE BEGIN CALL COMMIT CREATE DELETE DESCRIBE DROP EXPLAIN "
    "GRANT INSERT LOCK MERGE PRAGMA RELEASE REPLACE ROLLBACK SAVEPOINT "
    "SELECT SET SHOW TRUNCATE UNLOCK UPDATE USE VALUES".split()
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|--[^\n]*", re.DOTALL)
_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z]+)")
_AFTER_WITH = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b", re.I)
_IDENTIFIER = r"[`\"\[]?([A-Za-z_][\w$]*)[`\"\]]?"
_TABLE = re.compile(
    # A schema in front of the table's name is left out.
    r"\b(?:FROM|INTO|UPDATE|TABLE|JOIN)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"
    r"(?:[`\"\[]?\w+[`\"\]]?\s*\.\s*)?" + _IDENTIFIER,
    re.I,
)
_WITHOUT_TABLE = frozenset(
    "BEGIN COMMIT PRAGMA RELEASE ROLLBACK SAVEPOINT SET SHOW".split()
)
# A word that follows FROM or INTO without being a table.
_NOT_TABLES = frozenset(("SELECT", "DUAL", "LATERAL", "ONLY", "SET"))

_QUOTED = r"'(?:[^']|'')*'"
_QUOTED_WITH_ESCAPES = r"'(?:[^'\\]|\\.|'')*'"
_DOUBLE_QUOTED = r'"(?:[^"\\]|\\.|"")*"'
_DOLLAR_QUOTED = r"\$(\w*)\$.*?\$\1\$"
_NUMBER = re.compile(
    r"(?<![\w$:@%.])[-+]?(?:0[xX][0-9A-Fa-f]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\b"
)
_PLACE = r"(?:\?|%s|%\(\w+\)s|[:$@]\w+|__\[\w+\]|NULL)"
_PLACES = re.compile(rf"\(\s*{_PLACE}(?:\s*,\s*{_PLACE})*\s*\)")
_REPEATED = re.compile(r"\(\.\.\.\)(?:\s*,\s*\(\.\.\.\))+")
_SPACE = re.compile(r"\s+")
_STRINGS = {
    escapes: re.compile("|".join(parts), re.DOTALL)
    for escapes, parts in {
        False: (_DOLLAR_QUOTED, _QUOTED),
        True: (_DOLLAR_QUOTED, _QUOTED_WITH_ESCAPES, _DOUBLE_QUOTED),
    }.items()
}


@lru_cache(maxsize=256)
def name_of_statement(statement: str) -> str:
    """Return ``VERB table`` of *statement*, ``SELECT instances``.

    The table is the first real one that the text names, without schema or
    quotes; ``VERB`` alone where there is none. An unknown verb is OTHER.
    """
    text = _COMMENT.sub(" ", statement[:MAX_SCANNED])
    # What stands in quotes may hold words that look like SQL.
    text = _STRINGS[False].sub("''", text)
    found = _FIRST_WORD.match(text)
    verb = found[1].upper() if found else "OTHER"
    if verb == "WITH":
        main = _AFTER_WITH.search(text)
        verb = main[1].upper() if main else "OTHER"
    if verb not in _VERBS:
        return "OTHER"
    if verb in _WITHOUT_TABLE:
        return verb
    for table in _TABLE.finditer(text):
        if table[1].upper() not in _NOT_TABLES:
            return f"{verb} {table[1][:64]}"
    return verb


@lru_cache(maxsize=128)
def fingerprint_of(statement: str, backslash_escapes: bool = False) -> str:
    """Return *statement* without its values, one line, at most 2000 long.

    Texts that differ only in values, comments, white space or the length of
    an IN list have the same fingerprint. *backslash_escapes* is True for
    databases of the MySQL family, where ``\\'`` does not end a string and
    double quotes hold values. Where quotes are left over, the text may
    still hold a value: then only its kind is told.
    """
    text = _COMMENT.sub(" ", statement[:MAX_SCANNED])
    text = _STRINGS[backslash_escapes].sub("?", text)
    if "'" in text or (backslash_escapes and '"' in text):
        return f"{name_of_statement(statement)} {WITHHELD}"
    text = _NUMBER.sub("?", text)
    text = _PLACES.sub("(...)", text)
    text = _REPEATED.sub("(...)", text)
    text = _SPACE.sub(" ", text).strip()
    if len(text) > MAX_KEPT:
        text = text[: MAX_KEPT - 4] + " ..."
    return text


def database_of(engine: Any) -> str:
    """Return the name of *engine*'s database: never its URL or password."""
    name = str(engine.url.database or engine.url.get_backend_name())
    # sqlite's database is a path: its last part says enough.
    return name.rsplit("/", 1)[-1][:64]


def database_of_pool(pool: Any, engines: Iterable[Any]) -> str:
    """Return the name of the database that *pool* connects to.

    Found by the one of *engines* that uses it; the kind of database where
    none does.
    """
    for engine in engines:
        if engine.pool is pool:
            return database_of(engine)
    return str(getattr(getattr(pool, "_dialect", None), "name", "database"))
