# SPDX-License-Identifier: Apache-2.0
"""Logs as people have them: the report has each call once, and right."""

from __future__ import annotations

import html
import io
import json
from contextlib import redirect_stderr, redirect_stdout

import log_sets
import pytest
from followed import written

from nova_profiler.cli import main
from nova_profiler.reading.logs import Unread, entries_of
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.report.fronts import Front

# By set: service, method, route, status and ms of each call, by eye.
CALLS = {
    "begin_and_end": [
        ("manila-api", "GET", "/v2/shares/detail", 200, 2250.0),
        ("manila-api", "POST", "/v2/shares", 202, 750.0),
    ],
    "collectors": [
        ("nova-api", "GET", "/v2.1/flavors", 200, 200.0),
        ("nova-api", "GET", "/v2.1/images", 200, 300.0),
        ("nova-api", "GET", "/v2.1/limits", 200, 400.0),
        ("nova-api", "GET", "/v2.1/os-keypairs", 200, 500.0),
        ("nova-api", "GET", "/v2.1/servers", 200, 100.0),
    ],
    "coloured": [
        ("neutron-server", "POST", "/v2.0/ports", 201, 2250.0),
        ("nova-api", "POST", "/v2.1/servers", 202, 3200.0),
    ],
    "callers_id": [
        ("cinder-api", "POST", "/v3/volumes", 202, 3000.0),
        ("glance-api", "GET", "/v2/images/{id}", 200, 100.0),
        ("glance-api", "GET", "/v2/images/{id}", 200, 500.0),
        ("glance-api", "GET", "/v2/schemas/image", 200, 1200.0),
    ],
    # What the client waited, the queue included.
    "before_haproxy": [
        ("nova-api", "GET", "/v2.1/servers/detail", 200, 203.0),
        ("nova-api", "GET", "/v2.1/servers/{id}/os-interface", 504, 30001.0),
        ("nova-api", "POST", "/v2.1/servers", 202, 9703.0),
    ],
    "ingress": [
        ("nova-api", "GET", "/v2.1/servers", 200, 1500.0),
        ("nova-api", "POST", "/v2.1/servers", 504, 20002.0),
    ],
    "nginx_seconds": [
        ("access", "GET", "/v2.1/flavors", 200, 50.0),
        ("access", "GET", "/v2.1/servers", 200, 2250.0),
    ],
    "no_stamps": [],
    "viewers": [
        ("nova-api", "GET", "/v2.1/flavors", 200, 500.0),
        ("nova-api", "GET", "/v2.1/images", 200, 250.0),
        ("nova-api", "GET", "/v2.1/limits", 200, 125.0),
        ("nova-api", "GET", "/v2.1/servers", 200, 2000.0),
    ],
    "copies": [
        ("nova-api", "GET", "/v2.1/servers", 200, 100.0),
        ("nova-api", "GET", "/v2.1/servers", 200, 200.0),
    ],
    "clients": [
        ("nova-api", "GET", "/v2.1/servers", 200, 750.0),
        ("nova-api", "POST", "/v2.1/servers", 202, 4500.0),
    ],
    "uwsgi_options": [
        ("nova-api", "GET", "/v2.1/flavors", 200, 4.0),
        ("nova-api", "GET", "/v2.1/servers", 200, 1250.0),
    ],
    "lookups": [
        ("neutron-server", "GET", "/v2.0/networks/{id}", 404, 200.0),
        ("neutron-server", "GET", "/v2.0/subnets/{id}", 404, 300.0),
        ("neutron-server", "GET", "unmatched", 404, 100.0),
    ],
    "containers_output": [
        ("nova-api", "GET", "/v2.1/flavors", 200, 500.0),
        ("nova-api", "GET", "/v2.1/servers/{id}", 404, 300.0),
    ],
    "packages": [
        ("cinder-api", "POST", "/v3/volumes", 202, 2000.0),
        ("glance-api", "GET", "/v2/images/{id}", 200, 900.0),
    ],
    "left_over_id": [("nova-api", "POST", "/v2.1/servers", 202, 2000.0)],
    "late_reply": [
        ("cinder-api", "PUT", "/v3/attachments/{id}", 500, 60000.0)
    ],
    "clock_behind": [
        ("nova-api", "POST", "/v2.1/servers/{id}/action", 202, 2000.0)
    ],
    "local_times": [
        ("keystone", "GET", "/v3/users", 200, 500.0),
        ("nova-api", "POST", "/v2.1/servers/{id}/action", 400, 2000.0),
    ],
    "pool_is_full": [
        ("nova-api", "GET", "/v2.1/servers/detail", 500, 30000.0)
    ],
}


