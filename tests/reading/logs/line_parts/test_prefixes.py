# SPDX-License-Identifier: Apache-2.0
"""What stands before a message: each shape, and its service."""

from __future__ import annotations

from datetime import timedelta, timezone

import form_lines as forms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.line_parts.colours import without_colours
from nova_profiler.reading.logs.line_parts.contexts import (
    NO_CONTEXT,
    RequestContext,
    context_of,
)
from nova_profiler.reading.logs.line_parts.prefixes import (
    prefix_of,
)
from nova_profiler.reading.logs.line_parts.services import (
    service_of_file,
    service_of_logger,
)
from nova_profiler.reading.logs.line_parts.stamps import Years, iso_of

REQ, USER, PROJECT = forms.REQ, forms.USER, forms.PROJECT
YEARS = Years(1504700000.0)  # 2017-09-06


def test_all_parts_of_a_line():
    """Time, host, service, process, level, logger, context, message."""
    line = prefix_of(forms.JOURNALD, YEARS)

    assert iso_of(line.at) == "2017-09-05T09:02:05.000+00:00"
    assert (line.host, line.service, line.pid) == (
        "leg-004", "nova-api", 15067,
    )  # fmt: skip
    assert (line.level, line.logger) == (
        "INFO", "nova.api.openstack.requestlog",
    )  # fmt: skip
    assert line.has_logger
    assert line.context == RequestContext(
        REQ, None, None, "admin-user", None, "admin-project"
    )
    assert line.message.startswith('85.10.193.66 "GET /compute/v2.1/"')


def test_oslo_s_own_stamp_is_the_exact_one():
    """journald's, in front of it, has only seconds."""
    line = prefix_of(
        "Dec  7 03:53:56 ctl nova-api[9]: " + forms.TWO_ADDRESSES, YEARS
    )

    assert iso_of(line.at) == "2016-12-07T03:53:55.873+00:00"
    assert (line.host, line.pid) == ("ctl", 24)


@pytest.mark.parametrize(
    "line",
    [
        '  File "x.py", line 3, in f',
        "Traceback (most recent call last):",
        "",
        "2017-99-99",
        "nova-api.log: no stamp after it",
    ],
)
def test_lines_without_a_prefix(line):
    """A traceback's line is all message, and has no time."""
    found = prefix_of(line, YEARS, "/var/log/nova/nova-compute.log")

    assert found.at is None
    assert not found.has_logger
    assert found.message == line
    assert found.service == "nova-compute"


def test_a_stamp_that_no_calendar_has():
    """The rest of the line is read all the same."""
    line = prefix_of("2017-02-30 10:00:00.000 7 INFO nova.x [-] hi", YEARS)

    assert line.at is None
    assert (line.logger, line.message) == ("nova.x", "hi")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-", NO_CONTEXT),
        ("", NO_CONTEXT),
        (f"{REQ} - - - - -", RequestContext(REQ)),
        (
            f"{REQ} {USER} {PROJECT}",
            RequestContext(REQ, None, USER, None, PROJECT, None),
        ),
        (
            f"{REQ} {USER} {PROJECT} - default default",
            RequestContext(REQ, None, USER, None, PROJECT, None),
        ),
        # Grizzly's devstack: user, then project.
        (
            f"{REQ} demo staff",
            RequestContext(REQ, None, None, "demo", None, "staff"),
        ),
        (
            f"None {REQ} staff demo",
            RequestContext(REQ, None, None, "demo", None, "staff"),
        ),
        (
            f"{forms.GLOBAL} {REQ} {USER} {PROJECT} - - default default",
            RequestContext(REQ, forms.GLOBAL, USER, None, PROJECT, None),
        ),
        # Before ids began with req-, and with dashes within.
        (
            "ac91ed2c-6c0e-4865-afcf-2b1b9fcb5485 "
            "0c6e7dba-03c2-4c6a-9bce-299747499e8a None",
            RequestContext(
                "ac91ed2c-6c0e-4865-afcf-2b1b9fcb5485",
                None,
                "0c6e7dba-03c2-4c6a-9bce-299747499e8a",
            ),
        ),
    ],
)
def test_shapes_of_the_context(text, expected):
    """All that were ever the default somewhere."""
    assert context_of(text) == expected


def test_brackets_that_are_no_context():
    """They belong to the message."""
    line = prefix_of(
        "2017-09-05 10:00:00.000 7 INFO nova.x [instance: abc] hi", YEARS
    )

    assert line.context == NO_CONTEXT
    assert line.message == "[instance: abc] hi"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("/var/log/nova/nova-api.log", "nova-api"),
        ("nova-api.log.1.2017-05-16_13:53:08", "nova-api"),
        ("nova-compute.log-20170516.gz", "nova-compute"),
        ("screen-n-api.txt.gz", "nova-api"),
        ("logs/n-cpu.log.2013-01-05", "nova-compute"),
        ("screen-n-cond-cell1.txt", "nova-conductor"),
        ("keystone.log.12.zst", "keystone"),
        ("12", None),
        ("\x1b[31m.log", None),
    ],
)
def test_the_service_of_a_file(name, service):
    """By its name, without what rotation and devstack add to it."""
    assert service_of_file(name) == service


