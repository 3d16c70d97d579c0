# SPDX-License-Identifier: Apache-2.0
"""Every form of line, one by one, and what is noted of other lines."""

from __future__ import annotations

import json
from datetime import timedelta, timezone

import form_lines as forms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.entry_of_line import (
    NO_IDS,
    NO_TIME_OF_DAY,
    UNKNOWN_FORM,
    UNSTATED_FORM,
    entry_of_line,
)
from nova_profiler.reading.logs.files.blocks import LONG_LINE
from nova_profiler.reading.logs.files.sources import DUMP
from nova_profiler.reading.logs.form_table import PREFERRED
from nova_profiler.reading.logs.line_parts.stamps import Years, iso_of
from nova_profiler.reading.logs.other_lines import OF_TRACEBACK, OTHER
from nova_profiler.reading.logs.unread import Unread, is_in_part

FILE = "/var/log/nova/nova-api.log"
YEARS = Years(1504700000.0)  # 2017-09-06


def entry(line: str | bytes, file: str = FILE):
    data = line if isinstance(line, bytes) else line.encode()
    return entry_of_line(data, YEARS, file, Unread())


def kinds(line: str | bytes) -> list[tuple[str, int]]:
    data = line if isinstance(line, bytes) else line.encode()
    unread = Unread()
    assert entry_of_line(data, YEARS, FILE, unread) is None
    return [(kind.kind, kind.count) for kind in unread]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(line, expected, id=f"{at}-{expected[0]}")
        for at, (line, expected) in enumerate(forms.ALL.items())
    ],
)
def test_each_form(line, expected):
    """Each form gives what a reader sees in it."""
    found = entry(line)

    assert found is not None
    assert (
        found.form,
        found.service,
        found.method,
        found.route,
        found.status,
        round(found.ms, 4),
        found.response_bytes,
        found.user,
        found.project,
    ) == expected
    assert found.form in PREFERRED


@pytest.mark.parametrize("line", forms.ALL)
def test_hosts_in_local_time(line):
    """Each form's stamps are of that zone, but those that name their own."""
    ahead = timezone(timedelta(hours=2))
    utc = entry(line)
    found = entry_of_line(
        line.encode(), YEARS._replace(local=ahead), FILE, Unread()
    )

    has_zone = (
        utc.form in ("apache", "nginx", "log_file") or '"created"' in line
    )
    if utc.at is None:
        assert found.at is None
    else:
        assert utc.at - found.at == (0 if has_zone else 7200)


def test_apache_without_a_zone_is_in_local_time():
    """As its log format may be configured."""
    ahead = YEARS._replace(local=timezone(timedelta(hours=2)))
    line = forms.DEVSTACK_APACHE.replace(" +0100]", "]")
    assert line != forms.DEVSTACK_APACHE

    found = entry_of_line(line.encode(), ahead, FILE, Unread())

    assert iso_of(found.at) == "2026-11-21T08:35:01.012+00:00"


@pytest.mark.parametrize(
    ("line", "at"),
    [
        (forms.EVENTLET, "2014-12-13T17:12:23.435+00:00"),
        (forms.WITH_FILE_NAME, "2017-05-16T00:00:00.008+00:00"),
        (forms.JOURNALD, "2017-09-05T09:02:05.000+00:00"),
        # The second it began, and 17 ms.
        (forms.UWSGI, "2017-09-05T09:02:05.017+00:00"),
        # An hour ahead of UTC, and 12 ms.
        (forms.DEVSTACK_APACHE, "2026-11-21T09:35:01.012+00:00"),
        (forms.log_file_line(), "2026-11-21T10:35:04.240+00:00"),
        (forms.JSON_REQUESTLOG, "2026-11-21T10:35:04.250+00:00"),
        (forms.FLUENT_WSGI_SERVER, "2026-11-21T10:35:05.500+00:00"),
    ],
)
def test_the_time_is_that_of_the_end(line, at):
    """Forms that log the beginning are put on by what the request took."""
    found = entry(line)

    assert found is not None
    assert found.at is not None
    assert iso_of(found.at) == at


