# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler report`: from logs of every form to the figures."""

from __future__ import annotations

import gzip
import io
import json
from types import SimpleNamespace

import form_lines as forms
import pytest

from nova_profiler.cli import main


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "nova-api.log"
    path.write_text("\n".join([*forms.EXPECTED, forms.STARTING_UP]) + "\n")
    return path


def figures(capsys, *args) -> dict:
    assert main(["report", "--json", *map(str, args)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_line_of_every_form_by_hand(capsys, log):
    """18 lines, of which uWSGI's is about a request of requestlog's.

    The sum was added up, and the ranks were counted, on paper.
    """
    found = figures(capsys, log)

    assert found["total"] == {
        "calls": 17,
        "slow_calls": 6,
        "slow_share": 0.352941,
        "total_ms": 185041.592,
        "min_ms": 1.091,
        "mean_ms": 10884.8,
        "p50_ms": 250.0,
        "p90_ms": 31553.426,
        "p99_ms": 138597.015,
        "max_ms": 138597.015,
        "db_api": {
            "requests": 2, "calls_per_request": 15.0, "ms": 1680.0,
            "share": 0.2692,
        },
        "breakdown_ms": found["total"]["breakdown_ms"],
    }  # fmt: skip
    assert found["percentile_error"] == 0
    assert found["forms"] == {
        "apache": 2, "eventlet": 1, "log_file": 1, "log_requests": 1,
        "requestlog": 3, "requestlog, JSON": 1, "wsgi.server": 7,
        "wsgi.server, JSON": 1,
    }  # fmt: skip
    assert [
        (row["user"], row["method"], row["route"], row["mean_ms"])
        for row in found["slow_calls"]
    ] == [
        ("0c6e7dba03c24c6a9bce299747499e8a", "GET", "/services/Cloud",
         138597.015),
        ("-", "POST", "/v1/images", 31553.426),
        ("ebbd729575cb404081a45c9ada0849b7", "GET", "/services/Cloud",
         3942.618),
        ("TestServerDiskConfig-user", "POST", "/v2.1/servers/{id}/action",
         3117.4),
        ("demo", "GET", "/v2.1/servers/detail", 3117.4),
        ("9942eb4321644336a0c7383d9f1c2bed", "POST",
         "/v2.1/servers/{id}/action", 2991.474),
    ]  # fmt: skip
    assert [
        (row["method"], row["route"], row["min_ms"], row["mean_ms"])
        for row in found["fastest"][:2]
    ] == [
        ("OPTIONS", "/", 1.091, 1.091),
        ("GET", "/v2.1/os-services", 10.083, 10.083),
    ]
    assert [(row["kind"], row["count"]) for row in found["unread"]] == [
        ("further line about a request, merged", 1),
        ("log line without a request", 1),
    ]


def test_one_row_by_hand(capsys, log):
    """Two calls of an EC2 client, 3.9 s and 138.6 s."""
    (row,) = figures(capsys, log, "--route", "/services/Cloud")["rows"]

    assert row == {
        "method": "GET",
        "route": "/services/Cloud",
        "calls": 2,
        "slow_calls": 2,
        "slow_share": 1.0,
        "total_ms": 142539.633,
        "min_ms": 3942.618,
        "mean_ms": 71269.817,
        "p50_ms": 3942.618,
        "p90_ms": 138597.015,
        "p99_ms": 138597.015,
        "max_ms": 138597.015,
    }


def test_files_folders_pipes_and_archives(tmp_path, capsys, log, monkeypatch):
    """Wherever the lines are, the figures are the same."""
    expected = figures(capsys, log)
    data = log.read_bytes()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "nova-api.log.1.gz").write_bytes(gzip.compress(data))
    stdin = io.BufferedReader(io.BytesIO(data))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stdin))

    for source in (tmp_path / "old", tmp_path / "o*" / "*.gz", "-"):
        assert figures(capsys, source)["total"] == expected["total"]


@pytest.mark.parametrize(
    ("by", "first"),
    [
        ("user", "0c6e7dba03c24c6a9bce299747499e8a"),
        ("project", "7052bd6714e7460caeb16242e68124f9"),
        ("service", "nova-api"),
        ("status", "200"),
        ("hour", "2014-01-08 11:00"),
    ],
)
def test_by_whatever_a_call_has(capsys, log, by, first):
    """Rows by where most of the time went; hours in their order."""
    found = figures(capsys, log, "--by", by)

    assert found["by"] == by
    assert found["rows"][0][by] == first
    assert found["total"]["calls"] == 17


def test_from_when_to_when_and_how_slow(capsys, log):
    """The two lines of 2014's January, and which of them is slow."""
    found = figures(
        capsys, log, "--since", "2014-01-01", "--until", "2014-02-01",
        "--slow", "4s",
    )  # fmt: skip

    assert found["total"]["calls"] == 2
    assert found["total"]["slow_calls"] == 1
    assert found["out_of_time"] == 16


def test_without_metadata(tmp_path, capsys):
    """The metadata API's many quick calls hide what users wait for."""
    path = tmp_path / "log"
    path.write_text(
        forms.NO_CONTEXT
        + "\n"
        + forms.NO_CONTEXT.replace(
            "/v2.1/os-services", "/2009-04-04/meta-data/instance-id"
        )
    )

    found = figures(capsys, path, "--exclude", "metadata")

    assert found["fastest"][0]["route"] == "/v2.1/os-services"
    assert (found["total"]["calls"], found["excluded"]) == (1, 1)


