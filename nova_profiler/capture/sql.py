# SPDX-License-Identifier: Apache-2.0
"""SQL statements: their kind, their table, and their text without values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

# Longer texts are cut before anything looks at them.
MAX_SCANNED = 20_000
# Up to here a text is looked at whole for its name.
_SHORT = 500
# Up to here a text is known again as it is: 2 us less than by its head.
_KNOWN = 8_000
# What a dump keeps of a statement.
MAX_KEPT = 2_000
WITHHELD = "(text withheld: its quotes do not match)"

_VERBS = frozenset(
    "ALTER ANALYZE BEGIN CALL COMMIT CREATE DELETE DESCRIBE DROP EXPLAIN "
    "GRANT INSERT LOCK MERGE PRAGMA RELEASE REPLACE ROLLBACK SAVEPOINT "
    "SELECT SET SHOW TRUNCATE UNLOCK UPDATE USE VALUES".split()
)
_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z]+)")
_AFTER_WITH = re.compile(r"\)\s*(SELECT|INSERT|UPDATE|DELETE)\b", re.I)
_TABLE = re.compile(
    # A schema in front of the table's name is left out. In double quotes
    # may be a value: SUBSTRING(a FROM "b").
    r"\b(?:FROM|INTO|UPDATE|TABLE|JOIN)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"
    r"(?:[`\"\[]?\w+[`\"\]]?\s*\.\s*)?"
    r"(?:[`\[]?(?P<plain>[A-Za-z_][\w$]*)"
    r"|\"(?P<quoted>[A-Za-z_][\w$]*)\"(?!\s*(?:\)|FOR\b|\")))",
    re.I,
)
_WITHOUT_TABLE = frozenset(
    "BEGIN COMMIT PRAGMA RELEASE ROLLBACK SAVEPOINT SET SHOW".split()
)
# A word that follows FROM or INTO without being a table.
_NOT_TABLES = frozenset(("SELECT", "DUAL", "LATERAL", "ONLY", "SET"))

# What is no plain SQL text, by whether a backslash escapes a quote: that is
# so in the MySQL family, where double quotes hold values, too. All in one
# expression, since each may stand inside of another. What has no end goes on
# to the end of the text, so that no character is looked at again from the
# next quote; an empty group without a name marks it. Each alternative begins
# with its character, since ``re`` then skips the text between at once.
_C_COMMENT = r"/\*.*?(?:\*/|\Z)"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*(?:'|\\?\Z())"
_OPAQUE = {
    False: re.compile(
        rf"{_C_COMMENT}|--[^\n]*"
        r"|\"(?:[^\"]|\"\")*(?:\"|\Z())"
        r"|`[^`]*(?:`|\Z())"
        r"|\$(?<![\w$]\$)(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z())"
        rf"|e(?<!\we){_ESCAPED}|E(?<!\wE){_ESCAPED}"
        r"|'(?:[^']|'')*(?:'|\Z())",
        re.DOTALL,
    ),
    True: re.compile(
        rf"{_C_COMMENT}|--(?=\s|\Z)[^\n]*|\#[^\n]*"
        r"|`(?:[^`]|``)*(?:`|\Z())"
        rf"|{_ESCAPED}"
        r"|\"(?:[^\"\\]|\\.|\"\")*(?:\"|\\?\Z())",
        re.DOTALL,
    ),
}
_NAME_QUOTES = {False: '"`', True: "`"}
_COMMENT_STARTS = ("/", "-", "#")
# Stands for what has no end.
_CUT = "'"
# A quote whose other end is not there, a comment that ends twice.
_LEFT_OVER = re.compile(r"['\"]|\*/|(?<![\w$])\$\w*\$")
_CUT_STRING = re.compile(r"'|(?<!\w)\"(?!\w+\")")
_PLAIN_NAME = re.compile(r"[`\"]\w+[`\"]")
_NUMBER = re.compile(
    r"(?<![\w$:@%.?])[-+]?(?:\d|\.\d)[\w.]*(?:(?<=[eE])[-+]\d+)?"
)
_PLACE = r"(?:\?|%s|%\(\w+\)s|[:$@]\w+|__\[\w+\]|NULL)"
_PLACES = re.compile(rf"\(\s*{_PLACE}(?:\s*,\s*{_PLACE})*\s*\)")
_REPEATED = re.compile(r"\(\.\.\.\)(?:\s*,\s*\(\.\.\.\))+")
_SPACE = re.compile(r"\s+")
_COLUMN = rf"[\w$.`\"]+(?: AS [\w$`\"]+)?(?:\s?=\s?{_PLACE})?"
_LONG_LIST = re.compile(
    rf"(?<![\w$.`\"])({_COLUMN})((?:, {_COLUMN}){{9,}})", re.I
)


def name_of_statement(statement: str) -> str:
    """Return ``VERB table`` of *statement*, ``SELECT instances``.

    The table is the first real one that the text names, without schema or
    quotes; ``VERB`` alone where there is none. An unknown verb is OTHER.
    """
    if len(statement) > _KNOWN:
        return _name_by_head(statement)
    return _known_name(statement)


def _name_by_head(statement: str) -> str:
    if len(statement) > _SHORT:
        statement = _head_of(statement)
    return _cached_name(statement)


# SQLAlchemy hands over the same string each time it executes a statement,
# so that its hash is there already.
_known_name = lru_cache(maxsize=256)(_name_by_head)


def _head_of(statement: str) -> str:
    """Return *statement* to a bit behind its first table.

    What follows, such as a list of a thousand places, makes each text one
    of its own, and slow to look through.
    """
    statement = statement[:MAX_SCANNED]
    at = statement.find(" FROM ")
    while at >= 0 and statement[at + 6 : at + 7] == "(":
        at = statement.find(" FROM ", at + 6)
    return statement if at < 0 else statement[: at + 200]


@lru_cache(maxsize=256)
def _cached_name(statement: str) -> str:
    # Which family it is for is not known here: what either takes for a
    # string may hold words that look like SQL.
    if '"' in statement or "\\" in statement or "#" in statement:
        name = _name_of(statement, False)
        same = name == _name_of(statement, True)
        return name if same else name.split()[0]
    return _name_of(statement, False)


def _name_of(statement: str, backslash_escapes: bool) -> str:
    text = _OPAQUE[backslash_escapes].sub(_blanked, statement[:MAX_SCANNED])
    left_over = _CUT_STRING.search(text)
    if left_over:
        text = text[: left_over.start()]
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
        name = table["plain"] or table["quoted"]
        if name.upper() not in _NOT_TABLES:
            return f"{verb} {name[:64]}"
    return verb


def kind_of_statement(statement: str) -> str:
    """Return a text for all statements of the same name as *statement*.

    ``SELECT ... FROM instances``: its own name is theirs.
    """
    return name_of_statement(statement).replace(" ", " ... FROM ", 1)


def fingerprint_of(statement: str, backslash_escapes: bool = False) -> str:
    """Return *statement* without its values, one line, at most 2000 long.

    Texts that differ only in values, comments, white space or the length of
    an IN list have the same fingerprint. *backslash_escapes* is True for
    databases of the MySQL family, where ``\\'`` does not end a string and
    double quotes hold values. Where quotes are left over, the text may
    still hold a value: then only its kind is kept.
    """
    return _cached_fingerprint(statement[:MAX_SCANNED], backslash_escapes)


@lru_cache(maxsize=128)
def _cached_fingerprint(statement: str, backslash_escapes: bool) -> str:
    names = _NAME_QUOTES[backslash_escapes]
    opaque: list[str] = []

    def taken_out(found: re.Match[str]) -> str:
        token = found[0]
        if _has_no_end(found):
            return _CUT
        if token[0] in _COMMENT_STARTS:
            return " "
        opaque.append(token if token[0] in names else "?")
        return "\0"

    plain = statement.replace("\0", " ")
    text = _OPAQUE[backslash_escapes].sub(taken_out, plain)
    if _LEFT_OVER.search(text):
        return f"{name_of_statement(statement)} {WITHHELD}"
    between = text.split("\0")
    text = "".join(chain(*zip(between, (*opaque, ""), strict=True)))
    text = _NUMBER.sub("?", text)
    text = _PLACES.sub("(...)", text)
    text = _REPEATED.sub("(...)", text)
    text = _SPACE.sub(" ", text).strip()
    if len(text) > MAX_KEPT:
        # Tables and conditions matter more than ninety columns do.
        text = _LONG_LIST.sub(_shortened, text)
    if len(text) > MAX_KEPT:
        text = text[: MAX_KEPT - 4] + " ..."
    return text


def _blanked(found: re.Match[str]) -> str:
    if _has_no_end(found):
        return _CUT
    token = found[0]
    if token[0] in _COMMENT_STARTS:
        return " "
    return token if _PLAIN_NAME.fullmatch(token) else "?"


def _has_no_end(found: re.Match[str]) -> bool:
    return found.lastindex is not None and found.lastgroup is None


def _shortened(found: re.Match[str]) -> str:
    columns = found[2].count(", ") + 1
    return f"{found[1]}, ... ({columns} columns)"


def database_of(engine: Any) -> str:
    """Return the name of *engine*'s database: never its URL or password."""
    name = str(engine.url.database or engine.url.get_backend_name())
    # sqlite's database is a path: its last part is enough.
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
