# SPDX-License-Identifier: Apache-2.0
"""How the manual is built: sphinx-build -W -b html doc/source doc/build."""

from __future__ import annotations

import sys
from pathlib import Path

from nova_profiler import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "nova-profiler"
copyright = "the nova-profiler developers, Apache-2.0"
version = release = __version__
extensions = [
    "command_help",
    "group_tables",
    "man_references",
    "oslo_config.sphinxext",
    "release_notes",
]
exclude_patterns: list[str] = []
nitpicky = True
# oslo.config's options refer to a page of its own manual.
nitpick_ignore_regex = [("oslo.config:.*", ".*")]
highlight_language = "console"
html_theme = "furo"
html_title = "nova-profiler"
html_copy_source = False
html_show_sourcelink = False

# sphinx-build -b man: pages that make dist puts into the packages.
_AUTHOR = "the nova-profiler developers"
man_pages = [
    (page, name, title, _AUTHOR, section)
    for page, name, title, section in (
        (
            "commands",
            "nova-profiler",
            "where the time of Nova's calls went",
            1,
        ),
        ("configuration", "nova-profiler.conf", "options of the filter", 5),
        ("reference/record", "nova-profiler-record", "what a record has", 5),
    )
]
man_show_urls = False
