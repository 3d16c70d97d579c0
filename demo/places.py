# SPDX-License-Identifier: Apache-2.0
"""Where the checkout is, and where runs keep their files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".state"