@pytest.mark.parametrize(
    "shown_as", ["table", "text", "csv", "markdown", "html"]
)
def test_every_format(capsys, log, shown_as):
    """Each is printed, with the slowest route in it."""
    assert main(["report", str(log), "--format", shown_as]) == 0

    # A page may break a long route at the ends of its words.
    shown = capsys.readouterr().out.replace("<wbr>", "")
    assert "/services/Cloud" in shown
    assert "\x1b" not in shown


def test_a_path_with_escapes(tmp_path, capsys):
    """Neither a file's name nor a user's steers the terminal."""
    path = tmp_path / "\x1b]0;x\x07.log"
    path.write_text(
        forms.NO_CONTEXT.replace("[-]", "[req-1 \x1b[2Jme p - - -]")
        + "\n\x1b[2J other\n"
    )
    missing = tmp_path / "\x1b[31mnone"

    assert main(["report", str(path), str(missing), "--by", "user"]) == 0
    shown = capsys.readouterr()
    assert main(["report", str(missing)]) == 2
    error = capsys.readouterr().err

    assert "\x1b" not in shown.out + shown.err + error
    assert "me" in shown.out


@pytest.mark.parametrize(
    "stamp", ["9999-12-31 23:59:59.008-02:00", "0001-01-01 00:00:00.008+02:00"]
)
@pytest.mark.parametrize("zone", [[], ["--timezone", "Europe/Berlin"]])
def test_a_stamp_at_the_edge_of_the_calendar(tmp_path, capsys, stamp, zone):
    """It costs its own line its time, and no other line anything."""
    path = tmp_path / "log"
    good = forms.NO_CONTEXT
    path.write_text(f"{good}\n{stamp}{good[23:]}\n")

    assert main(["report", str(path), "--json", *zone]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["total"]["calls"] == 2
    assert found["from"] == found["to"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the logs are empty"),
        (b"\0" * 100, "1 binary file"),
        (b"hello\n", "1 log line without a request (hello)"),
        (forms.NO_CONTEXT.replace("0.0100830", "nan").encode(),
         "1 request with an impossible time"),
        (forms.log_file_line(duration_ms=2.8e14).encode(),
         "1 request with an impossible time"),
    ],
)  # fmt: skip
def test_nothing_could_be_read(tmp_path, capsys, content, message):
    """One line that says why, and exit code 2."""
    path = tmp_path / "log"
    path.write_bytes(content)

    assert main(["report", str(path)]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nova-profiler: no timed requests found: ")
    assert message in line


def test_what_was_bad_beside_what_was_good(tmp_path, capsys, log):
    """Named and counted; the rest is right."""
    (tmp_path / "bad.gz").write_bytes(gzip.compress(b"x\n" * 99_999)[:-9])
    (tmp_path / "core").write_bytes(b"\0" * 100)
    (tmp_path / "long.log").write_bytes(b"x" * 10_000_000)

    found = figures(capsys, tmp_path)

    kinds = {row["kind"]: row["example"] for row in found["unread"]}
    assert found["total"]["calls"] == 17
    assert str(tmp_path / "core") in kinds["binary file"]
    assert "bad.gz: " in kinds["damaged archive, read as far as it goes"]
    assert "xxx" in kinds["line longer than 1 MiB"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", "such as 500ms, 1s or 2h; a number without a unit is second"),
        ("-1", "not in the range"),
        ("nan", "not a finite number"),
    ],
)
def test_a_slow_that_is_none(capsys, log, value, message):
    """It says what is expected."""
    assert main(["report", str(log), "--slow", value]) == 2

    assert message in capsys.readouterr().err


def test_the_limit_of_rows(capsys, log):
    """What is not shown is counted."""
    found = figures(capsys, log, "--limit", "3")

    assert (len(found["rows"]), found["rows_more"]) == (3, 11)
    assert main(["report", str(log), "--limit", "3"]) == 0
    assert "11 more; see --limit" in capsys.readouterr().out


def test_one_format_at_a_time(capsys, log):
    """Two at once are an error."""
    assert main(["report", str(log), "--json", "--format", "csv"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "--json is not --format csv" in err
    assert main(["report", str(log), "--json", "--format", "json"]) == 0


@pytest.mark.parametrize("shape", ["table", "text", "markdown"])
def test_no_call_in_the_time_asked_for(capsys, log, shape):
    """One line says so; nothing looks like a mean of 0."""
    args = ["report", str(log), "--since", "2099-01-01", "--format", shape]
    assert main(args) == 0

    (line,) = capsys.readouterr().out.splitlines()
    assert line.strip("*") == "no calls in this time"


def test_dumps_beside_the_log_file_are_not_counted(capsys, tmp_path):
    """Each request once, and a word on what the others are."""
    line = forms.log_file_line()
    (tmp_path / "requests.json").write_text(line + "\n")
    day = tmp_path / "2026-11-21"
    day.mkdir()
    dump = day / "103501.123-3117ms-POST-v2_1_servers_id_action-6ec84648.json"
    dump.write_text(json.dumps({**json.loads(line), "timeline": []}))

    found = figures(capsys, tmp_path)

    assert found["total"]["calls"] == 1
    assert found["unread"] == [
        {
            "kind": "dump, which show and calls read with --dump-dir",
            "count": 1,
            "example": str(dump),
        }
    ]
    assert main(["report", str(day)]) == 2
    assert "which show and calls read" in capsys.readouterr().err


def test_a_log_that_is_not_there_is_all_that_is_said(tmp_path, capsys):
    """A slip in a path is no log without requests."""
    names = [str(tmp_path / name) for name in ("a.log", "b")]

    assert main(["report", names[0]]) == 2
    assert main(["report", *names]) == 2

    said = f"nova-profiler: no such file or folder: {names[0]}"
    assert capsys.readouterr().err == f"{said}\n{said} and 1 more\n"
