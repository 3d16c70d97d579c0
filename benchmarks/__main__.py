# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks``: needs nothing but Python to start with."""

from __future__ import annotations

import sys

from benchmarks.environment import enter

HERE = "--here"


def main() -> None:
    """Run in the benchmarks' own environment, or ``--here`` as we are."""
    arguments = sys.argv[1:]
    if HERE not in arguments:
        enter(arguments)
    arguments.remove(HERE)
    # Importable in that environment only.
    from benchmarks.cli import main as run

    run(arguments, prog_name="python -m benchmarks")


if __name__ == "__main__":
    main()
