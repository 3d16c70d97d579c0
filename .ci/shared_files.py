# SPDX-License-Identifier: Apache-2.0
"""Makes what packages carry besides code: man pages, completions, notes.

Sphinx makes the man pages of the manual, click the completions of the
command, reno the notes of git's history, which an sdist has not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTES = Path("releasenotes", "notes", "reno.cache")
PROGRAM = "nova-profiler"
MAN_PAGES = (
    "man1/nova-profiler.1",
    "man5/nova-profiler.conf.5",
    "man5/nova-profiler-record.5",
)
# Where each shell looks, below a prefix's share/.
COMPLETIONS = {
    "bash": f"bash-completion/completions/{PROGRAM}",
    "zsh": f"zsh/site-functions/_{PROGRAM}",
    "fish": f"fish/vendor_completions.d/{PROGRAM}.fish",
}


@contextmanager
def shared_files(root: Path = ROOT) -> Iterator[None]:
    """Have them in the checkout *root*; removed at the end.

    Files that stayed would be those of an older version at the next
    ``pip install .``.
    """
    try:
        write_man_pages(root)
        write_completions(root)
        write_notes(root)
        yield
    finally:
        shutil.rmtree(root / "share", ignore_errors=True)
        (root / NOTES).unlink(missing_ok=True)


def write_man_pages(root: Path) -> None:
    """Write the manual's man pages to ``share/man`` below *root*."""
    with tempfile.TemporaryDirectory() as made:
        subprocess.run(
            [
                *(sys.executable, "-m", "sphinx", "-q", "-W", "-b", "man"),
                *(root / "doc" / "source", made),
            ],
            check=True,
        )
        for page in MAN_PAGES:
            path = root / "share" / "man" / page
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(made, path.name), path)


def write_completions(root: Path) -> None:
    """Write each shell's file to ``share`` below *root*.

    These ask the program at each completion, and so know each of its
    commands and options, also those of a later version.
    """
    for shell, name in COMPLETIONS.items():
        script = subprocess.run(
            [sys.executable, "-m", "nova_profiler"],
            cwd=root,
            env={**os.environ, "_NOVA_PROFILER_COMPLETE": f"{shell}_source"},
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        ).stdout
        path = root / "share" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")


def write_notes(root: Path) -> None:
    """Write what git's history has of the notes, for reno in an sdist."""
    if (root / ".git").exists():
        subprocess.run(
            [Path(sys.executable).with_name("reno"), "-q", "cache"],
            cwd=root,
            check=True,
        )
