# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler calls`: from dumps and from log files."""

from __future__ import annotations

import gzip
import io
import json
from types import SimpleNamespace

import pytest
from archives import COMPRESSORS
from builders import (
    numbered,
    one_of_each_kind,
    parallel_detail,
    record,
    slow_rebuild,
    written,
)

from nova_profiler.cli import main
from nova_profiler.reading.requests import log_file_records


def line_of(one, **more) -> bytes:
    fields = {"@timestamp": one.started_at, "@version": "1", **one.to_dict()}
    fields.pop("statements", None)
    fields.pop("timeline", None)
    return json.dumps({**fields, **more}).encode() + b"\n"


def figures(capsys, *args: str) -> list[dict]:
    assert main(["calls", "--json", *args]) == 0
    return json.loads(capsys.readouterr().out)["routes"]


@pytest.fixture
def log_file(tmp_path):
    path = tmp_path / "requests.json"
    path.write_bytes(
        line_of(slow_rebuild()) + line_of(parallel_detail()) * 3
        + line_of(numbered(1))
    )  # fmt: skip
    return path


def test_dumps_and_log_lines_give_the_same(tmp_path, capsys, log_file):
    """Either source has exact totals."""
    dumps = tmp_path / "dumps"
    written(
        dumps, slow_rebuild(), *[parallel_detail()] * 3, numbered(1)
    )  # fmt: skip

    from_dumps = figures(capsys, "--dump-dir", str(dumps))
    from_log = figures(capsys, str(log_file))

    # Only dumps have statements.
    rules = [
        [[row["rule"] for row in one.pop("advice")] for one in routes]
        for routes in (from_log, from_dumps)
    ]
    assert rules[0] == [["largest_part"]] * 3
    assert rules[1] == [
        ["largest_part"],
        ["largest_part", "repeated_statement"],
        ["largest_part"],
    ]
    assert from_dumps == from_log
    assert [
        (one["route"], one["requests"], one["totals"]["calls"])
        for one in from_log
    ] == [
        ("/v2.1/servers/detail", 3, 18),
        ("/v2.1/servers/{id}/action", 1, 15),
        ("/v2.1/servers", 1, 0),
    ]


def test_one_route_since_a_time(capsys, log_file):
    """Both filters work on log lines too."""
    routes = figures(capsys, str(log_file), "--route", "detail")
    assert [one["route"] for one in routes] == ["/v2.1/servers/detail"]

    routes = figures(capsys, str(log_file), "--since", "2026-11-11")
    assert [one["requests"] for one in routes] == [3, 1]


def test_one_route_of_dumps_since_a_time(tmp_path, capsys):
    """Filters on dumps are by their names."""
    written(tmp_path, slow_rebuild(), parallel_detail(), numbered(1))
    args = ["--dump-dir", str(tmp_path), "--since", "2026-11-11"]

    assert len(figures(capsys, *args)) == 2
    assert len(figures(capsys, *args, "--route", "/v2.1/servers/detail")) == 1


def test_by_sql(capsys, log_file):
    """The same by verb and table; there the driver is all."""
    routes = figures(capsys, str(log_file), "--by", "sql")

    assert [row["name"] for row in routes[0]["functions"]] == [
        "SELECT instances",
        "UPDATE instances",
        "SELECT instance_metadata",
    ]


def test_the_page_says_where_it_is_from(
    tmp_path, capsys, monkeypatch, log_file
):
    """Dumps are a choice of the slow ones, a log file is not."""
    written(tmp_path / "dumps", slow_rebuild(), parallel_detail(), record())

    assert main(["calls", "--dump-dir", str(tmp_path / "dumps")]) == 0
    shown = capsys.readouterr().out
    assert "From dumps: only requests that dump_when chose" in shown
    assert "1 route made no db_api calls" in shown
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["calls", "--dump-dir", str(tmp_path / "dumps")]) == 0
    note = capsys.readouterr().out.rpartition("From dumps")[2]
    assert note.split()[-2:] == ["the", "log_file."]
    assert all(len(line) <= 60 for line in note.splitlines())

    assert main(["calls", str(log_file), "--limit", "1"]) == 0
    shown = capsys.readouterr().out
    assert "From dumps" not in shown
    assert "1 route more; see --limit" in shown


def test_no_calls_are_said(tmp_path, capsys):
    """A log without database calls is not an empty page."""
    path = tmp_path / "log"
    path.write_bytes(line_of(record()))

    assert main(["calls", str(path)]) == 0

    assert capsys.readouterr().err == "no db_api calls in 1 request\n"


def test_an_empty_directory_is_no_error(tmp_path, capsys):
    """As in list and top: one line, and nothing failed."""
    assert main(["calls", "--dump-dir", str(tmp_path)]) == 0

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"no dumps in {tmp_path} yet; dump_when")


def test_lines_that_are_no_records_are_named(tmp_path, capsys, monkeypatch):
    """By file and line, the first few; the rest is right."""
    monkeypatch.setattr(log_file_records, "LONGEST_LINE", 20_000)
    path = tmp_path / "log"
    path.write_bytes(
        b"2026-11-21 10:35:01 INFO nova-api started\n\n"
        + line_of(parallel_detail())
        + b"x" * 50_000 + b"\n"
        + line_of(parallel_detail(), schema=7)
        + b"\xff\xfe\n"
        + line_of(parallel_detail())[:-20]
    )  # fmt: skip

    assert main(["calls", "--json", str(path)]) == 0

    shown = capsys.readouterr()
    assert json.loads(shown.out)["routes"][0]["requests"] == 1
    assert shown.err.splitlines() == [
        "skipped: log:1: not JSON: Extra data: line 1 column 5 (char 4)",
        "skipped: log:4: too long for a record",
        "skipped: log:5: schema 7 is newer than this version reads (2); "
        "upgrade nova-profiler",
        "skipped: 2 more",
    ]


