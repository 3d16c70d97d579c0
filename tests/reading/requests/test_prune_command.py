# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler prune`: applies limits, or tells what it would do."""

from __future__ import annotations

import json
import os

import pytest
from builders import dump_files, numbered, written

from nova_profiler.cli import main


def test_the_oldest_go(tmp_path, capsys):
    """As many as the limit asks for, and no more."""
    written(tmp_path, *(numbered(n) for n in range(5)))
    before = dump_files(tmp_path)

    args = ["prune", "--dump-dir", str(tmp_path), "--max-files", "2"]
    assert main(args) == 0

    assert capsys.readouterr().out.startswith("removed 3 dumps, 3 files, ")
    assert dump_files(tmp_path) == before[3:]


def test_a_dry_run_names_them(tmp_path, capsys):
    """Nothing is removed; the names are those of the files."""
    written(tmp_path, *(numbered(n) for n in range(3)))
    args = ["prune", "--dump-dir", str(tmp_path), "--max-files", "2"]

    assert main([*args, "--dry-run"]) == 0

    first, last = capsys.readouterr().out.splitlines()
    assert first + ".json" == dump_files(tmp_path)[0]
    assert last.startswith("would remove 1 dump, 1 file, ")
    assert len(dump_files(tmp_path)) == 3


def test_json_has_the_files(tmp_path, capsys):
    """For other programs: what went and how much it was."""
    paths = written(tmp_path, *(numbered(n) for n in range(3)))
    size = paths[0].stat().st_size
    args = ["prune", "--dump-dir", str(tmp_path), "--max-mb", "0.0018"]

    assert main([*args, "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "dry_run": False,
        "bytes": size,
        "removed": [str(paths[0])],
    }


def test_by_age(tmp_path, capsys):
    """Old dumps go, whatever their number."""
    written(tmp_path, numbered(1, started_at="2001-01-01T00:00:00+00:00"))
    args = ["prune", "--dump-dir", str(tmp_path), "--max-age-hours", "1"]

    assert main(args) == 0

    assert dump_files(tmp_path) == []


@pytest.mark.parametrize("option", ["--max-mb", "--max-age-hours"])
@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "1e300", "0", "-1"])
def test_limits_that_cannot_be_are_refused(tmp_path, capsys, option, value):
    """One line, and nothing is removed."""
    written(tmp_path, numbered(1))

    assert main(["prune", "--dump-dir", str(tmp_path), option, value]) == 2

    assert capsys.readouterr().err.count("\n") == 1
    assert len(dump_files(tmp_path)) == 1


def test_a_directory_that_others_may_write_to_is_left_alone(tmp_path, capsys):
    """One line with the remedy."""
    path = tmp_path / "dumps"
    path.mkdir()
    path.chmod(0o777)

    code = main(["prune", "--dump-dir", str(path), "--max-files", "1"])

    assert code == 2
    assert capsys.readouterr().err == (
        f"nova-profiler: nothing is removed: others may write to {path}: "
        f"chmod go-w {path}\n"
    )


def test_half_written_files_are_counted(tmp_path, capsys):
    """With and without --dry-run."""
    path = tmp_path / "dumps"
    half = path / ".writing" / ".armed-0123456789abcdef"
    for folder in (path, half.parent):
        folder.mkdir(mode=0o700)
    half.write_text("half")
    os.utime(half, (1, 1))
    words = ["prune", "--dump-dir", str(path), "--max-files", "1"]

    assert main([*words, "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith(
        "would remove 0 dumps and 1 half-written file, 1 file, 4 B\n"
    )
    assert main(words) == 0

    assert "removed 0 dumps and 1 half-written file" in capsys.readouterr().out
    assert not half.exists()
