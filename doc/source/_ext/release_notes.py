# SPDX-License-Identifier: Apache-2.0
"""Sphinx directive ``release-notes``: reno's, and what it needs missing.

reno reads notes out of git's history, or out of the file reno.cache that is
made for an sdist. Where there is neither, as in an archive of a forge, or
half a history, the manual is built all the same.
"""

from __future__ import annotations

import logging as plain_logging
from typing import Any

from docutils import nodes
from reno.sphinxext import ReleaseNotesDirective
from sphinx.application import Sphinx
from sphinx.util import logging

MISSING = (
    "This copy of the manual was built without git's history, in which the "
    "notes have their versions. They are the files of releasenotes/notes."
)


class ReleaseNotes(ReleaseNotesDirective):  # type: ignore[misc]  # reno has no types
    """reno's directive; a sentence in the place of what reno cannot read."""

    def run(self) -> list[nodes.Node]:
        try:
            found: list[nodes.Node] = super().run()
        except Exception as exc:
            # dulwich has many errors of its own for what it misses.
            logging.getLogger(__name__).info("no release notes: %r", exc)
            return [nodes.paragraph(text=MISSING)]
        return found


def setup(app: Sphinx) -> dict[str, Any]:
    # It prints where it found its options.
    plain_logging.getLogger("reno").setLevel(plain_logging.WARNING)
    app.add_directive("release-notes", ReleaseNotes)
    return {"parallel_read_safe": True}