def test_request_ids():
    """The request's own id, and the one it was given."""
    found = entry(forms.GLOBAL_ID)

    assert found is not None
    assert found.request_id == forms.OTHER_REQ
    assert found.global_request_id == forms.GLOBAL


def test_who_asked_from_where():
    """The first address is the client's, the others are proxies."""
    lines = (forms.TWO_ADDRESSES, forms.KOLLA_APACHE, forms.UWSGI)

    addresses = [entry(line).remote_address for line in lines]

    assert addresses == ["10.91.126.38", "10.0.0.7", "85.10.193.66"]


def test_our_lines_tell_where_the_time_went():
    """DB API and breakdown come along."""
    text = entry(forms.OUR_TEXT)
    record = entry(forms.log_file_line())

    assert (text.db_api_calls, text.db_api_ms) == (15, 840.0)
    assert (record.db_api_calls, record.db_api_ms) == (15, 840.0)
    assert text.db_api_wall_ms == pytest.approx(0.269 * 3117.4)
    assert record.db_api_wall_ms == 840.0
    assert round(sum(record.breakdown_ms.values()), 1) == 3117.4


def test_our_record_of_a_file_has_no_size():
    """The server sent it by itself: that is not nothing."""
    fields = json.loads(forms.log_file_line())
    fields.update(response_bytes=None, status=0, outcome="unanswered")

    found = entry(json.dumps(fields))

    assert found.response_bytes is None
    assert found.status == 0


def test_a_dump_is_counted_elsewhere():
    """Only a dump has a timeline: its request is in the log_file, too."""
    fields = {**json.loads(forms.log_file_line()), "timeline": []}

    assert kinds(json.dumps(fields)) == [(DUMP, 1)]


def test_our_record_within_an_oslo_json_line():
    """The formatter carries it as ``extra``, in args only what is shown."""
    fields = json.loads(forms.log_file_line())
    line = forms.oslo_json("nova_profiler.requests", "POST ...", extra=fields)

    found = entry(line)

    assert found.form == "log_requests, JSON"
    assert found._replace(form="") == entry(forms.log_file_line())._replace(
        form=""
    )


def test_json_that_wraps_a_text_line():
    """journald's export and docker's driver hold the line as it was."""
    inner = forms.REQUESTLOG
    journal = json.dumps(
        {
            "MESSAGE": inner.partition("22 ")[2],
            "__REALTIME_TIMESTAMP": "1564044537448000",
            "_HOSTNAME": "leg-004",
            "_SYSTEMD_UNIT": "devstack@n-api.service",
        }
    )
    docker = json.dumps({"log": inner + "\n", "stream": "stdout"})

    assert entry(docker).request_id == entry(inner).request_id
    assert entry(docker).ms == 1.091
    assert kinds(journal.replace("OPTIONS /", "x")) == [(UNKNOWN_FORM, 1)]


@pytest.mark.parametrize(
    "changed",
    [
        forms.TWO_ADDRESSES + "\r",
        "\x1b[00;32m" + forms.TWO_ADDRESSES + "\x1b[00m",
        "[00;32m" + forms.TWO_ADDRESSES + "[00m",
        "logs/nova-api.log:" + forms.TWO_ADDRESSES,
        "nova-api.log:   " + forms.TWO_ADDRESSES,
        "2016-12-07T03:53:55.873000000Z stdout F " + forms.TWO_ADDRESSES,
        "2016-12-07T03:53:55+00:00 ctl nova-api[24]: " + forms.TWO_ADDRESSES,
        "Dec  7 03:53:55 ctl nova-api[24]: " + forms.TWO_ADDRESSES,
        *(before + forms.TWO_ADDRESSES for before in forms.IN_FRONT),
        forms.TWO_ADDRESSES.replace("status: 200 len:", "status: 200  len:"),
        forms.TWO_ADDRESSES.replace("wsgi.server [", "wsgi.server   ["),
    ],
)
def test_what_is_put_around_a_line(changed):
    """Line ends, colours, file names, containers and syslog add nothing."""
    assert entry(changed) == entry(forms.TWO_ADDRESSES)


