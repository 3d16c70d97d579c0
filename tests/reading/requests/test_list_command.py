# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler list`: order, filters, and what cannot be read."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from builders import (
    numbered,
    one_of_each_kind,
    parallel_detail,
    record,
    slow_rebuild,
    written,
)
from running_requests import left_behind

from nova_profiler.cli import main
from nova_profiler.dump_store import DumpStore
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.requests.chosen_dumps import Wanted, chosen_rows


def listed(capsys, directory: Path, *args: str) -> list[dict]:
    assert main(["list", "--json", "--dump-dir", str(directory), *args]) == 0
    return json.loads(capsys.readouterr().out)["dumps"]


def statuses(capsys, directory: Path, *args: str) -> list[int]:
    return [row["status"] for row in listed(capsys, directory, *args)]


def test_newest_first_and_no_more_than_the_limit(tmp_path, capsys):
    """The last requests are what one looks for first."""
    written(tmp_path, *(numbered(n) for n in range(30)))

    rows = listed(capsys, tmp_path, "--limit", "3")

    assert [row["duration_ms"] for row in rows] == [129.0, 128.0, 127.0]


def test_dumps_with_stacks_are_marked(tmp_path, capsys):
    """By the engine that took them; the column is there only if needed."""
    profile = {"engine": "pyspy", "file": "x", "notes": []}
    paths = written(
        tmp_path, numbered(1), numbered(2, profile=profile), numbered(3)
    )
    main(["list", "--dump-dir", str(tmp_path)])
    assert "stacks" not in capsys.readouterr().out

    paths[1].with_suffix(".pyisession").write_text("{}")
    paths[2].with_suffix(".prof").write_text("{}")

    marks = [row["stacks"] for row in listed(capsys, tmp_path)]
    assert marks == [".prof", "pyspy", None]
    main(["list", "--dump-dir", str(tmp_path)])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[-2:] == ["stacks", "request"]
    assert [line.split()[-2] for line in lines] == [".prof", "pyspy", "demo"]


def test_slowest_first(tmp_path, capsys):
    """Or those that took longest, over all days."""
    written(
        tmp_path,
        *(
            numbered(n * 50000, duration_ms=ms)
            for n, ms in enumerate((5, 9, 7))
        ),
    )

    rows = listed(capsys, tmp_path, "--slowest")

    assert [row["duration_ms"] for row in rows] == [9, 7, 5]


@pytest.mark.parametrize("more", [[], ["--status", "200"]])
def test_dumps_of_the_same_millisecond_are_in_order(tmp_path, capsys, more):
    """Names have whole ones: the files decide, beyond the limit, too."""
    times = (100.2, 99.6, 100.4, 99.8, 12.0)
    written(
        tmp_path, *(numbered(n, duration_ms=ms) for n, ms in enumerate(times))
    )

    two = listed(capsys, tmp_path, "--slowest", "--limit", "2", *more)
    rows = listed(capsys, tmp_path, "--slowest", *more)
    main(["show", "--slowest", "--json", "--dump-dir", str(tmp_path)])
    shown = json.loads(capsys.readouterr().out)

    assert [row["duration_ms"] for row in two] == [100.4, 100.2]
    assert [row["duration_ms"] for row in rows] == sorted(times)[::-1]
    assert shown["duration_ms"] == 100.4


