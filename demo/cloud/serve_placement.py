# SPDX-License-Identifier: Apache-2.0
"""Process that serves placement on a port of the loopback interface.

    python -m demo.cloud.serve_placement DIRECTORY MODULE:NAME WORKERS PORT

DIRECTORY has placement.conf, and gets a file ``port`` when the server
listens. MODULE:NAME is the WSGI application: placement's own, or
nova-profiler's, which wraps it.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from demo.server import serve


def main() -> None:
    """Serve by the arguments of the command line."""
    directory, target, workers, port = sys.argv[1:]
    os.environ["OS_PLACEMENT_CONFIG_DIR"] = directory
    # placement parses the command line of the program that loads it.
    sys.argv = ["placement-api"]
    serve.end_with_starter()
    module, _, name = target.partition(":")
    application = getattr(importlib.import_module(module), name)
    serve.in_threads(application, Path(directory), int(workers), int(port))


if __name__ == "__main__":
    main()
