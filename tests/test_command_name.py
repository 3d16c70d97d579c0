# SPDX-License-Identifier: Apache-2.0
"""What the commands print as the next one runs when it is pasted."""

from __future__ import annotations

import os
import sys

import pytest

from nova_profiler.command_name import command_name, program_beside


@pytest.fixture
def program(tmp_path):
    """Return the path of a program of our name, which is not on PATH."""
    path = tmp_path / "an env" / "bin" / "nova-profiler"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def started(monkeypatch, *argv: str, original: tuple[str, ...] = ()) -> str:
    monkeypatch.setattr(sys, "argv", list(argv))
    monkeypatch.setattr(sys, "orig_argv", list(original or argv))
    return command_name()


def test_a_path_that_is_not_on_path_is_kept(monkeypatch, program):
    """Quoted, where a shell would take it for two words."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(program.parents[1])

    assert started(monkeypatch, "bin/nova-profiler") == "bin/nova-profiler"
    assert started(monkeypatch, str(program)) == f"'{program}'"


def test_what_path_finds_is_the_bare_name(monkeypatch, program):
    """As people type it."""
    monkeypatch.setenv("PATH", f"/nowhere{os.pathsep}{program.parent}")

    assert started(monkeypatch, str(program)) == "nova-profiler"


def test_another_one_on_path_is_not_meant(monkeypatch, program, tmp_path):
    """An older one may be installed there."""
    other = tmp_path / "other" / "nova-profiler"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))

    assert started(monkeypatch, str(program)) == f"'{program}'"


def test_a_module_is_started_as_one(monkeypatch):
    """By the same Python."""
    assert (
        started(
            monkeypatch,
            "/x/nova_profiler/__main__.py",
            original=(".venv/bin/python", "-m", "nova_profiler"),
        )
        == ".venv/bin/python -m nova_profiler"
    )


@pytest.mark.parametrize("argv", [(), ("/usr/bin/pytest",), ("-c",)])
def test_anything_else_is_the_bare_name(monkeypatch, argv):
    """A test, a page of serve, a program that has imported us."""
    assert started(monkeypatch, *argv) == "nova-profiler"


def test_a_program_of_the_same_environment(monkeypatch, program):
    """It is no more on PATH than the command is."""
    reader = program.with_name("pyinstrument")
    reader.write_text("#!/bin/sh\n")
    reader.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])

    monkeypatch.setenv("PATH", "/nowhere")
    assert program_beside("pyinstrument") == f"'{reader}'"
    assert program_beside("snakeviz") == "snakeviz"

    monkeypatch.setenv("PATH", str(program.parent))
    assert program_beside("pyinstrument") == "pyinstrument"
