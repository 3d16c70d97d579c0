# SPDX-License-Identifier: Apache-2.0
"""Dumps that were copied without the folder of their day are dumps."""

from __future__ import annotations

import shutil

import pytest
from builders import numbered, record, slow_rebuild, written

from nova_profiler.cli import main
from nova_profiler.dump_store import DumpStore
from nova_profiler.record import CallTotals

CALLS = [CallTotals("db_api", "instance_get", 1, 4.0, 4.0)]


@pytest.fixture(params=["alone", "day", "day by another name"])
def place(request, tmp_path):
    """Return a folder with dumps in it, as copied in each of these ways."""
    paths = written(
        tmp_path / "dumps", *[numbered(n, calls=CALLS) for n in (1, 2)]
    )
    day = paths[0].parent
    for path in paths:
        path.with_suffix(".pyisession").write_text("{}")
    if request.param == "day":
        return day
    if request.param == "alone":
        (tmp_path / "one").mkdir()
        for path in day.iterdir():
            shutil.copy(path, tmp_path / "one")
        return tmp_path / "one"
    return day.rename(tmp_path / "copy")


def test_they_have_their_day(place):
    """The names lack it; the newest is first, as ever."""
    foreign: list[str] = []

    entries = list(DumpStore(place).entries(foreign))

    assert [one.started_at for one in entries] == [
        f"2026-11-10T08:00:0{n}.000+00:00" for n in (2, 1)
    ]
    assert foreign == []
    since = DumpStore(place).entries(since="2026-11-10T08:00:02")
    assert len(list(since)) == 1


@pytest.mark.parametrize(
    "words",
    [["list"], ["calls"], ["show", "00000001"]],
    ids=lambda one: one[0],
)
def test_commands_read_them(place, capsys, words):
    """As those in a dump directory, and with nothing skipped."""
    assert main([*words, "--dump-dir", str(place)]) == 0

    printed = capsys.readouterr()
    assert "/v2.1/servers" in printed.out
    assert "not a dump" not in printed.err
    assert "no dumps" not in printed.err


def test_a_command_that_show_prints_finds_them(place, capsys):
    """It names the folder that has them."""
    main(["show", "00000001", "--dump-dir", str(place)])
    (line,) = [
        line
        for line in capsys.readouterr().out.splitlines()
        if " calls --route" in line
    ]
    directory = line.partition("--dump-dir ")[2].strip("'")

    assert len(list(DumpStore(directory).entries())) == 2


def test_they_stand_beside_days(tmp_path):
    """In one order."""
    written(tmp_path, slow_rebuild(), record())
    [path] = written(tmp_path / "other", numbered(1))
    path.rename(tmp_path / path.name)

    began = [one.started_at for one in DumpStore(tmp_path).entries()]

    assert len(began) == 3
    assert began == sorted(began, reverse=True)


def test_a_damaged_one_is_named_as_such(tmp_path, capsys):
    """It is a dump by its name, and a link is none."""
    [path] = written(tmp_path / "dumps", numbered(1))
    place = tmp_path / "one"
    place.mkdir()
    (place / path.name).write_text("{")
    (place / path.name.replace("101ms", "7ms")).symlink_to(path)

    assert main(["list", "--dump-dir", str(place)]) == 0

    error = capsys.readouterr().err
    assert "not JSON" in error
    assert f"{path.name.replace('101ms', '7ms')}: not a dump" in error
