# SPDX-License-Identifier: Apache-2.0
"""What was found is read: text and JSON, tracebacks, whose line it is."""

from __future__ import annotations

import json

import form_lines as forms
import pytest
from builders import slow_rebuild
from followed import GLOBAL, REQUEST, access, bare, line
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.reading.follow.search.hits import Hit, LogLine
from nova_profiler.reading.follow.search.line_reader import (
    LineReader,
    joins,
    stands_alone,
)
from nova_profiler.reading.logs.files.sources import Source

AT = 1795221235.6  # 2026-11-21 00:33:55.600 UTC


def read(text: str, *more: str, name: str = "nova-api.log") -> LogLine:
    reader = LineReader(Source(name, None, None, 1795300000.0))
    return reader.read(Hit(7, text.encode(), [one.encode() for one in more]))


def test_a_line_of_text():
    """Time, service, level, process, ids and message."""
    found = read(
        line("00:33:55.600", "hello", ids=f"{GLOBAL} {REQUEST}", level="DEBUG")
    )

    assert found == LogLine(
        AT,
        "nova-api",
        "hello",
        level="DEBUG",
        logger="nova.compute.api",
        pid=71,
        request_id=REQUEST,
        global_request_id=GLOBAL,
        source="nova-api.log",
        offset=7,
    )


def test_a_line_that_ends_a_request_has_its_entry():
    """From there it is known when the request began."""
    found = read(access("00:33:55.700", 3.2))

    assert found.entry is not None
    assert (found.entry.ms, found.entry.status) == (3200.0, 202)
    assert found.entry.route == "/v2.1/servers/{id}/action"


def test_a_traceback_loses_its_prefixes():
    """oslo.log repeats time, process and logger on each of its lines."""
    logger = "nova.compute.manager"

    found = read(
        line("00:33:55.600", "failed", logger=logger, level="ERROR"),
        bare("00:33:55.600", "Traceback (most recent):", logger=logger),
        bare("00:33:55.600", '  File "x.py", line 3', logger=logger),
        "ValueError: of three lines",
    )

    assert found.more[0] == "Traceback (most recent):"
    assert found.more[1].endswith('File "x.py", line 3')
    assert found.more[2] == "ValueError: of three lines"


@pytest.mark.parametrize(
    ("following", "belongs"),
    [
        ("Traceback (most recent call last):", True),
        ("    raise ValueError", True),
        (bare("00:33:55.601", "ValueError", logger="nova.virt"), True),
        (bare("00:33:55.601", "", logger="nova.virt").rstrip(), True),
        (
            bare(
                "00:33:55.601", "[instance: 7] Traceback", logger="nova.virt"
            ),
            True,
        ),
        (bare("00:33:55.601", "ValueError", logger="nova.other"), False),
        (bare("00:33:55.601", "[-] next", logger="nova.virt"), False),
        (line("00:33:55.601", "next", logger="nova.virt"), False),
        ("Nov 21 00:33:56 host nova-api[7]: INFO nova.x [-] next", False),
        ('{"message": "next"}', False),
        ("", False),
    ],
)
def test_what_continues_a_line(following, belongs):
    """A line without a prefix, or one of an exception of the same logger."""
    failed = line("00:33:55.600", "failed", logger="nova.virt", level="ERROR")

    assert joins(failed.encode(), following.encode()) is belongs


@pytest.mark.parametrize(
    ("following", "belongs"),
    [
        ("Traceback (most recent call last):", True),
        ("    raise ValueError", True),
        ("nova.exception.InstanceNotFound: no such", True),
        ("KeyError", True),
        ("INFO nova.api another", False),
        ("another", False),
        (f"ERROR: {REQUEST}", False),
    ],
)
def test_what_continues_a_line_without_a_stamp(following, belongs):
    """Where no line has one, those that look like a traceback only."""
    assert joins(b"INFO nova.api failed", following.encode()) is belongs


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        (f"INFO nova.api [{REQUEST} u p] next", True),
        (f"uwsgi: GET /v2.1 {REQUEST}", True),
        (f"    raise Failed({REQUEST})", False),
        (f"nova.exc.BadRequest: 400 (Request-ID: {REQUEST})", False),
        # Its prefix tells already whose line it is.
        (bare("00:33:55.601", f"Failed: {REQUEST}", logger="nova"), False),
    ],
)
def test_a_line_that_names_a_request_stands_alone(text, alone):
    """Unless it is a traceback's, which may quote an answer's id."""
    assert stands_alone(text.encode()) is alone


def test_a_stamp_within_the_line_is_its_time():
    """As web servers write it, whose lines begin with the client."""
    found = read(forms.DEVSTACK_APACHE)

    assert found.entry is not None
    assert found.at == found.entry.at == pytest.approx(1795253701.012345)


