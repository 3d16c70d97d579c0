# SPDX-License-Identifier: Apache-2.0
"""The completions that packages carry, and the module as the command."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from nova_profiler import __version__

PROGRAM = Path(sys.executable).with_name("nova-profiler")


@pytest.fixture
def shared_files():
    spec = importlib.util.spec_from_file_location(
        "shared_files", ROOT / ".ci" / "shared_files.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def completions(shared_files, tmp_path):
    """Return each shell's file, by the shell."""
    shared_files.write_completions(tmp_path)
    return {
        shell: tmp_path / "share" / name
        for shell, name in shared_files.COMPLETIONS.items()
    }


def test_the_module_is_the_command():
    """Where no script is on PATH; usage errors and help are the same."""
    done = subprocess.run(
        [sys.executable, "-m", "nova_profiler", "--version"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    failed = subprocess.run(
        [sys.executable, "-m", "nova_profiler", "nonsense"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert done.stdout == f"nova-profiler, version {__version__}\n"
    assert done.returncode == 0
    assert failed.returncode == 2
    assert "No such command 'nonsense'" in failed.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("nova-profiler li", ["list"]),
        ("nova-profiler history tr", ["trend"]),
        ("nova-profiler list --slow", ["--slowest", "--slow"]),
    ],
)
def test_bash_completes_what_there_is(completions, words, expected):
    """bash itself, with the file that a package puts into its folder."""
    script = (
        f'source "{completions["bash"]}"\n'
        f"COMP_WORDS=({words})\n"
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        f'_nova_profiler_completion "{PROGRAM}"\n'
        "printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )

    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == expected


def test_each_shell_asks_the_program(completions):
    """What zsh and fish get, which are not on every machine."""
    for shell, path in completions.items():
        text = path.read_text()

        assert f"_NOVA_PROFILER_COMPLETE={shell}_complete" in text
        assert "nova-profiler" in text


def test_what_is_made_is_removed_again(shared_files, tmp_path, monkeypatch):
    """Also where making it fails: the next install has nothing of it."""
    monkeypatch.setattr(
        shared_files,
        "write_man_pages",
        lambda root: (root / "share" / "man").mkdir(parents=True),
    )
    monkeypatch.setattr(shared_files, "write_notes", lambda root: 1 / 0)

    with pytest.raises(ZeroDivisionError, match="division"):
        with shared_files.shared_files(tmp_path):
            pass

    assert list(tmp_path.iterdir()) == []
