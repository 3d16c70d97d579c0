# SPDX-License-Identifier: Apache-2.0
"""Names and texts of SQL statements, without a single value in them."""

from __future__ import annotations

import gc
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from nova_profiler.capture import sql
from nova_profiler.capture.sql import (
    MAX_KEPT,
    MAX_SCANNED,
    WITHHELD,
    database_of,
    database_of_pool,
    fingerprint_of,
    name_of_statement,
)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT a FROM instances WHERE id = 1", "SELECT instances"),
        ("select 1", "SELECT"),
        ("INSERT INTO `nova`.`instances` (a) VALUES (?)", "INSERT instances"),
        ('UPDATE "user" SET a = ?', "UPDATE user"),
        ("DELETE FROM [tasks]", "DELETE tasks"),
        ("SELECT a FROM (SELECT b FROM cells) AS c", "SELECT cells"),
        ("/* FROM a */ SELECT b -- FROM c\nFROM d", "SELECT d"),
        ("WITH x AS (SELECT 1) DELETE FROM y", "DELETE y"),
        ("(SELECT a FROM b) UNION (SELECT a FROM c)", "SELECT b"),
        ("SELECT 'a FROM x', b FROM y", "SELECT y"),
        ("DROP TABLE IF EXISTS old_rows", "DROP old_rows"),
        ("SAVEPOINT sa_savepoint_1", "SAVEPOINT"),
        ("PRAGMA table_info(instances)", "PRAGMA"),
        ("SHOW TABLES FROM nova", "SHOW"),
        ("frobnicate FROM x", "OTHER"),
        ("", "OTHER"),
        ("§", "OTHER"),
    ],
)
def test_a_statement_is_named_by_its_verb_and_table(statement, name):
    """Whatever the quotes, comments, schemas and subqueries."""
    assert name_of_statement(statement) == name


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT 'a\\' FROM secret ' FROM t", "SELECT"),
        ('SELECT "a FROM secret" FROM t', "SELECT t"),
        ('SELECT SUBSTRING(a FROM "secret") FROM t', "SELECT t"),
        ("SELECT a, 'FROM secret", "SELECT"),
        ('SELECT a, "FROM secret', "SELECT"),
    ],
)
def test_a_name_is_never_taken_from_a_value(statement, name):
    """The text does not tell which database reads it: neither reading."""
    assert name_of_statement(statement) == name


@pytest.mark.parametrize(
    "statements",
    [
        ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = -2.5e-3"),
        ("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = 'y''z'"),
        ("SELECT a /* 1 */ FROM t", "SELECT a  \n FROM t -- end"),
        (
            "SELECT a FROM t WHERE b IN (?, ?)",
            "SELECT a FROM t WHERE b IN (?, ?, ?, ?, NULL)",
        ),
        (
            "INSERT INTO t (a, b) VALUES (%s, %s)",
            "INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s), (%s, %s)",
        ),
        (
            "SELECT a FROM t WHERE b IN (%(b_1)s)",
            "SELECT a FROM t WHERE b IN (%(b_1)s, %(b_2)s)",
        ),
    ],
)
def test_statements_that_differ_in_values_are_one(statements):
    """Values, comments, white space and the length of lists do not count."""
    first, second = statements

    assert fingerprint_of(first) == fingerprint_of(second)


def test_names_of_columns_keep_their_digits():
    """``anon_1`` and ``ipv4`` are names and no values."""
    text = "SELECT anon_1.ipv4 FROM t1 AS anon_1 WHERE a = :a_1 AND b = $2"

    assert fingerprint_of(text) == text


def test_quoted_names_stay():
    """Backticks, and double quotes outside of the MySQL family."""
    assert fingerprint_of('SELECT "it\'s" FROM t') == 'SELECT "it\'s" FROM t'
    assert fingerprint_of("SELECT `a'b` FROM t", True) == (
        "SELECT `a'b` FROM t"
    )


def test_a_long_list_of_columns_is_shortened():
    """What follows it, tables and conditions, says more."""
    columns = ", ".join(
        f"instances.column_{n} AS instances_column_{n}" for n in range(87)
    )
    where = "FROM instances WHERE instances.uuid = ?"

    text = fingerprint_of(f"SELECT {columns} {where}")

    assert text == (
        "SELECT instances.column_0 AS instances_column_0, ... (87 columns) "
        + where
    )