@given(st.binary(max_size=60))
def test_any_line_continues_another_or_not(text):
    """Whatever its bytes are."""
    assert joins(b"INFO", text) in (True, False)
    assert stands_alone(text) in (True, False)


def test_an_endless_name_is_no_exception():
    """And is known for that in no time."""
    assert stands_alone(b"Aa" * 8192)


def test_a_json_line_with_a_traceback():
    """oslo.log's JSON formatter has it all in one object."""
    text = json.dumps(
        {
            "message": "failed",
            "name": "nova.virt.libvirt",
            "created": AT,
            "levelname": "ERROR",
            "process": 71,
            "hostname": "host1",
            "context": {"request_id": REQUEST, "global_request_id": GLOBAL},
            "traceback": "Traceback:\nValueError",
        }
    )

    found = read(text, name="all.json")

    assert (found.at, found.host, found.service) == (
        AT,
        "host1",
        "nova-compute",
    )
    assert (found.request_id, found.global_request_id) == (REQUEST, GLOBAL)
    assert (found.message, found.more) == (
        "failed",
        ("Traceback:", "ValueError"),
    )


def test_a_record_of_ours():
    """A line of log_file stands where its request ended."""
    record = slow_rebuild()

    found = read(forms.log_file_line(), name="requests.json")

    assert found.service == "nova-api"
    assert found.request_id == record.request_id
    assert found.message.startswith(f"POST {record.path} 202 ")
    assert "db_api 15 calls" in found.message
    assert found.entry is not None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"cut off',
        '{"a": 1}',
        '{"schema": 1, "duration_ms": "x"}',
        '{"message": "m", "name": "n", "traceback": 7}',
        "[1]",
        "\x1b[31mred \xff",
    ],
)
def test_what_is_half_read_is_a_line_nevertheless(text):
    """The id was in it: it is shown, whatever it is."""
    found = read(text)

    assert found.message


@pytest.mark.parametrize("ms", [1e300, 1e15, -5.0])
def test_a_record_of_an_impossible_length(ms):
    """No calendar has its end: it is a line without a time."""
    fields = {**slow_rebuild().to_dict(), "duration_ms": ms}

    found = read(json.dumps(fields))

    assert found.entry is None
    assert found.at is None or found.at < 1e11


def test_a_line_that_docker_wrapped():
    """The text line is within a JSON object."""
    text = json.dumps(
        {"log": line("00:33:55.600", "hello"), "stream": "stdout"}
    )

    found = read(text)

    assert (found.message, found.request_id) == ("hello", REQUEST)


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_reader(text):
    """Lines come from anywhere."""
    assert read(text).source == "nova-api.log"


@pytest.mark.parametrize(
    ("name", "logger", "service"),
    [
        ("screen-n-cpu.txt.gz", "oslo_messaging.x", "nova-compute"),
        ("/logs/nova-api.log.1", "nova.quota", "nova-api"),
        ("syslog", "nova.conductor.manager", "nova-conductor"),
        ("syslog", "nova.virt.libvirt.driver", "nova-compute"),
        ("syslog", "oslo_messaging.x", "syslog"),
        ("syslog", "nova.scheduler.utils", "nova"),
        ("/logs/neutron-server-7f9/0.log", "oslo.x", "neutron-server"),
    ],
)
def test_whose_line_it_is(name, logger, service):
    """By the file's name; by the logger, where the file has them all."""
    found = read(line("00:33:55.600", "hello", logger=logger), name=name)

    assert found.service == service


def test_a_library_logs_for_its_process():
    """In a file of all services the process tells whose line it is."""
    reader = LineReader(Source("all.log", None, None, 0.0))
    texts = [
        line("00:33:55.600", "a", logger="nova.conductor.manager", pid=5),
        line("00:33:55.600", "b", logger="oslo_concurrency.x", pid=5),
        line("00:33:55.600", "c", logger="oslo_concurrency.x", pid=6),
    ]

    found = [reader.read(Hit(0, text.encode(), [])) for text in texts]

    assert [one.service for one in found] == [
        "nova-conductor",
        "nova-conductor",
        "all",
    ]


def test_journald_names_host_and_unit():
    """devstack's journal has no year and, at the front, no milliseconds."""
    found = read(
        "Nov 21 00:33:55 host1 devstack@n-cpu.service[9]: INFO nova.x "
        f"[None {REQUEST} admin admin] hello",
        name="journal.txt",
    )

    assert (found.service, found.host, found.pid) == (
        "nova-compute",
        "host1",
        9,
    )
    assert (found.request_id, found.message) == (REQUEST, "hello")