@pytest.mark.parametrize(
    "shown",
    [
        json.dumps(forms.TWO_ADDRESSES) + ",",
        "        " + json.dumps(forms.TWO_ADDRESSES + "\n"),
        'fatal: [ctl]: {"stdout": ' + json.dumps(forms.TWO_ADDRESSES) + "}}",
        f"`{forms.TWO_ADDRESSES}`",
        f"| {forms.TWO_ADDRESSES} |",
        f"12-{forms.TWO_ADDRESSES}",
    ],
)
def test_a_line_within_a_text_of_others(shown):
    """Ansible, Markdown and grep -n show a line as a text of theirs."""
    found = entry(shown)

    whole = entry(forms.TWO_ADDRESSES)
    assert found._replace(service="") == whole._replace(service="")


def test_ids_behind_a_prefix_that_is_not_known():
    """The context is found by its looks, wherever it stands."""
    line = (
        f"at noon [None {forms.REQ} {forms.USER} {forms.PROJECT} - -] "
        + forms.TWO_ADDRESSES.partition("] ")[2]
    )

    found = entry(line)

    assert (found.request_id, found.user_id) == (forms.REQ, forms.USER)
    assert found.remote_address == "10.91.126.38"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"noon [None {forms.REQ} u p - -) "
         + forms.TWO_ADDRESSES.partition("] ")[2], NO_IDS),
        (forms.JOURNALD.partition("]: ")[2], NO_TIME_OF_DAY),
    ],
)  # fmt: skip
def test_what_a_counted_call_lacks_is_noted(line, kind):
    """The call counts, and the report shows such a line."""
    unread = Unread()

    found = entry_of_line(line.encode(), YEARS, FILE, unread)

    assert found.ms > 0
    assert [(row.kind, row.count) for row in unread] == [(kind, 1)]
    assert is_in_part(kind)


def test_uwsgis_line_behind_its_stamp():
    """The day of logdate's stamp is no file, and so no service."""
    line = forms.UWSGI.partition("]: ")[2]

    assert entry(f"Tue Sep  5 09:02:05 2017 - {line}") == entry(line)


@pytest.mark.parametrize(("before", "at"), forms.IN_FRONT.items())
def test_what_is_put_around_a_line_without_a_stamp(before, at):
    """Its time is that of the prefix, all else is its own."""
    found = entry(before + forms.JOURNALD.partition("]: ")[2])

    assert found._replace(at=None) == entry(forms.JOURNALD)._replace(at=None)
    assert (found.at and iso_of(found.at)) == at


def test_blanks_before_a_message():
    """Where oslo.log had no context, every form is read all the same."""
    for line, name in (
        (forms.EVENTLET, "eventlet.wsgi.server [-] "),
        (forms.OUR_TEXT, "nova_profiler.requests "),
    ):
        assert name in line
        before, _, message = line.partition(name)
        message = message.partition("default] ")[2] or message

        found = entry(before + name.removesuffix("[-] ") + "  " + message)

        assert found.ms == entry(line).ms


def test_bytes_that_are_no_text():
    """The rest of the line is as good as ever."""
    line = forms.TWO_ADDRESSES.encode().replace(b"/extensions", b"/\xff\xfe")

    found = entry(line)

    assert found.ms == 471.117
    assert found.route == "unmatched"