def test_damaged_dumps_are_named(tmp_path, capsys):
    """As in every reader."""
    good, bad = written(tmp_path, parallel_detail(), slow_rebuild())
    bad.write_text("{")
    (good.parent / "notes").write_text("")

    assert main(["calls", "--json", "--dump-dir", str(tmp_path)]) == 0

    shown = capsys.readouterr()
    assert len(json.loads(shown.out)["routes"]) == 1
    assert "2026-11-21/notes: not a dump" in shown.err
    assert f"dump {bad.name}: not JSON" in shown.err


def test_compressed_and_standard_input(tmp_path, capsys, monkeypatch):
    """Rotated logs are read as they are, and so is a pipe."""
    path = tmp_path / "log.1.gz"
    path.write_bytes(gzip.compress(line_of(parallel_detail())))
    monkeypatch.setattr(
        "sys.stdin",
        SimpleNamespace(buffer=io.BytesIO(line_of(slow_rebuild()))),
    )

    assert len(figures(capsys, str(path), "-")) == 2


def test_a_broken_archive_is_one_line(tmp_path, capsys):
    """Cut off in the middle, or no archive at all."""
    whole = gzip.compress(line_of(parallel_detail()))
    for content, message in (
        (whole[:30], f"damaged archive, read as far as it goes: {tmp_path}"),
        (b"plain", "log.gz:1: not JSON"),
    ):
        path = tmp_path / "log.gz"
        path.write_bytes(content)

        assert main(["calls", str(path)]) == 2

        assert capsys.readouterr().err.startswith(
            f"nova-profiler: no records found; {message}"
        )


@pytest.mark.parametrize("command", ["calls", "size"])
def test_what_reads_other_logs_is_named(tmp_path, capsys, command):
    """A log of nova is the likelier mistake than a damaged log_file."""
    path = tmp_path / "nova-api.log"
    path.write_text("2026-11-21 10:35:01 INFO nova-api started\n")

    assert main([command, str(path)]) == 2

    shown = capsys.readouterr().err
    assert shown.endswith(
        "; this reads what log_file wrote; for logs of nova: "
        "`nova-profiler report`\n"
    )
    assert shown.count("\n") == 1
    assert main([command, str(tmp_path / "no")]) == 2
    assert "for logs of nova" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["calls", "size", "report"])
def test_a_folder_without_files(tmp_path, capsys, command):
    """It is a slip of the path, and no log without calls."""
    assert main([command, str(tmp_path)]) == 2

    assert capsys.readouterr().err == (
        f"nova-profiler: no files in {tmp_path}\n"
    )


def test_a_folder_with_an_archive_that_is_cut_off(tmp_path, capsys):
    """What can be read of it is right, and the rest is named."""
    lines = line_of(parallel_detail()) * 500
    (tmp_path / "1.gz").write_bytes(gzip.compress(lines)[:-9])
    (tmp_path / "2.zst").write_bytes(
        COMPRESSORS["zst"](line_of(slow_rebuild()))
    )
    (tmp_path / "3").write_bytes(b"\0\1\2")

    assert main(["calls", "--json", str(tmp_path)]) == 0

    shown = capsys.readouterr()
    assert len(json.loads(shown.out)["routes"]) == 2
    assert "skipped: binary file: " in shown.err
    assert "skipped: damaged archive, read as far as it goes: " in shown.err


@pytest.fixture(params=["dumps", "log"])
def of_each_kind(request, tmp_path) -> list[str]:
    """Return arguments for one record of each kind."""
    records = one_of_each_kind()
    if request.param == "dumps":
        written(tmp_path, *records)
        return ["--dump-dir", str(tmp_path)]
    path = tmp_path / "requests.json"
    path.write_bytes(b"".join(map(line_of, records)))
    return [str(path)]


def test_requests_are_requests(of_each_kind, capsys):
    """What is of another kind is only there if asked for."""
    assert [
        (one["kind"], one["route"]) for one in figures(capsys, *of_each_kind)
    ] == [("request", "/v2.1/servers")]
    (one,) = figures(capsys, *of_each_kind, "--kind", "message")
    assert (one["kind"], one["requests"]) == ("message", 1)
    assert len(figures(capsys, *of_each_kind, "--kind", "all")) == 4


def test_what_is_counted_has_its_name(of_each_kind, capsys):
    """The word of its kind, and that of its route but once."""
    assert main(["calls", *of_each_kind, "--kind", "all"]) == 0
    shown = capsys.readouterr().out
    headings = [line for line in shown.splitlines() if "p50 1" in line]

    assert {line.partition("   p50")[0] for line in headings} == {
        "GET /v2.1/servers   1 request",
        "CAST rpc compute reboot_instance   1 message",
        "task LONG_TASK ComputeManager._build   1 task",
        "periodic ComputeManager._sync   1 periodic task",
    }
    assert "of these periodic tasks' time" in shown


def test_records_of_another_kind_alone_are_said(of_each_kind, capsys):
    """One line, in the place of an empty page."""
    args = [*of_each_kind, "--route", "ComputeManager"]

    assert main(["calls", *args]) == 0

    assert capsys.readouterr() == (
        "",
        "no requests, but 1 task, 1 periodic task; --kind all is about "
        "these, too\n",
    )