def test_the_service_of_a_logger():
    """The one of its project that answers requests."""
    loggers = (
        "nova.osapi_compute.wsgi.server", "nova.metadata.wsgi.server",
        "neutron.wsgi", "eventlet.wsgi.server",
    )  # fmt: skip

    services = [service_of_logger(logger) for logger in loggers]

    assert services == ["nova-api", "nova-metadata", "neutron-server", None]


def test_a_traceback_keeps_its_indentation():
    """oslo.log puts one blank after the logger; the others are Python's."""
    before = "2017-09-05 10:00:00.000 7 ERROR nova.x "
    lines = (
        '  File "a.py", line 1, in f', "    raise ValueError()", "ValueError",
        "[instance: abc]     raise ValueError()", "",
    )  # fmt: skip

    messages = [prefix_of(before + line, YEARS).message for line in lines]

    assert messages == list(lines)
    assert prefix_of(before.rstrip(), YEARS).logger == "nova.x"
    with_context = prefix_of(f"{before}[{REQ} - -]   deep", YEARS)
    assert with_context.message == "  deep"


def test_a_head_without_a_time():
    """A context marks one; without it the line may be any text."""
    found = prefix_of(f"INFO nova.x [None {REQ} staff demo] hi", YEARS)
    empty = prefix_of("7 INFO nova.x [-] hi", YEARS)
    text = prefix_of("ERROR while [something] happened", YEARS)
    elsewhere = prefix_of("ERROR nova.x hi", YEARS, is_stamped=True)

    assert (found.at, found.logger, found.message) == (None, "nova.x", "hi")
    assert found.context.user_name == "demo"
    assert (empty.pid, empty.logger, empty.message) == (7, "nova.x", "hi")
    assert text.message == "ERROR while [something] happened"
    assert not text.has_logger
    assert (elsewhere.logger, elsewhere.message) == ("nova.x", "hi")


def test_hosts_units_and_processes_of_prefixes():
    """Where syslog or the journal name them; compose names a container."""
    found = [
        prefix_of(before + "hi", YEARS)[2:5]
        for before in (
            "<134>1 2016-12-07T03:53:56.123Z ctl nova-api 123 - - ",
            "<134>1 2016-12-07T03:53:56.123Z - - - - - ",
            "Tue 2017-09-05 09:02:05 UTC ctl n-api.service/b.service[7]: ",
            "1504602125.123456 ctl nova-api[7]: ",
            "nova_api_1  | ",
        )
    ]

    assert found == [
        ("ctl", "nova-api", 123),
        (None, None, None),
        ("ctl", "nova-api", 7),
        ("ctl", "nova-api", 7),
        (None, None, None),
    ]


def test_texts_that_only_look_like_prefixes():
    """A table, numbers and lower-case names belong to the message."""
    before = "Sep 05 09:02:05 ctl nova-api[7]: "
    for text in (
        "id | name", "took: 1504602125.123456 s", "code: <30> seen",
        "[ 1.5] x", "<30> x", "1504602125.123456",
    ):  # fmt: skip
        assert prefix_of(before + text, YEARS).message == text


def test_hosts_in_local_time():
    """Of the letters of a zone only UTC's are the same everywhere."""
    years = YEARS._replace(local=timezone(timedelta(hours=2)))
    lines = [
        f"Tue 2017-09-05 09:02:05 {zone} ctl nova-api[7]: hi"
        for zone in ("CEST", "UTC", "GMT", "+03", "-0330")
    ]

    hours = [iso_of(prefix_of(line, years).at)[11:16] for line in lines]

    assert hours == ["07:02", "09:02", "09:02", "06:02", "12:32"]


def test_colours_go():
    """With their escape character or without it."""
    assert without_colours("\x1b[01;36mreq-1\x1b[00m x") == "req-1 x"
    assert without_colours("[01;36mreq-1[00m x") == "req-1 x"
    assert without_colours("[0] x [1m]") == "[0] x [1m]"


def test_colours_in_json_stay_whole():
    """They go when their escape character is one."""
    line = '{"log":"\\u001b[00;32mx\\u001B[00m"}'

    assert without_colours(line) == line


PIECES = st.sampled_from(
    [
        *forms.IN_FRONT, "nova-api.log: ", "2017-02-30 10:00:00.000 ",
        "7 INFO nova.x ", "[-] ", "[", "]", "\\", "<", "| ", '{"', "\n",
        "9999999999.999999 h u: ", "Feb 30 25:61:61 h u: ",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=20), max_size=9).map("".join))
def test_any_text_has_a_prefix_or_none(text):
    """The message is always the end of the line."""
    found = prefix_of(text, YEARS, text)

    assert text.endswith(found.message)
    assert found.at is None or 0 <= found.at < 1e10
