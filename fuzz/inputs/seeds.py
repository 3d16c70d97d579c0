# SPDX-License-Identifier: Apache-2.0
"""Files that the readers know: those of a release that tests keep."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_WRITTEN = ROOT / "tests" / "written_before"
DUMPS = _WRITTEN / "dumps"
HISTORY = _WRITTEN / "history"
_OWNER_ALONE = 0o700


def contents(pattern: str, folder: Path = _WRITTEN) -> tuple[bytes, ...]:
    """Return what the kept files have whose names fit *pattern*."""
    return tuple(
        path.read_bytes()
        for path in sorted(folder.rglob(pattern))
        if path.is_file()
    )


def copied(source: Path, folder: Path) -> Path:
    """Return a copy of a kept folder in *folder*, made once."""
    copy = folder / source.name
    if not copy.exists():
        shutil.copytree(source, copy)
        copy.chmod(_OWNER_ALONE)
    return copy