def test_equal_names_do_not_open_all_files(tmp_path, monkeypatch):
    """A directory full of one duration."""
    written(tmp_path, *(numbered(n, duration_ms=1.0) for n in range(150)))
    store = DumpStore(tmp_path)
    opened = []
    read = store.read
    monkeypatch.setattr(
        store, "read", lambda entry: opened.append(entry) or read(entry)
    )

    rows, _ = chosen_rows(store, Wanted(), 3, True, Skipped())

    assert len(rows) == 3
    assert len(opened) <= 103


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    written(
        tmp_path,
        numbered(1, status=200),
        numbered(2, status=404, method="DELETE", route="/v2.1/servers/{id}"),
        numbered(3, status=500, outcome="failed", user_name="alice"),
        numbered(
            4, status=202, duration_ms=2500.4, route="/v2.1/servers/{id}"
        ),
        numbered(5, status=409, project_name="tenant"),
    )
    return tmp_path


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ([], [409, 202, 500, 404, 200]),
        (["--route", "/v2.1/servers"], [409, 500, 200]),
        (["--route", "/v2.1/servers/{id}"], [202, 404]),
        (["--route", "{id}"], [202, 404]),
        (["--method", "delete"], [404]),
        (["--min-ms", "2500.3"], [202]),
        (["--min-ms", "2500.45"], []),
        (["--user", "alice"], [500]),
        (["--user", "tenant"], [409]),
        (["--status", "4xx"], [409, 404]),
        (["--status", "404, 5XX"], [500, 404]),
        (["--failed"], [500]),
        (["--since", "2026-11-10T08:00:04"], [409, 202]),
        (["--since", "2026-11-10 09:00:04+01:00"], [409, 202]),
        (["--since", "2026-11-10T08:00:05Z"], [409]),
        (["--since", "2026-11-11"], []),
        (["--slowest", "--status", "4xx"], [409, 404]),
        (["--slowest", "--user", "demo", "--limit", "1"], [202]),
    ],
)
def test_filters(mixed, capsys, args, found):
    """Each filter leaves what it says, in the order asked for."""
    assert statuses(capsys, mixed, *args) == found


def test_an_age_is_counted_from_now(tmp_path, capsys):
    """2h means the last two hours."""
    now = datetime.now(timezone.utc).isoformat()
    written(tmp_path, record(started_at=now, status=201), numbered(1))

    assert statuses(capsys, tmp_path, "--since", "2h") == [201]
    assert statuses(capsys, tmp_path, "--since", "0.5 h") == [201]


def test_names_alone_decide_where_they_can(mixed, monkeypatch):
    """Only the rows shown are opened."""
    store = DumpStore(mixed)
    opened = []
    read = store.read
    monkeypatch.setattr(
        store, "read", lambda entry: opened.append(entry) or read(entry)
    )

    chosen_rows(store, Wanted(route="{id}"), 1, False, Skipped())

    assert len(opened) == 1


