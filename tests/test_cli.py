# SPDX-License-Identifier: Apache-2.0
"""What all commands have in common: help, errors, exit codes, pipes."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from builders import numbered, record, written
from places import ROOT

from nova_profiler.cli import COMMANDS, group, main
from nova_profiler.reading.command_line import dump_dir

READERS = ["calls", "list", "prune", "show"]


def test_help_names_every_command(capsys):
    """Without arguments one learns what there is."""
    assert main([]) == 0

    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)


def _helps(command, context):
    """Yield the help of *command* and of all commands in it."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            one = command.get_command(context, name)
            yield from _helps(one, click.Context(one, context, name))


def test_help_fits_a_terminal():
    """No line of any command's is wider than the 80 columns of most."""
    context = click.Context(group, info_name="nova-profiler")
    context.terminal_width = 80

    helps = dict(_helps(group, context))

    assert "nova-profiler history trend" in helps
    assert [
        (name, line)
        for name, text in helps.items()
        for line in text.splitlines()
        if len(line) > 80
    ] == []


@pytest.mark.parametrize("name", READERS)
def test_help_has_an_example_and_json(capsys, name):
    """Each command shows how it is used."""
    assert main([name, "--help"]) == 0

    shown = capsys.readouterr().out
    assert f"\n  nova-profiler {name} " in shown
    assert "--json" in shown


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["nonsense"],
            "No such command 'nonsense'; see `nova-profiler --help`",
        ),
        (["list", "--nonsense"], "see `nova-profiler list --help`"),
        (["list", "--limit", "0"], "Invalid value for '--limit'"),
        (["list", "--since", "then"], "'then': expected an age such as 30m"),
        (["list", "--since", "1e400d"], "expected an age such as 30m"),
        (["list", "--since", "999999999w"], "expected an age such as 30m"),
        (["show"], "give one of ID, --last and --slowest"),
        (["show", "x", "--last"], "give one of ID, --last and --slowest"),
        (["prune", "--dump-dir", "/"], "give one of --max-files"),
        (["list", "--dump-dir", "/no/where"], "/no/where: no such directory"),
        (["prune", "--dump-dir", "/no", "--max-mb", "1"], "/no: no such dir"),
        (["calls", "/no/log"], "no such file: /no/log"),
        (["show", "x", "--config-file", "/no"], "'/no' does not exist"),
    ],
)
def test_errors_are_one_line_and_a_2(capsys, args, message):
    """What was wrong and what to do, on standard error."""
    assert main(args) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("nova-profiler: ")
    assert shown.err.count("\n") == 1
    assert message in shown.err


@pytest.mark.parametrize("name", ["list", "calls", "show"])
def test_a_missing_dump_dir_says_how_to_give_one(capsys, monkeypatch, name):
    """Where nova is not configured the remedy is in the line."""
    monkeypatch.delenv("NOVA_PROFILER_DUMP_DIR", raising=False)
    monkeypatch.setattr(dump_dir, "CONFIG_FILES", ("/no/x",))

    args = [name, "abc"] if name == "show" else [name]
    assert main(args) == 2

    assert capsys.readouterr().err == (
        "nova-profiler: no dump_dir; /no/x is not there; give --dump-dir "
        "or set NOVA_PROFILER_DUMP_DIR\n"
    )


def run(*args: str, **how) -> subprocess.CompletedProcess:
    code = "import sys; from nova_profiler.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        timeout=60,
        check=False,
        **how,
    )


def test_a_pipe_gets_no_colours(tmp_path):
    """Nothing but text goes to a file or another program."""
    written(tmp_path, record(outcome="failed", status=500))

    for args in (["list"], ["show", "--last"], ["calls"]):
        done = run(*args, "--dump-dir", str(tmp_path))
        assert done.returncode == 0
        assert b"\x1b" not in done.stdout + done.stderr


def test_a_closed_pipe_ends_quietly(tmp_path):
    """`nova-profiler list | head` is no reason for a traceback."""
    written(tmp_path, *(numbered(n) for n in range(5)))
    reading, writing = os.pipe()
    os.close(reading)

    code = "import sys; from nova_profiler.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "list", "--dump-dir", str(tmp_path)],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, b"")


def test_a_terminal_of_another_encoding_gets_what_it_can_show(tmp_path):
    """A name that cannot be written becomes question marks."""
    written(
        tmp_path, record(user_name="Zoë", project_name=None, project_id=None)
    )

    done = run(
        "list",
        "--dump-dir",
        str(tmp_path),
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )

    assert done.returncode == 0
    assert b"Zo?" in done.stdout


def test_readers_need_neither_nova_nor_capture(tmp_path):
    """A listing imports no SQLAlchemy, no oslo and no other command."""
    written(tmp_path, record())
    code = (
        "import sys; from nova_profiler.cli import main; "
        "main(['list', '--dump-dir', sys.argv[1]]); "
        "print([name for name in sys.modules if name.startswith(("
        "'sqlalchemy', 'oslo', 'nova.', 'nova_profiler.capture', "
        "'nova_profiler.reading.requests.show_command', 'rich.progress'))], "
        "file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )

    assert done.stderr == "[]\n"


def test_a_shell_completes_wherever_the_command_is(tmp_path):
    """The variable has our name, and not that of a path."""
    program = tmp_path / "nova-profiler"
    program.write_text(
        "import sys; from nova_profiler.cli import main; sys.exit(main())"
    )

    done = subprocess.run(
        [sys.executable, str(program)],
        env={
            **os.environ,
            "_NOVA_PROFILER_COMPLETE": "bash_complete",
            "COMP_WORDS": "nova-profiler hist",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )

    assert done.stdout == "plain,history\n"
