# SPDX-License-Identifier: Apache-2.0
"""Where the checkout is and runs keep their files; paths to be typed."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".state"


def relative(path: Path) -> str:
    """Return *path* as it is shortest to type from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def own_program() -> str:
    """Return nova-profiler of this Python, to be typed from here."""
    return relative(Path(sys.executable).with_name("nova-profiler"))
