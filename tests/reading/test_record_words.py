# SPDX-License-Identifier: Apache-2.0
"""The words of a record that every view has."""

from __future__ import annotations

import pytest

from nova_profiler.reading.record_words import (
    call_text,
    full_title,
    full_title_of,
    status_of,
)
from nova_profiler.record import RequestRecord


@pytest.mark.parametrize(
    ("kind", "method", "route", "title", "status"),
    [
        ("request", "GET", "/v2.1/servers", "GET /v2.1/servers", "none"),
        ("message", "CAST", "rpc compute x", "CAST rpc compute x", "ok"),
        ("task", "TASK", "task LONG_TASK f", "task LONG_TASK f", "ok"),
        ("periodic", "PERIODIC", "periodic A.b", "periodic A.b", "ok"),
    ],
)
def test_what_is_no_request_has_its_words_once(
    kind, method, route, title, status
):
    """Its route begins with its kind; its outcome stands for a status."""
    record = RequestRecord()
    record.kind, record.method, record.route = kind, method, route

    assert full_title_of(record) == title
    assert status_of(record) == status
    record.status = 404
    assert status_of(record) == "404"


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (("POST", "/v2.1/x/action", "reboot"), "POST /v2.1/x/action reboot"),
        (("GET", "/v2.1/servers", None), "GET /v2.1/servers"),
        (("PERIODIC", "periodic A.b", None), "periodic A.b"),
        (("GET", "", None), "GET no route"),
        (("POST", " ", "reboot"), "POST no route reboot"),
        (("", "/v2.1/servers", None), "no method /v2.1/servers"),
        (("", "", None), "no method no route"),
    ],
)
def test_a_title_of_what_is_no_record(words, title):
    """Sums over many have the same words."""
    assert full_title(*words) == title


@pytest.mark.parametrize(
    ("group", "name", "text"),
    [
        ("sql", "SELECT instances", "SELECT instances"),
        ("db_api", "instance_get", "instance_get"),
        ("lock", "compute_resources", "lock compute_resources"),
        ("fetch", "", "fetch"),
        ("sql", "", "sql"),
    ],
)
def test_a_call_has_its_group_where_its_name_does_not_show_it(
    group, name, text
):
    """Each has words, whatever a file of others has none of."""
    assert call_text(group, name) == text