def test_a_long_update_is_shortened():
    """Its list of assignments is a list of columns."""
    columns = ", ".join(f"a_rather_long_column_{n}=?" for n in range(99))

    text = fingerprint_of(f"UPDATE t SET {columns} WHERE t.id = ?")

    assert text == (
        "UPDATE t SET a_rather_long_column_0=?, ... (99 columns) "
        "WHERE t.id = ?"
    )


def test_a_text_of_any_length_is_cut():
    """Neither the time it takes nor what is kept grows with it."""
    text = fingerprint_of("SELECT f(a) " + "AND g(b) " * 100_000)

    assert len(text) == MAX_KEPT
    assert text.endswith(" ...")


_PARTS = [
    *("a", "$a", " $a$", "a, ", "a AS ", "(?,", "/*", "-- ", "1", "'", "\\'"),
    *('"', "`", "\\'a ", "'a ", '"a ', "e'\\", "$$ ", "#\n", "FROM (", ") "),
    *("E'\\' ", "FROM        1 ", "\\", "''", "'\\''", "(", ":a", "\0"),
]


@pytest.mark.parametrize("part", _PARTS)
@pytest.mark.parametrize("mysql", [False, True])
def test_no_text_takes_long(part, mysql):
    """Work that grew with the square of the length would never end."""
    statement = "SELECT " + part * 20_000

    assert len(fingerprint_of(statement, mysql)) <= MAX_KEPT
    assert name_of_statement(statement).startswith("SELECT")


@pytest.mark.parametrize("mysql", [False, True])
def test_each_part_of_a_text_is_looked_at_once(mysql):
    """Of distinct tags each would have been looked for to the end."""
    tags = " ".join(f"$a{number}$" for number in range(4_000))

    assert len(fingerprint_of("SELECT " + tags, mysql)) <= MAX_KEPT


@given(
    st.sampled_from(["'", '"', "`", "e'", "E'", "$$", "$a$", "/*", "--", "#"]),
    st.text(st.sampled_from("ab'\"`\\$*/-#e \n"), max_size=40),
    st.booleans(),
)
def test_what_is_opened_is_never_looked_at_again(opening, rest, mysql):
    """It has an end or goes on to the end of the text.

    A search that failed behind an opening would begin anew at the next one,
    and take the square of the length.
    """
    if mysql and opening in ("e'", "E'", "$$", "$a$"):
        opening = "'"
    if mysql and opening == "--":
        opening = "-- "
    if not mysql and opening == "#":
        opening = "--"

    found = sql._OPAQUE[mysql].match(opening + rest)

    assert found is not None
    if sql._has_no_end(found):
        assert found.end() == len(opening + rest)
        assert WITHHELD in fingerprint_of(opening + rest, mysql)


def test_a_value_that_is_cut_in_two_is_not_kept():
    """Its closing quote lies beyond what is looked at."""
    statement = "INSERT INTO t VALUES ('" + "s" * MAX_SCANNED + "')"

    assert fingerprint_of(statement) == f"INSERT t {WITHHELD}"


SECRET = "SECRETxyz"
_filler = st.text(st.sampled_from("ab19 ,;%?$:#-/*\n_.()`eFROM"), max_size=12)


def _escaped(text: str, quote: str, backslash: bool) -> str:
    if backslash:
        text = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
        return quote + text + quote
    return quote + text.replace(quote, quote * 2) + quote


@st.composite
def _literals(draw, mysql: bool) -> str:
    """Draw a literal with the secret in it, as one family writes them."""
    text = draw(_filler) + SECRET + draw(_filler)
    text += draw(
        st.sampled_from(["", "'", '"', "''", "\\", "\\'", "--", "\\\\"])
    )
    if mysql:
        quote = draw(st.sampled_from("'\""))
        backslash = draw(st.booleans())
        if not backslash:
            text = text.replace("\\", "")
        prefix = draw(st.sampled_from(["", "N", "_utf8mb4", "x", " "]))
        return prefix + _escaped(text, quote, backslash)
    kind = draw(st.sampled_from(["plain", "E", "dollar", "tagged"]))
    if kind == "plain":
        return _escaped(text, "'", False)
    if kind == "E":
        return draw(st.sampled_from("eE")) + _escaped(text, "'", True)
    tag = "$q$" if kind == "tagged" else "$$"
    return tag + text.replace("$", "") + tag


def _statement(parts: list[str], gaps: list[str]) -> str:
    text = "SELECT a FROM t WHERE b = "
    for part, gap in zip(parts, gaps, strict=False):
        text += part + gap
    return text


