# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz``."""

from __future__ import annotations

from fuzz.cli import main

if __name__ == "__main__":
    main(prog_name="python -m fuzz")