def test_the_table_for_people(tmp_path, capsys, monkeypatch):
    """One line a request, with the start of its id."""
    monkeypatch.setenv("COLUMNS", "120")
    written(tmp_path, slow_rebuild(), parallel_detail())

    assert main(["list", "--dump-dir", str(tmp_path)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert any("rebuild" in line and "6ec84648" in line for line in lines)


@pytest.mark.parametrize(
    ("args", "last"),
    [
        (["--limit", "2"], "2 of 5; --limit for more"),
        (["--limit", "2", "--slowest"], "2 of 5; --limit for more"),
        (
            ["--limit", "2", "--route", "servers"],
            "2 of at most 5; --limit for more",
        ),
        (["--limit", "2", "--status", "2xx"], "the first 2; --limit for more"),
        (["--limit", "2", "--min-ms", "1"], "the first 2; --limit for more"),
    ],
)
def test_a_list_that_was_cut_says_so(tmp_path, capsys, args, last):
    """With how many there are, where names alone tell."""
    written(tmp_path, *(numbered(n) for n in range(5)))

    assert main(["list", "--dump-dir", str(tmp_path), *args]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == last


@pytest.mark.parametrize("order", [[], ["--slowest"]])
def test_damaged_files_are_not_counted_as_listed(tmp_path, capsys, order):
    """Those that were come upon; of the others names do not tell."""
    paths = written(tmp_path, *(numbered(n) for n in range(6)))
    for path in (paths[0], paths[5]):
        path.write_text("")
    args = ["list", "--dump-dir", str(tmp_path), *order]

    assert main([*args, "--limit", "3"]) == 0
    cut = capsys.readouterr().out.splitlines()[-1]
    assert main([*args, "--limit", "5"]) == 0
    whole = capsys.readouterr().out

    assert cut == "3 of 5; --limit for more"
    assert len(whole.splitlines()) == 1 + 4


@pytest.mark.parametrize("args", [[], ["--limit", "5"], ["--slowest"]])
def test_a_whole_list_says_nothing_more(tmp_path, capsys, args):
    """Its lines are all there are."""
    written(tmp_path, *(numbered(n) for n in range(5)))

    assert main(["list", "--dump-dir", str(tmp_path), *args]) == 0

    assert "--limit" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--status", "foo", "expected a status such as 404, 4xx or 409,5xx"),
        ("--status", "", "expected a status"),
        ("--status", "404,", "expected a status"),
        ("--min-ms", "nan", "is not a finite number"),
        ("--min-ms", "inf", "is not a finite number"),
        ("--min-ms", "soon", "number without a unit is milliseconds"),
        ("--min-ms", "1e400", "is not a finite number"),
        ("--min-ms", "-1", "not in the range"),
    ],
)
def test_values_that_cannot_be_are_refused(
    tmp_path, capsys, option, value, message
):
    """One line, before anything is read."""
    args = ["list", "--dump-dir", str(tmp_path), option, value]

    assert main(args) == 2

    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_nothing_found_is_said(tmp_path, capsys):
    """An empty table is not silence."""
    assert main(["list", "--dump-dir", str(tmp_path)]) == 0

    assert capsys.readouterr().err == (
        f"no dumps in {tmp_path} yet; dump_when sets which requests get one, "
        "without it slow and failed ones: dump_when = all keeps each, slow_ms "
        "sets what is slow\n"
    )


def test_dumps_in_a_folder_below_are_named(tmp_path, capsys):
    """As where the directory's parent was given; an empty day is not below."""
    (tmp_path / "2026-11-10").mkdir()
    args = ["list", "--dump-dir", str(tmp_path)]
    assert main(args) == 0
    assert f"no dumps in {tmp_path} yet; " in capsys.readouterr().err
    written(tmp_path / "the dumps", numbered(1))

    assert main(args) == 0

    assert capsys.readouterr().err.startswith(
        f"no dumps in {tmp_path} itself, but below it: give --dump-dir "
        f"'{tmp_path}/the dumps'\n"
    )


def test_the_range_of_one_dump(tmp_path, capsys):
    """It has no range: a duration and a time."""
    written(tmp_path, numbered(1, duration_ms=1234567.0))

    assert main(["list", "--dump-dir", str(tmp_path), "--min-ms", "1h"]) == 0

    assert capsys.readouterr().err == (
        f"no such dumps in {tmp_path}: there is 1, which does not fit the "
        "options: it took 1234567 ms, at 2026-11-10 08:00:01 UTC\n"
    )


@pytest.mark.parametrize("order", [[], ["--slowest"], ["--status", "200"]])
def test_damaged_and_foreign_files_are_named(tmp_path, capsys, order):
    """The first few by name, the others counted, and the rest is right."""
    good, bad, newer = written(tmp_path, *(numbered(n) for n in range(3)))
    bad.write_bytes(b'{"schema": 1, "status": "tw')
    newer.write_text('{"schema": 7}')
    for name in ("a.txt", "b\x1b[31m.json", "c"):
        (good.parent / name).write_text("")

    assert main(["list", "--json", "--dump-dir", str(tmp_path), *order]) == 0

    shown = capsys.readouterr()
    assert [row["file"] for row in json.loads(shown.out)["dumps"]] == [
        str(good)
    ]
    assert f"skipped: dump {bad.name}: not JSON" in shown.err
    assert (
        f"skipped: dump {newer.name}: schema 7 is newer than this version "
        f"reads (2); upgrade nova-profiler"
    ) in shown.err
    assert "skipped: 2 more" in shown.err
    assert "\x1b" not in shown.err


def test_text_of_a_client_does_not_steer_the_terminal(tmp_path, capsys):
    """A user name with an escape sequence is shown as what it is."""
    written(
        tmp_path, record(user_name="\x1b]0;owned\x07", path="/\r\n\x1b[2J")
    )

    for command in (["list"], ["show", "--last"]):
        assert main([*command, "--dump-dir", str(tmp_path)]) == 0
        shown = capsys.readouterr().out
        assert all(one.isprintable() or one == "\n" for one in shown)


def test_thousands_of_dumps(tmp_path):
    """Newest, slowest and one by its id are found among all of them."""
    paths = _three_thousand(tmp_path)
    store = DumpStore(tmp_path)
    skipped = Skipped()

    newest, most = chosen_rows(store, Wanted(), 20, False, skipped)
    slowest, same = chosen_rows(store, Wanted(), 20, True, skipped)

    assert [entry.path for entry, _ in newest] == paths[:-21:-1]
    assert [entry.path for entry, _ in slowest] == paths[:20]
    assert store.find("req-000007d0").path == paths[2000]
    assert most == same == 3_000
    assert skipped.count == 0


def _three_thousand(directory: Path) -> list[Path]:
    """Make small dumps, each younger and quicker than the one before."""
    paths = []
    for number in range(3_000):
        minute, second = divmod(number % 1_000, 60)
        paths.append(
            directory
            / f"2026-11-1{number // 1_000}"
            / (
                f"10{minute:02d}{second:02d}.000-{200_000 - number}ms"
                f"-GET-v2_1_servers-{number:08x}.json"
            )
        )
    for folder in {path.parent for path in paths}:
        folder.mkdir()
    paths[0].write_text(json.dumps(record().to_dict()))
    for path in paths[1:]:
        # Links are made much faster than files.
        os.link(paths[0], path)
    return paths


def _ago(**span: float) -> str:
    at = datetime.now(timezone.utc) - timedelta(**span)
    return at.isoformat(timespec="milliseconds")


def test_a_day_of_another_year_has_its_year(tmp_path, capsys, monkeypatch):
    """Otherwise it looks like one of this year; the future comes last."""
    monkeypatch.setenv("COLUMNS", "160")
    store = DumpStore(tmp_path)
    moments = [_ago(days=800), _ago(hours=1), _ago(days=-400)]
    for number, moment in enumerate(moments):
        store.write(numbered(number, started_at=moment))

    assert main(["list", "--dump-dir", str(tmp_path)]) == 0

    out = capsys.readouterr().out.splitlines()
    shown = [moment[:23].replace("T", " ") for moment in moments]
    assert [line[:23] for line in out[1:4]] == [shown[1], shown[0], shown[2]]
    assert out[4].startswith("1 of them dated in the future: a clock was")


def test_requests_of_killed_workers_are_listed(tmp_path, capsys):
    """Before any worker made a dump of them, and marked."""
    written(tmp_path, numbered(1))
    left_behind(tmp_path)

    assert statuses(capsys, tmp_path, "--failed") == [0]
    rows = listed(capsys, tmp_path)
    assert [row["outcome"] for row in rows] == ["killed", "ok"]
    main(["list", "--dump-dir", str(tmp_path)])
    assert "  killed  GET /v2.1/servers/detail" in capsys.readouterr().out


def test_all_kinds_or_one(tmp_path, capsys):
    """All by default; the name of a dump is enough to tell them."""
    written(tmp_path, *one_of_each_kind())

    rows = listed(capsys, tmp_path)
    assert [(row["kind"], row["record_id"]) for row in rows] == [
        ("periodic", "0000000000000003"),
        ("task", "0000000000000002"),
        ("message", "0000000000000001"),
        ("request", "0000000000000000"),
    ]
    for kind in ("request", "message", "task", "periodic"):
        rows = listed(capsys, tmp_path, "--kind", kind)
        assert [row["kind"] for row in rows] == [kind]


def test_what_is_of_another_kind_alone_is_said(tmp_path, capsys):
    """In one line, which counts it; in JSON nothing is listed."""
    written(tmp_path, *one_of_each_kind()[:2])
    args = ["list", "--dump-dir", str(tmp_path), "--kind", "task"]
    said = (
        "no tasks, but 1 request, 1 message; --kind all is about these, too\n"
    )

    assert main(args) == 0
    assert capsys.readouterr() == ("", said)
    assert main([*args, "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"schema": 1, "dumps": [], "more": 0}
    assert shown.err == said
    assert main([*args, "--route", "/v2.1/flavors"]) == 0
    assert capsys.readouterr().err == (
        f"no such dumps in {tmp_path}: there are 2, which do not fit the "
        "options: they took 100 to 101 ms, from 2026-11-10 08:00:00 to "
        "2026-11-10 08:00:01 UTC\n"
    )