def entries(folder, unread=None):
    return list(entries_of([str(folder)], unread or Unread()))


def run(*arguments: object) -> tuple[int, str]:
    """Return the exit code and all that the command prints."""
    # As a terminal has it: a page of HTML is written as bytes.
    shown = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with redirect_stdout(shown), redirect_stderr(shown):
        code = main([*map(str, arguments)])
    return code, shown.buffer.getvalue().decode()


def report(folder, *options: str) -> dict:
    """Return the report on the logs in *folder*."""
    code, shown = run("report", folder, "--json", *options)
    assert code == 0, shown
    return json.loads(shown)


@pytest.mark.parametrize("name", CALLS)
def test_each_call_once_and_right(tmp_path, name):
    """As worked out by hand, in the report's own pass and in the full one."""
    folder = written(tmp_path, getattr(log_sets, name)())

    found = sorted(
        (one.service, one.method, one.route, one.status, round(one.ms, 3))
        for one in entries(folder)
    )

    assert found == CALLS[name]
    if CALLS[name]:
        times = [ms for *_, ms in CALLS[name]]
        total = report(folder)["total"]
        assert (total["calls"], total["total_ms"]) == (
            len(times),
            pytest.approx(sum(times)),
        )


def test_two_copies_of_one_form_are_one_log(tmp_path):
    """The quick pass over lines of one form sees it, archives included."""
    files = log_sets.copies()
    del files["docker.json"]
    files["old.log.gz"] = files["nova-api.log"]

    found = report(written(tmp_path, files))

    assert found["total"]["calls"] == 2
    assert [row["count"] for row in found["unread"]] == [4]


def test_copies_of_lines_without_an_id(tmp_path):
    """As many stay as one source has: a client may ask twice."""
    line = (
        "[pid: 8|app: 0|req: 1/1] 192.0.2.9 () {36 vars in 7 bytes} [Wed "
        "Mar  4 07:59:59 2026] GET /v2.1/flavors => generated 16 bytes in "
        "5 msecs (HTTP/1.1 200) 9 headers in 3 bytes"
    )

    folder = written(tmp_path, {"a.log": [line, line], "b.log": [line]})

    assert report(folder)["total"]["calls"] == 2


def test_a_front_beside_the_service(tmp_path):
    """The queue is the front's, and the client is the one it names."""
    folder = written(tmp_path, log_sets.before_haproxy())

    slow = next(one for one in entries(folder) if one.method == "POST")
    (front,) = report(folder)["fronts"]

    assert slow.waits_ms["queue"] == 9000.0
    assert (slow.server_ms, slow.user_id) == (697.0, log_sets.USER)
    assert slow.remote_address == "2001:db8::7"
    assert (front["calls"], front["matched"]) == (3, 2)
    assert front["server_ms"] == 895.0
    assert front["waits_ms"]["queue"] == 9000.0
    assert front["waits_ms"]["no answer"] == 30000.0
    assert front["longest_waits"]["queue"]["route"] == "/v2.1/servers"
    assert front["ended"] == [
        {
            "how": "sH, the server's time was over while waiting for the "
            "answer",
            "calls": 1,
            "method": "GET",
            "route": "/v2.1/servers/{id}/os-interface",
        }
    ]


@pytest.mark.parametrize("shape", ["table", "text", "markdown", "html"])
def test_each_format_has_fronts_and_lost_calls(tmp_path, shape):
    """What waited before the service, how it ended, what has no line."""
    for name in ("before_haproxy", "uwsgi_options"):
        written(tmp_path / name, getattr(log_sets, name)())

    code, shown = run("report", tmp_path, "--format", shape)

    text = html.unescape(shown).replace("\\", "")
    assert code == 0
    assert "haproxy: 3 calls waited 39907.0 ms" in text
    assert "queue 9000.0 ms, 22.6 % (longest 9000.0 ms, POST " in text
    assert "of 9906.0 ms in 2 calls the services' own logs have" in text
    assert "1 call ended with sH, the server's time was over while" in text
    assert "1 more call ended with the death of the worker" in text


def test_a_front_is_seen_from_several_parts():
    """As processes add up parts of logs; ends that are too many are left."""
    one, other = Front(), Front()
    entry = AccessEntry(
        "haproxy", "nova-api", None, "GET", "/v2.1", 0, 1.0, ended="CD, x"
    )
    one.add(entry)
    for number in range(200):
        other.add(entry._replace(ended=f"{number}"))
    other.add(entry._replace(ended="0"))

    one.merge(other)
    one.merge(other)

    ended = one.figures()["ended"]
    assert (ended[0]["how"], ended[0]["calls"]) == ("0", 4)
    assert {end["how"]: end["calls"] for end in ended}["CD, x"] == 1
    assert len(ended) == 100


