# SPDX-License-Identifier: Apache-2.0
"""Requests in a trace of osprofiler, the client's beside the service's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.cli import main
from nova_profiler.reading.logs import Unread, entries_of
from nova_profiler.reading.logs.files.osprofiler_traces import lines_of
from nova_profiler.reading.logs.files.recoding import packing_of
from nova_profiler.reading.logs.forms import BAD_RECORD

SERVER = "5f0c7a10-aaaa-4bbb-8ccc-000000000002"


def point(
    name: str,
    began: float,
    ended: float,
    start: dict,
    stop: dict | None = None,
    *children: dict,
    project: str = "nova",
    service: str = "osapi_compute",
    exception: str = "None",
) -> dict:
    """Return a point of a trace that began at 08:00 UTC, in seconds."""

    def payload(end: str, second: float, info: dict | None) -> dict:
        return {
            "name": f"{name}-{end}",
            "info": {"host": "ctl-1", **(info or {})},
            "service": service,
            "timestamp": f"2026-03-04T08:00:{second:09.6f}",
            "project": project,
        }

    return {
        "info": {
            "name": name,
            "project": project,
            "service": service,
            "host": "ctl-1",
            f"meta.raw_payload.{name}-start": payload("start", began, start),
            "started": int(began * 1000),
            f"meta.raw_payload.{name}-stop": payload(
                "stop", ended, stop or {}
            ),
            "finished": int(ended * 1000),
            "exception": exception,
        },
        "parent_id": "p",
        "trace_id": f"{name}{began}",
        "children": list(children),
    }


def served(method: str, path: str) -> dict:
    return {"request": {"path": path, "query": "", "method": method}}


def sent(method: str, url: str) -> dict:
    path = "/" + url.split("/", 3)[3]
    return {"requests": {"method": method, "url": url, "path": path}}


def trace() -> dict:
    """Return the trace of a POST whose nova asks neutron for ports."""
    db = point("db", 1.0, 1.25, {"db": {"statement": "SELECT 1"}})
    neutron = point(
        "wsgi", 2.25, 4.125, served("GET", "/v2.0/ports"), None,
        project="neutron", service="neutron",
    )  # fmt: skip
    asked = point(
        "http_client", 2.0, 4.5, sent("GET", "http://10.0.0.1:9696/v2.0/ports"),
        {"requests": {"status_code": 200}}, neutron,
    )  # fmt: skip
    failed = point(
        "wsgi", 5.0, 5.5, served("GET", f"/v2.1/servers/{SERVER}"), None,
        exception="DBConnectionError",
    )  # fmt: skip
    post = point(
        "wsgi", 0.5, 5.000125, served("POST", "/v2.1/servers"), None, db, asked
    )
    return {
        "info": {"name": "total", "started": 0, "finished": 5500,
                 "last_trace_started": 5000},
        "children": [post, failed],
        "stats": {"wsgi": {"count": 3, "duration": 6875}},
    }  # fmt: skip


def calls(tmp_path, text, unread=None):
    path = tmp_path / "trace.json"
    path.write_text(text)
    return list(entries_of([str(path)], unread or Unread()))


@pytest.mark.parametrize("indent", [2, None])
def test_each_request_once(tmp_path, indent):
    """The one that nova sent has neutron's own time beside it."""
    found = calls(tmp_path, json.dumps(trace(), indent=indent))

    assert [
        (one.service, one.method, one.route, one.status, one.ms)
        for one in found
    ] == [
        ("nova-api", "POST", "/v2.1/servers", 0, 4500.125),
        ("neutron-server", "GET", "/v2.0/ports", 200, 2500.0),
        ("nova-api", "GET", "/v2.1/servers/{id}", 500, 500.0),
    ]
    assert [one.server_ms for one in found] == [None, 1875.0, None]
    assert found[1].at == 1772611204.5


def test_the_difference_is_told(tmp_path, capsys):
    """What the client waited and the service did not work."""
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(trace(), indent=2))

    assert main(["report", str(path)]) == 0

    assert (
        "of 2500.0 ms in 1 call the services' own logs have 1875.0 ms, "
        "625.0 ms less" in capsys.readouterr().out
    )


def test_a_service_that_logs_the_same_request(tmp_path):
    """They are one call, with the client's time."""
    (tmp_path / "neutron-server.log").write_text(
        "2026-03-04 08:00:04.125 8 INFO neutron.wsgi [req-7a7a7a7a-0000-4000-"
        '8000-000000000001 u p - - -] 192.0.2.7 "GET /v2.0/ports HTTP/1.1" '
        "status: 200  len: 700 time: 1.8740000\n"
    )
    (tmp_path / "trace.json").write_text(json.dumps(trace(), indent=2))

    found = [
        one
        for one in entries_of([str(tmp_path)], Unread())
        if one.route == "/v2.0/ports"
    ]

    assert [(one.ms, one.server_ms) for one in found] == [(2500.0, 1874.0)]
    assert found[0].request_id is not None


def test_a_trace_that_was_cut(tmp_path):
    """It is one object: counted as damaged."""
    unread = Unread()

    assert calls(tmp_path, json.dumps(trace(), indent=2)[:-400], unread) == []
    assert [tuple(kind)[:2] for kind in unread] == [(BAD_RECORD, 1)]


def test_a_deep_trace_is_no_fault(tmp_path):
    """Deeper than the interpreter goes."""
    unread = Unread()
    text = '{"info": {"last_trace_started": 1}, "children": ['
    text += '{"children": [' * 100_000

    assert calls(tmp_path, text + "]}" * 100_001, unread) == []
    assert [kind.kind for kind in unread] == [BAD_RECORD]


def test_half_of_a_character_and_a_boolean(tmp_path):
    """JSON may have both where a path and a status are expected."""
    odd = point(
        "http_client", 1.0, 2.0, sent("GET", "http://10.0.0.1:9696/v2.0/x\ud800"),
        {"requests": {"status_code": True}},
    )  # fmt: skip
    unread = Unread()
    text = json.dumps({"info": {"last_trace_started": 0}, "children": [odd]})

    (found,) = calls(tmp_path, text, unread)

    assert (found.service, found.status, found.ms) == (
        "neutron-server", 0, 1000.0,
    )  # fmt: skip
    assert list(unread) == []


def test_other_json_is_no_trace():
    """The words of a trace are in its begin."""
    text = json.dumps(trace(), indent=2).encode()

    assert packing_of(text) == "osprofiler"
    assert packing_of(b'{"info": {"name": "x"}}') is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["info", "children", "request", "requests", "path", "method",
                 "url", "status_code", "timestamp", "started", "finished",
                 "meta.raw_payload.wsgi-start", "meta.raw_payload.wsgi-stop",
                 "meta.raw_payload.http_client-start"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_any_tree_makes_lines_or_none(value):
    """Whatever stands in it, a line stays a line."""
    for line in lines_of(json.dumps(value).encode()):
        assert line.count(b"\n") == 1
