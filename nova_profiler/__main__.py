# SPDX-License-Identifier: Apache-2.0
"""``python -m nova_profiler``: the command, where no script is on PATH."""

import sys

from nova_profiler.cli import main

if __name__ == "__main__":
    sys.exit(main())