def test_a_client_beside_the_service(tmp_path):
    """The two are one call, by its id, and never added up."""
    files = log_sets.clients()
    files["nova-api.log"] = [
        log_sets.line(
            "08:00:08.990",
            log_sets.WSGI,
            log_sets.req(1),
            log_sets.asked("POST /v2.1/servers", 202, 4.0),
        )
    ]

    found = report(written(tmp_path, files))

    assert found["total"]["calls"] == 2
    assert found["total"]["max_ms"] == 4500.0
    (front,) = found["fronts"]
    assert (front["matched_ms"], front["server_ms"]) == (4500.0, 4000.0)


def test_a_client_a_front_and_the_service(tmp_path):
    """The client waited longest, and the front knows where."""
    files = log_sets.before_haproxy()
    files["tempest.log"] = [
        "2026-03-04 08:00:14.800 5 INFO tempest.lib.common.rest_client "
        f"[{log_sets.req(2)} ] Request (ServersTest:setUp): 202 POST "
        "https://compute.test:8774/v2.1/servers 9.900s"
    ]
    folder = written(tmp_path, files)

    slow = next(one for one in entries(folder) if one.method == "POST")
    fronts = {front["form"]: front for front in report(folder)["fronts"]}

    assert (slow.form, slow.front, slow.ms, slow.server_ms) == (
        "tempest",
        "haproxy",
        9900.0,
        697.0,
    )
    assert set(fronts) == {"haproxy", "tempest through haproxy"}
    waits = fronts["tempest through haproxy"]["waits_ms"]
    assert waits["queue"] == 9000.0
    assert report(folder)["total"]["calls"] == 3


def test_the_user_of_a_clients_line_is_the_test(tmp_path):
    """tempest has no other."""
    folder = written(tmp_path, log_sets.clients())

    users = {one.user for one in entries(folder)}

    assert users == {"ServersTest:setUp", "ServersTest:test_list"}


def test_nothing_is_lost_behind_a_viewers_prefix(tmp_path):
    """User, project, id and time are the line's own."""
    folder = written(tmp_path, log_sets.viewers())

    found = entries(folder)

    assert {one.user_id for one in found} == {log_sets.USER}
    assert {one.project_id for one in found} == {log_sets.PROJECT}
    assert {one.request_id for one in found} == set(
        map(log_sets.req, range(1, 5))
    )
    assert report(folder, "--since", "2026-03-01")["total"]["calls"] == 4


def test_a_call_without_a_time_of_day_is_named(tmp_path):
    """It is not at another time, as far as the line goes."""
    lines = [
        log_sets.line(
            "08:00:01.000",
            log_sets.WSGI,
            log_sets.req(1),
            log_sets.asked("GET /v2.1/servers", 200, 1.0),
        ),
        f"INFO {log_sets.WSGI} [{log_sets.req(2)} u p] "
        + log_sets.asked("GET /v2.1/servers", 200, 1.0),
    ]

    found = report(
        written(tmp_path, {"nova-api.log": lines}), "--since", "2026-03-01"
    )

    assert found["total"]["calls"] == 1
    assert (found["out_of_time"], found["without_time"]) == (0, 1)
    page = run("report", tmp_path)[1]
    assert "Not counted, or in part" in page
    assert "1 x  call counted without its time of day" in page


def test_calls_lost_are_counted(tmp_path):
    """uWSGI killed a worker: no line has that call's time."""
    folder = written(tmp_path, log_sets.uwsgi_options())

    found = report(folder)
    page = run("report", folder)[1]

    assert found["lost"] == 1
    assert "1 more call ended with the death of the worker" in page


def test_without_a_unit_the_report_asks(tmp_path):
    """One bare number may be microseconds, milliseconds or seconds."""
    line = (
        '192.0.2.7 - - [04/Mar/2026:08:00:00 +0000] "GET /v2.1/servers '
        'HTTP/1.1" 200 16 "-" "curl" 412'
    )
    folder = written(tmp_path, {"access.log": [line]})
    form = '--form=own=%h %l %u %t "%r" %>s %b "%{Referer}i" "%{UA}i" %{ms}T'

    code, asked = run("report", folder)
    stated = report(folder, form)

    assert code == 2
    assert "unit of time is not known" in asked
    assert "--form" in asked
    assert stated["total"]["total_ms"] == 412.0
    assert stated["forms"] == {"own": 1}


