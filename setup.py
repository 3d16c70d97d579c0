# SPDX-License-Identifier: Apache-2.0
"""Everything is in setup.cfg but the addresses of its publisher.

NOVA_PROFILER_URLS="Source=https://... Issues=https://..." become the
project's URLs: a copy of the project must not point to another's.
"""

import os

from setuptools import setup

VARIABLE = "NOVA_PROFILER_URLS"


def project_urls():
    """Return address by name, of the environment."""
    urls = {}
    for word in os.environ.get(VARIABLE, "").split():
        name, _, url = word.partition("=")
        if not name or not url.startswith(("https://", "http://")):
            raise SystemExit(
                f"{VARIABLE}: {word!r}: expected Name=https://..., such as "
                "Source=https://forge.example/nova-profiler"
            )
        urls[name.replace("_", " ")] = url
    return urls


setup(project_urls=project_urls())
