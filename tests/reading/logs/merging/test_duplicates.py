# SPDX-License-Identifier: Apache-2.0
"""However many lines tell of a request, it is one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.merging import duplicates
from nova_profiler.reading.logs.merging.spool import Spool, spooled
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.routes import UNMATCHED


def entry(form: str, at: float | None = 100.0, **fields) -> AccessEntry:
    made = AccessEntry(
        form, "nova-api", at, "GET", "/v2.1/servers", 200, 20.0, 389
    )
    return made._replace(**fields)


def merged(*entries: AccessEntry) -> list[AccessEntry]:
    spool = Spool()
    spool.add(map(spooled, entries))
    count = spool.merge(Unread())
    left = list(spool.entries())
    spool.close()
    assert count == len(entries) - len(left)
    return left


def test_the_line_that_tells_most_is_kept():
    """Ours, then requestlog, the server's own, uWSGI, Apache."""
    lines = [
        entry("apache"),
        entry("uwsgi"),
        entry("wsgi.server", request_id="req-1", response_bytes=700),
        entry("requestlog", request_id="req-1"),
        entry("log_file", request_id="req-1"),
    ]

    assert [one.form for one in merged(*lines)] == ["log_file"]
    assert [one.form for one in merged(*lines[:-1])] == ["requestlog"]
    assert [one.form for one in merged(*lines[:3])] == ["wsgi.server"]
    assert [one.form for one in merged(*lines[:2])] == ["uwsgi"]


def test_the_same_id_is_the_same_request_at_any_time():
    """Records are in UTC, and a host's clock may not be."""
    left = merged(
        entry("requestlog", at=3700.0, request_id="req-1"),
        entry("log_file", at=100.0, request_id="req-1"),
    )

    assert [one.form for one in left] == ["log_file"]


def test_lines_of_one_form_are_never_the_same_request():
    """A form logs a request once, if time or duration differ."""
    left = merged(
        *[entry("uwsgi")] * 3,
        *[entry("requestlog", request_id="req-1", at=at) for at in (100, 101)],
        entry("requestlog", request_id=None, response_bytes=1),
    )

    # Three requests by uWSGI's lines, two of which requestlog has, too;
    # the one of another size is a fourth.
    assert sorted(one.form for one in left) == [
        "requestlog", "requestlog", "requestlog", "uwsgi",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"at": 103.0},
        {"at": None},
        {"method": "POST"},
        {"status": 404},
        {"route": "/v2.1/flavors"},
        {"response_bytes": 390},
    ],
)
def test_what_differs_is_another_request(other):
    """Time, method, route, status and size have to agree."""
    assert len(merged(entry("uwsgi"), entry("requestlog", **other))) == 2


@pytest.mark.parametrize(
    "same",
    [
        {"at": 101.2},
        {"at": 98.8},
        {"response_bytes": None},
        {"route": "unmatched"},
        # Its size counts the headers as well.
        {"form": "wsgi.server", "response_bytes": 712},
    ],
)
def test_what_one_form_does_not_know_may_differ(same):
    """Whole seconds, sizes that were not known, routes that were not."""
    line = entry("log_file", request_id="req-1")._replace(
        **{"form": "requestlog", **same}
    )

    assert len(merged(entry("uwsgi"), line)) == 1


def test_a_busy_second():
    """Many requests of one route in a second are all there, once."""
    random.seed(7)
    lines = []
    for number in range(500):
        at = 100 + number / 50
        size = 300 + number % 3
        lines.append(
            entry("requestlog", at=at, request_id=f"req-{number}",
                  response_bytes=size)
        )  # fmt: skip
        lines.append(entry("uwsgi", at=float(int(at)), response_bytes=size))
    random.shuffle(lines)

    left = merged(*lines)

    assert {one.request_id for one in left} == {
        f"req-{number}" for number in range(500)
    }
    assert len(left) == 500


FORMS = ("log_file", "requestlog", "wsgi.server", "uwsgi", "apache")


@given(
    st.lists(
        st.builds(
            entry,
            st.sampled_from(FORMS),
            at=st.none() | st.floats(0, 20),
            request_id=st.none() | st.sampled_from(["req-1", "req-2"]),
            response_bytes=st.none() | st.integers(0, 2),
        ),
        max_size=20,
    )
)
def test_never_fewer_than_one_form_alone_tells(lines):
    """Merging takes no request away that a form logged by itself."""
    left = merged(*lines)

    assert len(left) >= len({one.request_id for one in lines} - {None})
    for form in FORMS:
        alone = [
            one for one in lines if one.form == form and one.request_id is None
        ]
        assert len(left) >= len(alone)
    assert len(left) <= len(lines)
    assert bool(left) == bool(lines)


def test_entries_come_back_as_they_were():
    """All fields, in the order they came."""
    lines = [
        entry("uwsgi", at=number * 10.0, breakdown_ms={"sql": 1.5})
        for number in range(100)
    ]

    assert merged(*lines) == lines


def test_an_example_of_what_was_merged():
    """In words, as no line is kept."""
    spool = Spool()
    assert spool.dropped_example() == ""
    spool.add(map(spooled, [entry("uwsgi"), entry("requestlog")]))
    spool.merge(Unread())

    assert spool.dropped_example() == "uwsgi: GET /v2.1/servers 200"
    spool.close()


def test_a_second_of_many_routes_takes_linear_time(monkeypatch):
    """Lines without a route are compared with a few of the others."""
    compared = []
    may_have = duplicates._Request.may_have

    def counted(request, line):
        compared.append(1)
        return may_have(request, line)

    monkeypatch.setattr(duplicates._Request, "may_have", counted)
    count = 3_000
    lines = [
        duplicates.Line(
            *(number, rank, None, 1.0, "GET 200", route, None, 1.0),
            service="nova-api",
            is_outer=False,
        )
        for rank, routes in enumerate(
            ([f"/r{n}" for n in range(count)], [UNMATCHED] * count)
        )
        for number, route in enumerate(routes, rank * count)
    ]

    list(duplicates.of_near_times(lines))

    assert len(compared) <= 400 * count
