# SPDX-License-Identifier: Apache-2.0
"""Who asked for what: ids, user and path, whatever a client sends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import PLAIN, Profiled, during

from nova_profiler.capture.served.wsgi_facts import (
    checked_id,
    printable_path,
)
from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.record.record_ids import RECORD_ID

REQUEST_ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"


class Context:
    """nova's request context, as far as a record looks at it."""

    def __init__(self, **fields):
        self.auth_token = "gAAAAsecret"
        self.user_id = "u" * 32
        self.project_id = "p" * 32
        self.user_name = "demo"
        self.project_name = "demo project"
        self.remote_address = None
        for name, value in fields.items():
            setattr(self, name, value)


def record_of(path="/v2.1/servers", work=lambda: None, **environ):
    """Return the record of one request that came with *environ*."""
    profiled = Profiled(during(work))
    profiled.get(path, **environ)
    assert profiled.failures.counts() == {}
    return profiled.record


def test_who_asked_is_taken_from_novas_context():
    """Field by field: the token stays out."""
    record = record_of(**{"nova.context": Context()})

    assert record.user_id == "u" * 32
    assert record.project_id == "p" * 32
    assert record.user_name == "demo"
    assert record.project_name == "demo project"
    assert record.remote_address == "192.0.2.7"
    assert "secret" not in json.dumps(record.to_dict())


def test_the_address_behind_a_proxy_is_the_contexts():
    """nova knows who a proxy asked for."""
    record = record_of(
        **{"nova.context": Context(remote_address="198.51.100.9")}
    )

    assert record.remote_address == "198.51.100.9"


def test_without_a_context_nobody_is_named():
    """Requests that no user was found for, and other services."""
    record = record_of()

    assert record.user_id is None
    assert record.user_name is None
    assert record.request_id is None


def test_what_nova_fills_in_on_the_way_is_seen():
    """The ids are in environ only when the request is over."""

    def app(environ, start_response):
        environ["openstack.request_id"] = REQUEST_ID
        environ["openstack.global_request_id"] = REQUEST_ID.replace("6", "7")
        environ["nova.context"] = Context()
        start_response("200 OK", PLAIN)
        return [b"ok"]

    profiled = Profiled(app)
    profiled.get()

    assert profiled.record.request_id == REQUEST_ID
    assert profiled.record.global_request_id == REQUEST_ID.replace("6", "7")
    assert profiled.record.user_name == "demo"


@pytest.mark.parametrize(
    "forged",
    [
        "../../x",
        "req-1/../../x",
        "req 1",
        "req-1\n",
        "",
        "-",
        "x" * 65,
        "réq-1",
        "req-1\x00",
        "req|1:c",
        b"req-1",
        17,
        None,
    ],
)
def test_a_forged_request_id_is_none(forged):
    """It would become a file's name."""
    record = record_of(
        **{
            "openstack.request_id": forged,
            "openstack.global_request_id": forged,
        }
    )

    assert record.request_id is None
    assert record.global_request_id is None


@given(st.text() | st.none() | st.integers())
def test_no_id_but_letters_digits_and_dashes(value):
    """Whatever a client sends."""
    checked = checked_id(value)

    assert checked is None or checked == value
    assert checked is None or set(checked) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
    )


@pytest.mark.parametrize(
    "name",
    [
        "a\nb",
        "\x1b[31mred",
        "a\u2028b",
        "\u202eevil",
        "\udc80",
        "x" * 10_000,
        "\x00",
        "a\r\nINFO forged line",
    ],
    ids=ascii,
)
def test_a_name_with_control_characters_is_one_line(name):
    """A log line and a terminal show it as text."""
    record = record_of(
        **{"nova.context": Context(user_name=name, project_name=name)}
    )

    assert record.user_name.isprintable()
    assert len(record.user_name) <= 2_600
    assert "\n" not in line_of(record)[:-1]
    assert json.loads(line_of(record))["user_name"] == record.user_name


def test_a_name_of_any_language_is_kept():
    """Only what cannot be printed is written in another way."""
    record = record_of(**{"nova.context": Context(user_name="Зоя 张")})

    assert record.user_name == "Зоя 张"


def test_odd_types_of_a_context_are_left_out():
    """Another service's context may hold anything."""
    record = record_of(
        **{"nova.context": Context(user_id=5, user_name=[], project_id=b"x")}
    )

    assert (record.user_id, record.user_name, record.project_id) == (
        None,
        None,
        None,
    )


def test_the_trace_that_came_in_is_kept():
    """So that a trace of others leads to the record."""
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    record = record_of(HTTP_TRACEPARENT=f"00-{trace}-{span}-01")

    assert (record.trace_id, record.span_id) == (trace, span)
    forged = record_of(HTTP_TRACEPARENT="00-forged")
    assert (forged.trace_id, forged.span_id) == (None, None)


def test_a_request_has_an_id_of_its_own():
    """Whatever id the client's request has."""
    first, second = record_of(), record_of()

    assert RECORD_ID.fullmatch(first.record_id)
    assert first.record_id != second.record_id
    assert first.kind == "request"


def test_the_query_is_never_kept():
    """It may hold a password."""
    record = record_of(QUERY_STRING="token=hunter2")

    assert "hunter2" not in json.dumps(record.to_dict())


def test_script_name_is_part_of_the_path():
    """nova's composite takes the version off the path on its way in."""

    def app(environ, start_response):
        environ["SCRIPT_NAME"] = "/v2.1"
        environ["PATH_INFO"] = "/servers"
        start_response("200 OK", PLAIN)
        return [b"ok"]

    profiled = Profiled(app)
    profiled.get("/v2.1/servers")

    assert profiled.record.path == "/v2.1/servers"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v2.1/servers", "/v2.1/servers"),
        ("/a b|c:d", "/a b|c:d"),
        ("/\xc3\xa9", "/%C3%A9"),
        ("/a\nb", "/a%0Ab"),
        ("/\xff", "/%FF"),
        ("", ""),
    ],
)
def test_a_path_is_shown_as_it_was_asked(path, shown):
    """What is not plain is quoted again."""
    assert printable_path(path) == shown


@given(st.text(st.characters(max_codepoint=255)) | st.text())
def test_any_path_is_one_line_of_ascii(path):
    """Also one that no server should hand over."""
    shown = printable_path(path)

    assert shown.isascii()
    assert not shown or shown.isprintable()
    assert len(shown) <= 3 * 1027