_gaps = st.lists(
    st.sampled_from(
        [
            ", ",
            " AND c = ",
            " /* it's */ OR d = ",
            " -- it's\n OR e = ",
            " || ",
            ' OR "f" = ',
            " OR `g` = ",
        ]
    ),
    min_size=4,
    max_size=4,
)


@given(st.lists(_literals(mysql=False), min_size=1, max_size=4), _gaps)
def test_no_value_survives_in_standard_sql(literals, gaps):
    """PostgreSQL's and SQLite's strings, whatever stands in them."""
    statement = _statement(literals, gaps)

    assert SECRET not in fingerprint_of(statement, False)
    assert SECRET not in name_of_statement(statement)


@given(st.lists(_literals(mysql=True), min_size=1, max_size=4), _gaps)
def test_no_value_survives_in_mysql(literals, gaps):
    """Single and double quotes, doubled or escaped with a backslash."""
    gaps = [gap.replace('"f"', "f") for gap in gaps]
    statement = _statement(literals, gaps)

    assert SECRET not in fingerprint_of(statement, True)
    assert SECRET not in name_of_statement(statement)


@given(
    st.lists(_literals(mysql=True), min_size=1, max_size=4),
    _gaps,
    st.integers(0, 200),
)
def test_no_value_survives_a_cut(literals, gaps, end):
    """A text may end in the middle of a value."""
    statement = _statement(literals, gaps)[:end]

    assert SECRET not in fingerprint_of(statement, True)
    assert SECRET not in name_of_statement(statement)


@given(
    st.from_regex(
        r"[-+ (,=](77001122|\.77001122|0x77001122|77001122[.]5e-7)",
        fullmatch=True,
    )
)
def test_no_number_survives(number):
    """Whole, broken, hexadecimal, signed."""
    assert "77001122" not in fingerprint_of(f"SELECT a FROM t WHERE b{number}")


def test_a_database_is_named_without_its_url(tmp_path):
    """The URL holds a password, the file a path."""
    engine = create_engine(f"sqlite:///{tmp_path}/nova_cell1.db")
    memory = create_engine("sqlite://")

    assert database_of(engine) == "nova_cell1.db"
    assert database_of(memory) == "sqlite"


def test_a_pool_is_named_by_its_engine():
    """By the kind of database where no engine is known."""
    engine = create_engine("sqlite:///nova")
    other = create_engine("sqlite://")

    assert database_of_pool(engine.pool, [other, engine]) == "nova"
    assert database_of_pool(engine.pool, []) == "sqlite"
    assert database_of_pool(object(), []) == "database"


def test_a_long_list_of_values_does_not_make_another_text():
    """Each length of an IN list is a text of its own; its name is not."""
    columns = ", ".join(f"instances.column_{n}" for n in range(90))
    cached = sql._cached_name.cache_info().currsize

    names = {
        name_of_statement(
            f"SELECT anon_1.id FROM (SELECT {columns} FROM instances WHERE "
            f"instances.uuid IN ({', '.join(['?'] * count)})) AS anon_1"
        )
        for count in range(300, 340)
    }

    assert names == {"SELECT instances"}
    assert sql._cached_name.cache_info().currsize <= cached + 1


def test_a_statement_of_usual_length_is_known_again():
    """Its head would be cut out and hashed each time."""
    columns = ", ".join(f"instances.column_{n}" for n in range(90))
    statement = f"SELECT {columns} FROM instances"
    name_of_statement(statement)
    before = sql._known_name.cache_info()

    assert name_of_statement(statement) == "SELECT instances"

    after = sql._known_name.cache_info()
    assert (after.hits, after.misses) == (before.hits + 1, before.misses)


def test_huge_statements_are_not_held():
    """A megabyte of literals must not stay in a cache."""
    for number in range(40):
        fingerprint_of(f"INSERT INTO t VALUES ({number}, '{'x' * 1_000_000}')")
        name_of_statement(
            f"INSERT INTO t{number} VALUES ('{'x' * 1_000_000}')"
        )

    # No modules: asked for what it refers to, that of asyncio gives freed
    # memory up to Python 3.12.5 and 3.13.0 (python/cpython#122695), and a
    # garbage collection hangs later on.
    holders = [
        one
        for one in gc.get_objects()
        if not isinstance(one, types.ModuleType)
    ]
    held = [
        one
        for one in gc.get_referents(*holders)
        if type(one) is str and len(one) > 500_000
    ]
    assert held == []
