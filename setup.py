# SPDX-License-Identifier: Apache-2.0
"""Everything is in setup.cfg but the addresses of whoever publishes it.

NOVA_PROFILER_URLS="Source=https://... Issues=https://..." become the
project's URLs: a copy of the project must not point to another's.
"""

import os

from setuptools import setup

setup(
    project_urls=dict(
        one.split("=", 1)
        for one in os.environ.get("NOVA_PROFILER_URLS", "").split()
    )
)
