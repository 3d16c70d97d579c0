# SPDX-License-Identifier: Apache-2.0
"""Where the checkout and its tests are, for programs that tests start."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
