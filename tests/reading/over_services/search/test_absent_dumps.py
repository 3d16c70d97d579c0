# SPDX-License-Identifier: Apache-2.0
"""A folder whose dumps lie below it: one rule for all commands."""

from __future__ import annotations

import pytest
from builders import dump_files, numbered, written

from nova_profiler.cli import main


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "calls",
        "top",
        "export",
        "export --format firefox",
        "diff --before 2101-01-01",
        "prune --max-files 1",
        "size",
    ],
)
def test_the_folder_to_give_is_named(tmp_path, capsys, command):
    """In the line with the answer, with the option that takes it."""
    written(tmp_path / "of it", numbered(1), numbered(2))

    main([*command.split(), "--dump-dir", str(tmp_path)])

    assert (
        f"no dumps in {tmp_path} itself, but below it: give --dump-dir "
        f"'{tmp_path}/of it'\n"
    ) in capsys.readouterr().err
    assert len(dump_files(tmp_path / "of it")) == 2


@pytest.mark.parametrize("command", ["top {0}", "export {0}", "diff {0} {0}"])
def test_an_argument_is_asked_for_as_one(tmp_path, capsys, command):
    """An error, as it was named."""
    written(tmp_path / "below", numbered(1))

    assert main(command.format(tmp_path).split()) == 2

    assert capsys.readouterr().err == (
        f"nova-profiler: no dumps in {tmp_path} itself, but below it: give "
        f"{tmp_path}/below\n"
    )


def test_a_new_folder_is_pruned_of_nothing(tmp_path, capsys):
    """A timer may start before the first dump."""
    assert (
        main(["prune", "--dump-dir", str(tmp_path), "--max-files", "1"]) == 0
    )

    assert capsys.readouterr().out.startswith("removed 0 dumps")


@pytest.mark.parametrize(
    "command",
    [
        "top --dump-dir {}",
        "top {}",
        "export {}",
        "diff --before 2101-01-01 --dump-dir {}",
        "prune --max-files 9 --dump-dir {}",
        "prune --max-files 9 --dry-run --dump-dir {}",
    ],
)
def test_a_dump_directory_is_where_its_dumps_are(tmp_path, capsys, command):
    """Whatever else lies below it."""
    written(tmp_path, numbered(1))
    written(tmp_path / "copy", numbered(2))

    main(command.format(tmp_path).split())

    assert "below it" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "calls"])
def test_damaged_dumps_are_the_reason(tmp_path, capsys, command):
    """No option was given that they would not fit."""
    for path in written(tmp_path, numbered(1), numbered(2)):
        path.write_text("{")

    assert main([command, "--dump-dir", str(tmp_path)]) == 0

    error = capsys.readouterr().err
    assert f"in {tmp_path} that can be read: 2 damaged dumps" in error
    assert "options" not in error


@pytest.mark.parametrize("command", ["list", "calls"])
def test_damaged_dumps_are_one_reason_of_two(tmp_path, capsys, command):
    """Others do not fit the options."""
    damaged, _ = written(
        tmp_path, numbered(1), numbered(2, route="/v2.1/flavors")
    )
    damaged.write_text("{")

    main([command, "--dump-dir", str(tmp_path), "--route", "/v2.1/servers"])

    assert (
        "of 2 dumps 1 cannot be read, and the others do not fit the options"
        in capsys.readouterr().err
    )
