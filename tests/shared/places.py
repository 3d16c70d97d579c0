# SPDX-License-Identifier: Apache-2.0
"""Where the checkout and its tests are, for programs that tests start."""

from __future__ import annotations

import os
from pathlib import Path

SHARED = Path(__file__).resolve().parent
TESTS = SHARED.parent
ROOT = TESTS.parent
PROGRAMS = TESTS / "programs"
# For programs that import the package and what tests share.
PYTHONPATH = os.pathsep.join((str(ROOT), str(SHARED)))
