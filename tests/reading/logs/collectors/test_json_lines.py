# SPDX-License-Identifier: Apache-2.0
"""What JSON wraps is read as the line that it was."""

from __future__ import annotations

import json

import form_lines as forms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.collectors.json_lines import unwrapped
from nova_profiler.reading.logs.entry_of_line import entry_of_line
from nova_profiler.reading.logs.line_parts.stamps import Years, iso_of
from nova_profiler.reading.logs.other_lines import OTHER
from nova_profiler.reading.logs.unread import Unread

YEARS = Years(1504700000.0)  # 2017-09-06
# What devstack logs to the journal, and how its colours look there.
DEVSTACK = forms.JOURNALD.partition("]: ")[2]
COLOURED = (
    DEVSTACK.replace("INFO ", "\x1b[00;32mINFO ")
    .replace("[None", "[\x1b[01;36mNone")
    .replace("] 85", "\x1b[00;32m] \x1b[01;35m\x1b[00;32m85")
    + "\x1b[00m\x1b[00m"
)
OURS = (
    f"INFO nova_profiler.requests [None {forms.REQ} admin-project admin-user]"
    " GET /v2.1 200 17.0 ms, db_api 1 calls 2.0 ms 11.8 %, user=demo "
    "project=demo"
)


def journal(message: object, **more: object) -> str:
    """Return a line as journalctl -o json writes it."""
    return json.dumps(
        {
            "__REALTIME_TIMESTAMP": "1504602125000000",
            "_HOSTNAME": "leg-004",
            "_PID": "15067",
            "_SYSTEMD_UNIT": "devstack@n-api.service",
            "MESSAGE": message,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({"fields": {"Payload": ["TEXT"], "programname": ["nova-api"],
                     "request_id": ["REQ"], "@timestamp": ["AT"]}},
         "nova-api"),
        ({"_source": {"Payload": "TEXT", "programname": "nova-api",
                      "request_id": "REQ",
                      "@timestamp": "Sep 5, 2017 @ 09:02:05.000"}},
         "nova-api"),
        ({"fields": {"env": "test"}, "message": "TEXT", "request_id": "REQ",
          "service": {"name": "nova-api"}, "@timestamp": "AT"}, "nova-api"),
        ({"version": "1.1", "short_message": "TEXT", "timestamp": 1504602125,
          "request_id": "REQ", "_process_name": "nova-api"}, "nova-api"),
    ],
)  # fmt: skip
def test_records_of_dashboards_and_shippers(fields, service):
    """Arrays of one value, a dashboard's stamps, names of services."""
    text = forms.REQUESTLOG.partition("] ")[2]
    line = (
        json.dumps(fields)
        .replace("TEXT", json.dumps(text)[1:-1])
        .replace("REQ", forms.REQ)
        .replace('"AT"', '"2017-09-05T09:02:05Z"')
    )

    found = entry_of_line(line.encode(), YEARS, "export.json", Unread())

    assert (found.form, found.service) == ("requestlog, JSON", service)
    assert found.ms == 1.091
    assert found.at == 1504602125.0


def test_fluentd_writes_time_tag_and_record():
    """With tabs between, as its file output does by default."""
    record = json.dumps(
        {"Payload": forms.REQUESTLOG.partition("] ")[2],
         "programname": "nova-api"}
    )  # fmt: skip
    line = f"2017-09-05T09:02:05+00:00\topenstack.nova\t{record}"

    found = entry_of_line(line.encode(), YEARS, "export.log", Unread())

    assert (found.at, found.ms) == (1504602125.0, 1.091)


def docker(message: str) -> str:
    return json.dumps(
        {
            "log": message + "\n",
            "stream": "stdout",
            "time": "2016-12-07T03:53:56.123456789Z",
        }
    )


def entry(line: str):
    """Return the entry of *line*, by the form that it has as a text."""
    found = entry_of_line(line.encode(), YEARS, "", Unread())
    return found and found._replace(form=found.form.removesuffix(", JSON"))


