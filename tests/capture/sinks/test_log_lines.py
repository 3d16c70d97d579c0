# SPDX-License-Identifier: Apache-2.0
"""Log lines: one a request, one a DB API call."""

from __future__ import annotations

import json
import logging

import pytest
from builders import parallel_detail, record, slow_rebuild
from hypothesis import given
from hypothesis import strategies as st
from oslo_log import formatters

from nova_profiler.capture.sinks.log_lines import (
    CALLS,
    REQUESTS,
    CallLogSink,
    RequestLogSink,
    text_format,
)


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logged(monkeypatch):
    """Return the log records so far; both loggers are at INFO."""
    handler = _Kept()
    loggers = (REQUESTS, CALLS)
    for logger in loggers:
        monkeypatch.setattr(logger, "handlers", [handler])
        logger.setLevel(logging.INFO)
    yield handler.records
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


def _emit(made, on: bool = True) -> None:
    RequestLogSink(lambda record: on).emit(made)


def test_a_request_is_one_line(logged):
    """Method, path, status, time, calls, user and project."""
    _emit(slow_rebuild())

    [line] = logged
    assert line.name == "nova_profiler.requests"
    assert line.levelno == logging.INFO
    assert line.getMessage() == (
        "POST /v2.1/servers/2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4/action 202 "
        "3117.4 ms, db_api 15 calls 840.0 ms 26.9 %, sql 22 calls 150.3 ms, "
        "fetch 18 calls 26.0 ms, transaction 6 calls 12.0 ms, "
        "user=TestServerDiskConfig-user project=TestServerDiskConfig"
    )


def test_parallel_calls_have_a_share_of_the_clock(logged):
    """450 ms of calls in 290 ms of 400: 72.5 %."""
    _emit(parallel_detail())

    assert "db_api 6 calls 450.0 ms 72.5 %," in logged[0].getMessage()


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, "42.5 ms, user=demo project=demo"),
        ({"user_name": None}, f"user={'0f' * 16} project=demo"),
        (
            {"user_name": None, "user_id": None, "project_name": ""},
            f"user=- project={'1e' * 16}",
        ),
        ({"project_name": None, "project_id": None}, "user=demo project=-"),
    ],
)
def test_users_are_named_as_far_as_they_are_known(logged, fields, end):
    """By name, by id, or not at all."""
    _emit(record(**fields))

    assert logged[0].getMessage().endswith(end)


def test_a_request_of_no_time_has_no_share(logged):
    """A clock may stand still."""
    made = slow_rebuild()
    made.duration_ms = 0.0

    _emit(made)

    assert "db_api 15 calls 840.0 ms, sql" in logged[0].getMessage()


def test_the_arguments_are_the_record(logged):
    """One dict of its fields, without what only a dump has."""
    made = slow_rebuild()

    _emit(made)

    expected = made.to_dict()
    del expected["timeline"]
    del expected["statements"]
    assert logged[0].args == expected


@pytest.mark.parametrize(
    "formatter",
    [
        lambda line: json.loads(formatters.JSONFormatter().format(line)),
        lambda line: formatters.FluentFormatter().format(line),
    ],
    ids=["json", "fluent"],
)
def test_oslo_log_carries_all_fields(logged, formatter):
    """Both of its formatters for programs have them as extra."""
    made = slow_rebuild()

    _emit(made)

    line = formatter(logged[0])
    assert line["message"] == logged[0].getMessage()
    assert line["extra"] == logged[0].args


@given(
    st.text(max_size=30),
    st.none() | st.text(max_size=20),
    st.none() | st.text(max_size=20),
)
def test_no_text_of_a_client_is_a_format(path, user, project):
    """A percent sign in a path or a name is only that."""
    made = slow_rebuild()
    made.path, made.user_name, made.project_name = path, user, project

    line = text_format(made) % made.to_dict()

    assert f" {path} 202 " in line
    assert not user or f"user={user} " in line


def test_it_can_be_switched_off(logged):
    """By the option log_requests, while running."""
    _emit(record(), on=False)

    assert logged == []


def test_a_disabled_logger_costs_nothing(caplog, monkeypatch):
    """The dict is only made where somebody wants it."""
    caplog.set_level(logging.WARNING, logger=REQUESTS.name)
    made = record()

    def never(record) -> bool:
        raise AssertionError("asked for nothing")

    RequestLogSink(never).emit(made)

    assert caplog.records == []


def test_each_db_api_call_is_a_line(logged):
    """Module, function and seconds, in their order."""
    calls = [
        ("nova.db.main.api.instance_get_by_uuid", 0.1204),
        ("nova.db.main.api.action_start", 0.0001),
    ]

    CallLogSink().emit(record(db_api_calls=calls))

    assert [line.name for line in logged] == ["nova_profiler.calls"] * 2
    assert [line.getMessage() for line in logged] == [
        "nova.db.main.api.instance_get_by_uuid 0.120 sec",
        "nova.db.main.api.action_start 0.000 sec",
    ]


@pytest.mark.parametrize("calls", [None, []])
def test_without_calls_there_is_no_line(logged, calls):
    """Option log_calls is off, or none was made."""
    CallLogSink().emit(record(db_api_calls=calls))

    assert logged == []


def test_a_disabled_logger_of_calls_gets_none(caplog):
    """As the operator has set it."""
    caplog.set_level(logging.WARNING, logger=CALLS.name)

    CallLogSink().emit(record(db_api_calls=[("a.b", 1.0)]))

    assert caplog.records == []
