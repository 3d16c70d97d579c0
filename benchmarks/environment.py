# SPDX-License-Identifier: Apache-2.0
"""A virtual environment with the peers, made when it is first needed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_DIRECTORY = ROOT / ".venvs" / "bench"
_REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
_CONSTRAINTS = ROOT / "benchmarks" / "constraints.txt"


def enter(arguments: list[str]) -> None:
    """Run the benchmarks anew in their own environment; do not return."""
    python = _DIRECTORY / "bin" / "python"
    stamp = _DIRECTORY / "installed"
    wanted = _wanted()
    if not stamp.exists() or stamp.read_text() != wanted:
        _install(python)
        stamp.write_text(wanted)
    command = [str(python), "-m", "benchmarks", "--here", *arguments]
    os.execv(python, command)  # noqa: S606 - no shell is what is wanted


def _install(python: Path) -> None:
    print(f"installing the peers into {_DIRECTORY}", file=sys.stderr)
    venv.create(_DIRECTORY, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [
            *pip,
            "install",
            "--quiet",
            "--constraint",
            str(_CONSTRAINTS),
            "--requirement",
            str(_REQUIREMENTS),
            "--editable",
            str(ROOT),
        ],
        check=True,
    )


def _wanted() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in (_REQUIREMENTS, _CONSTRAINTS, ROOT / "setup.cfg"):
        digest.update(path.read_bytes())
    return digest.hexdigest()