@pytest.mark.parametrize("time", ["nan", "-1.0", "inf", "1e400", "soon", "-"])
@pytest.mark.parametrize(
    "form",
    [
        forms.WITH_FILE_NAME.replace("0.2477829", "TIME"),
        forms.EVENTLET.replace("31.553426", "TIME"),
        forms.UWSGI.replace("in 17 ", "in TIME "),
        forms.REQUESTLOG.replace("0.001091", "TIME"),
        forms.OUR_TEXT.replace("3117.4", "TIME"),
    ],
)
def test_impossible_times(form, time):
    """A time that cannot be is no time."""
    line = form.replace("TIME", time)

    assert kinds(line) == [("request with an impossible time", 1)]


def test_requests_without_a_time():
    """Apache's combined log, and placement's requestlog, have none."""
    for line in (
        forms.DEVSTACK_APACHE.removesuffix(" 12345(us)"),
        forms.REQUESTLOG.partition(" time:")[0],
    ):
        assert kinds(line) == [("request without a time", 1)]


def test_lines_of_other_kinds():
    """Other lines are counted as such, empty ones are not."""
    assert kinds(forms.STARTING_UP) == [(OTHER, 1)]
    assert kinds("Traceback (most recent call last):") == [(OF_TRACEBACK, 1)]
    assert kinds('{"a": 1}') == [(OTHER, 1)]
    assert kinds("{'a': {\"b\"}}") == [("damaged record", 1)]
    assert kinds("  ") == []
    assert kinds('x] "GET / HTTP/1.1" 200') == [(UNSTATED_FORM, 1)]


def test_records_of_other_versions():
    """A newer record is named as such, a damaged one, too."""
    newer = forms.log_file_line(schema=7)
    negative = forms.log_file_line(duration_ms=-5)

    assert kinds(newer) == [
        ("record of a newer version; upgrade nova-profiler", 1)
    ]
    assert kinds(negative) == [("request with an impossible time", 1)]
    assert kinds(forms.log_file_line(status="x")) == [("damaged record", 1)]
    assert kinds(forms.log_file_line()[:-40] + "}") == [("damaged record", 1)]


def test_a_line_of_megabytes():
    """It is looked at no further, and shown by its beginning."""
    line = forms.TWO_ADDRESSES.encode() + b"x" * 2_000_000
    unread = Unread()

    assert entry_of_line(line, YEARS, FILE, unread) is None

    (kind,) = unread
    assert kind.kind == LONG_LINE
    assert len(kind.example) <= 300


PIECES = st.sampled_from(
    [
        '" status: ', " len: ", " time: ", "0.5", "nan", " => generated ",
        "[", "]", "{", "}", '"', "GET /", " HTTP/1.1", "2016-12-07 03:53:55",
        " INFO ", "nova.x ", "req-1 ", "[pid: 1|app: 0|req: 1/1] ", " - - ",
        " ms", "\x1b[31m", "\\", "é", ":", ",", "None", " 200", "9" * 30,
        "Feb 29 10:00:00 host unit: ", "31/Feb/2026", "(us)", '{"schema":1,',
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join))
def test_no_line_is_too_much(line):
    """Whatever a line is made of, it is an entry or noted, never both."""
    unread = Unread()

    found = entry_of_line(line.encode(), YEARS, FILE, unread)

    noted = sum(row.count for row in unread if not is_in_part(row.kind))
    assert noted == (1 if found is None and line.encode().strip() else 0)
    if found is not None:
        assert 0 <= found.ms <= 1e9


@given(st.sampled_from(list(forms.ALL)), st.data())
def test_damaged_lines(line, data):
    """A line that lost a part is an entry or noted, never an error."""
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    put = data.draw(st.sampled_from(["", " ", '"', "\\", "\n", "\x00", "9"]))
    unread = Unread()

    cut = (line[:start] + put + line[end:]).encode()
    found = entry_of_line(cut, YEARS, FILE, unread)

    noted = sum(row.count for row in unread if not is_in_part(row.kind))
    assert noted == (1 if found is None and cut.strip() else 0)