@pytest.mark.parametrize(
    "message",
    [DEVSTACK, COLOURED, list(COLOURED.encode()), OURS],
    ids=["plain", "coloured", "bytes", "ours"],
)
def test_journald_s_json_is_read_as_its_text(message):
    """Its time stands beside the message, its ESC is a list of bytes."""
    text = bytes(message).decode() if isinstance(message, list) else message
    before = forms.JOURNALD.partition("]: ")[0] + "]: "

    found = entry(journal(message))

    assert found == entry(before + text)
    assert found.request_id == forms.REQ
    assert found.user_name == "admin-user"


def test_journald_s_json_is_followed_as_its_text():
    """Logger, level, process and host are those of the short format."""
    text = forms.JOURNALD.partition("]: ")[0] + "]: " + DEVSTACK
    held = unwrapped(journal(list(COLOURED.encode())), YEARS, "")
    short = unwrapped(json.dumps({"log": text}), YEARS, "")

    assert held.line == short.line


@pytest.mark.parametrize(
    "message",
    [
        "\x1b[00;32m" + forms.TWO_ADDRESSES + "\x1b[00m",
        "\x1b[00;32m" + forms.TWO_ADDRESSES,
        "[00;32m" + forms.TWO_ADDRESSES + "[00m",
        forms.TWO_ADDRESSES + "\x1b[0m\r",
    ],
)
def test_colours_in_docker_s_json(message):
    """JSON writes their escape character with six letters."""
    assert entry(docker(message)) == entry(forms.TWO_ADDRESSES)


def test_the_time_of_docker():
    """It counts where the line has none."""
    found = entry(docker(DEVSTACK))

    assert iso_of(found.at) == "2016-12-07T03:53:56.123+00:00"
    assert found.request_id == forms.REQ


@pytest.mark.parametrize("before", forms.IN_FRONT)
@pytest.mark.parametrize(
    "line", [forms.JSON_REQUESTLOG, forms.log_file_line()]
)
def test_what_is_put_around_json(before, line):
    """A process id between brackets in front is no part of the object."""
    assert entry(before + line) == entry(line)


def test_the_time_in_front_of_json():
    """It counts where the object has none."""
    line = json.dumps({"log": DEVSTACK})

    ats = [
        entry(before + line).at
        for before in ("Sep 05 09:02:05 h u[7]: ", "<30>Sep 05 09:02:05 h u: ")
    ]

    assert ats == [entry(forms.JOURNALD).at] * 2
    assert entry(line).at is None


@pytest.mark.parametrize(
    "message",
    [
        None, [256], [-1], [1.5], [None], ["a", "b"], [[27, 91]], 5, True, {},
        [10**30], [1] * 300_000,
    ],
    ids=lambda message: str(message)[:20],
)  # fmt: skip
def test_messages_that_are_none(message):
    """journald writes null for one too long; a hostile file anything."""
    unread = Unread()
    line = journal(message)

    assert unwrapped(line, YEARS, "") is None
    assert entry_of_line(line.encode(), YEARS, "", unread) is None
    assert [(kind.kind, kind.count) for kind in unread] == [(OTHER, 1)]


def test_bytes_that_are_no_text():
    """What is not UTF-8 is replaced, as in a text."""
    held = unwrapped(journal([255, 104, 105]), YEARS, "")

    assert held.line.message == "\ufffdhi"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    JSON | st.lists(st.integers(-1, 257), max_size=200),
    st.dictionaries(
        st.sampled_from(["_PID", "_HOSTNAME", "__REALTIME_TIMESTAMP", "log"]),
        JSON,
    ),
)
def test_no_object_is_too_much(message, more):
    """Whatever its fields are, it is an entry or noted, never an error."""
    unread = Unread()

    line = journal(message, **more).encode()
    found = entry_of_line(line, YEARS, "", unread)

    assert sum(kind.count for kind in unread) == (found is None)


@given(st.lists(st.integers(0, len(forms.TWO_ADDRESSES)), max_size=6))
def test_a_colour_anywhere_is_none(places):
    """The line in JSON gives what it gives as a text."""
    line = forms.TWO_ADDRESSES
    for place in sorted(places, reverse=True):
        line = line[:place] + "\x1b[01;36m" + line[place:]

    assert entry(docker(line)) == entry(forms.TWO_ADDRESSES)
    assert entry(journal(list(line.encode()))).ms == 471.117
