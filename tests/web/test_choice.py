# SPDX-License-Identifier: Apache-2.0
"""All of a choice stands in the URL, and comes back from it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

import pytest
from builders import numbered, one_of_each_kind, slow_rebuild, written
from hypothesis import example, given, settings
from hypothesis import strategies as st
from web_pages import still_index

from nova_profiler.dump_store import DumpStore
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.web.choice import Choice, ChoiceError, choice_of
from nova_profiler.web.index import Index
from nova_profiler.web.rows import Row, read_row
from nova_profiler.web.tables import Held
from nova_profiler.web.tables.columns import Columns
from nova_profiler.web.tables.entries import arrays_of_entries
from nova_profiler.web.tables.names import Names
from nova_profiler.web.tables.table import Table


def chosen(rows, **parameters):
    """Return the ends of the ids of the rows that *parameters* choose."""
    found = choice_of(parameters).of(rows)
    return [row.entry.id_prefix[-1] for row in found]


@pytest.fixture
def rows(tmp_path):
    written(
        tmp_path,
        slow_rebuild(),
        numbered(1, user_name="ops", host="b", breakdown_ms={"sql": 90.0}),
        numbered(2, status=503, outcome="failed", service="nova-metadata"),
        numbered(3, status=404),
    )
    return still_index(tmp_path).rows


@pytest.mark.parametrize(
    ("parameters", "ends"),
    [
        ({}, ["8", "3", "2", "1"]),
        ({"route": "POST /v2.1/servers/{id}/action rebuild"}, ["8"]),
        ({"user": "ops"}, ["1"]),
        ({"project": "TestServerDiskConfig"}, ["8"]),
        ({"host": "b"}, ["1"]),
        ({"service": "nova-metadata"}, ["2"]),
        ({"outcome": "failed"}, ["2"]),
        ({"part": "sql"}, ["1"]),
        ({"status": "404"}, ["3"]),
        ({"status": "5XX"}, ["2"]),
        ({"min_ms": "102", "max_ms": "103"}, ["2"]),
        ({"since": "2026-11-10T08:00:02"}, ["8", "3", "2"]),
        ({"until": "2026-11-10T08:00:02 00:00"}, ["1"]),
        ({"user": "ops", "host": "a"}, []),
        ({"unknown": "x"}, ["8", "3", "2", "1"]),
    ],
)
def test_requests_are_chosen_by_the_url(rows, parameters, ends):
    """By what dumps hold, and by several at once."""
    assert chosen(rows, **parameters) == ends


@pytest.mark.parametrize(
    ("age", "ends"),
    [("30m", ["8"]), ("2h", ["8", "3"]), ("9999999w", ["8", "3", "2"])],
)
def test_an_age_is_that_of_the_moment(tmp_path, age, ends):
    """As commands take it; in links it is a time, so that pages stay apart."""
    now = datetime.now(timezone.utc)
    written(
        tmp_path,
        *(
            numbered(n, started_at=(now - timedelta(minutes=ago)).isoformat())
            for n, ago in ((2, 500), (3, 60), (8, 5))
        ),
    )
    index = Index([DumpStore(tmp_path)])
    index.look_up_names()

    assert chosen(index.rows, since=age) == ends
    assert choice_of({"until": age}).link().startswith("?until=")
    assert age not in choice_of({"until": age}).link()


def test_a_kind_chooses_dumps_that_are_only_named(tmp_path):
    """Their names have it."""
    written(tmp_path, *one_of_each_kind())
    index = Index([DumpStore(tmp_path)])
    index.look_up_names()

    assert chosen(index.rows, kind="request") == ["0"]
    assert chosen(index.rows, kind="periodic") == ["3"]


def test_a_route_chooses_dumps_that_are_only_named(tmp_path):
    """Their names have the route in other characters, without the action."""
    written(tmp_path, slow_rebuild(), numbered(1))
    index = Index([DumpStore(tmp_path)])
    index.look_up_names()

    route = "POST /v2.1/servers/{id}/action rebuild"

    assert chosen(index.rows, route=route) == ["8"]
    assert chosen(index.rows, status="202") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("min_ms", "nan"),
        ("max_ms", "-1"),
        ("min_ms", "1e999"),
        ("page", "0"),
        ("page", "1e300"),
        ("sort", "colour"),
        ("kind", "teapot"),
        ("status", "teapot"),
        ("since", "yesterday"),
    ],
)
def test_what_cannot_be_is_named(name, text):
    """With the parameter, and what is expected."""
    with pytest.raises(ChoiceError, match=rf"^{name} = {text}: expected"):
        choice_of({name: text})


TEXT = st.text(st.characters(codec="utf-8"), max_size=30).map(str.strip)


CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "route": TEXT,
        "user": TEXT,
        "part": TEXT,
        "status": st.sampled_from(["404", "5xx"]),
        "min_ms": st.floats(0, 1e15),
        "sort": st.sampled_from(["time", "-ms", "user"]),
        "page": st.integers(1, 9),
    },
).map(lambda fields: Choice(**fields))


@given(CHOICES)
def test_a_link_leads_back_to_the_choice(choice):
    """Whatever the names are."""
    query = choice.link(page=choice.page).removeprefix("?")

    assert choice_of(dict(parse_qsl(query))) == choice


@example({"kind": ":\n0"})
@given(st.dictionaries(st.sampled_from(Choice._fields), st.text(max_size=20)))
def test_any_url_is_a_choice_or_an_error(parameters):
    """Nothing else is raised, and rows can be asked for."""
    try:
        choice = choice_of(parameters)
    except ChoiceError as exc:
        assert "\n" not in str(exc).partition(":")[2]
        return
    assert len(choice.of([])) == 0


texts = st.one_of(st.none(), st.text(max_size=3), st.text(min_size=190))


@settings(max_examples=40)
@example(words=("GET", "", None), user=" ", user_id="u")
@example(words=("", "", None), user=None, user_id="")
@example(words=("GET", "/x ", "y "), user=" demo", user_id="u")
@given(st.tuples(texts, texts, texts), texts, texts)
def test_what_a_table_shows_is_what_it_is_chosen_by(words, user, user_id):
    """Of a dump as of a log: no row has a name that no link leads to."""
    method, route, action = (word or "" for word in words)
    record = numbered(
        1, method=method, route=route, action=action, user_name=user,
        user_id=user_id or "", service=route,
    )  # fmt: skip
    dump = Row("0/x/y", None, 1.0, 5.0, "GET x")
    entry = AccessEntry(
        form="f", service=route, at=1.0, method=method, route=route,
        status=200, ms=5.0, response_bytes=None, request_id=None,
        global_request_id=None, user_id=user_id, user_name=user,
        project_id=None, project_name=None, remote_address=None,
        db_api_ms=None, db_api_calls=None, breakdown_ms={route: 5.0},
    )  # fmt: skip
    names = Names()
    of_logs = Columns(names)
    of_logs.extend(arrays_of_entries([entry], names))
    held = Held(of_logs, lambda number: ("1/x/y", None))

    for table in (
        Table.of([read_row(dump, record)]),
        Table.of_sources([held], names),
    ):
        [row] = table
        assert row.title.strip() == row.title != ""
        for name in ("title", "user", "service", "part", "project"):
            value = getattr(row, name)
            field = "route" if name == "title" else name
            link = Choice(**{field: value}).link()
            choice = choice_of(dict(parse_qsl(link[1:])))
            assert choice.of(table)[:] == [row]
            assert not value or choice.filters[field] == value
