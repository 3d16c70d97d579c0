# SPDX-License-Identifier: Apache-2.0
"""The module that uWSGI loads: nova's entry point; writes the port."""

import os
from pathlib import Path

from nova.wsgi.osapi_compute import application

from demo.server import serve

# With lazy loading the socket is there long before nova is.
serve.say_ready(
    Path(os.environ["OS_NOVA_CONFIG_DIR"]), int(os.environ["DEMO_PORT"])
)

__all__ = ["application"]