def test_a_stated_format_within_a_collectors_record(tmp_path):
    """The line is the same, whatever wraps it; so is nginx's own JSON."""
    line = '192.0.2.7 [04/Mar/2026:08:00:00 +0000] "GET /v2.1/servers" 200 412'
    lines = [
        json.dumps({"log": f"{line}\n", "stream": "stdout"}),
        json.dumps({"message": line.replace("412", "500"), "host": "ctl-1"}),
        '{"asked": "GET /v2.1/flavors", "status": 200, "s": 0.25}',
        line.replace("412", "600"),
    ]
    folder = written(tmp_path, {"front.log": lines})

    found = report(
        folder,
        '--form=own=%h %t "%r" %>s %{ms}T',
        '--form=json={"asked": "$request_method $request_uri", '
        '"status": $status, "s": $request_time}',
    )

    assert found["forms"] == {"json": 1, "own": 1, "own, JSON": 2}
    page = run("report", folder, '--form=own=%h %t "%r" %>s %{ms}T')[1]
    assert "1 own, 2 own in JSON" in page
    assert found["total"]["total_ms"] == 412.0 + 500.0 + 600.0 + 250.0


def test_two_sentences_first(tmp_path):
    """What is slow, and for whom."""
    folder = written(tmp_path, log_sets.pool_is_full())

    page = run("report", folder)[1]

    assert page.splitlines()[:2] == [
        "1 of 1 call took 1 s or more; GET /v2.1/servers/detail took 100.0 % "
        "of all time, mean 30000.0 ms.",
        f"Slowest for user {log_sets.USER}: GET /v2.1/servers/detail, 1 slow "
        "of 1 call, mean of all 30000.0 ms.",
    ]


def test_one_call_in_markdown(tmp_path):
    """It is bold, and in the singular."""
    folder = written(tmp_path, log_sets.pool_is_full())

    page = run("report", folder, "--format", "markdown")[1]

    assert "**1 call**, 100.0 % took 1 s or more" in page


def test_counts_have_their_grammar(tmp_path):
    """One line, two lines."""
    folder = written(tmp_path, log_sets.no_stamps())

    code, shown = run("report", folder)

    assert code == 2
    assert "4 log lines without a request" in shown
    assert "2 lines of a traceback" in shown


def test_a_mixed_folder(tmp_path):
    """Service, front and client together: the answer comes first."""
    names = ("before_haproxy", "callers_id", "lookups", "local_times")
    for name in names:
        for file, lines in getattr(log_sets, name)().items():
            # Each set has its own requests under the same few ids.
            own = [
                text.replace("7a7a7a7a", f"{names.index(name):08d}")
                for text in lines
            ]
            written(tmp_path, {f"{name}/{file}": own})

    found = report(tmp_path)
    lines = run("report", tmp_path)[1].splitlines()

    assert found["total"]["calls"] == 3 + 4 + 3 + 2
    assert lines[0].startswith("5 of 12 calls took 1 s or more; GET ")
    assert lines[1].startswith("Slowest for a user that no line names: GET ")


def test_metadata_through_neutrons_agent_is_one_call(tmp_path):
    """The agent waits for nova: its time is what the server waited."""
    path = "GET /latest/meta-data/instance-id"
    files = {
        "nova-metadata.log": [
            log_sets.line(
                "08:00:01.000",
                "nova.metadata.wsgi.server",
                log_sets.req(1),
                log_sets.asked(path, 200, 0.25),
            )
        ],
        "neutron-metadata-agent.log": [
            "2026-03-04 08:00:01.010 5 INFO eventlet.wsgi.server [-] "
            + log_sets.asked(path, 200, 0.5)
        ],
    }

    (call,) = entries(written(tmp_path, files))

    assert (call.service, call.ms, call.server_ms) == (
        "nova-metadata",
        500.0,
        250.0,
    )


def test_essexs_two_lines(tmp_path):
    """nova logged a begin and an end before it logged times."""
    url = f"http://10.0.0.1:8774/v2/{log_sets.PROJECT}/servers/detail"
    lines = [
        log_sets.line(
            f"08:00:0{at}.000",
            "nova.api.openstack.wsgi",
            log_sets.req(1),
            text,
        )
        for at, text in (
            (1, f"GET {url}"),
            (3, f"{url} returned with HTTP 200"),
        )
    ]

    (call,) = entries(written(tmp_path, {"nova-api.log": lines}))

    assert (call.route, call.ms) == ("/v2/servers/detail", 2000.0)
