# SPDX-License-Identifier: Apache-2.0
"""References of a man page: their text alone, as no other page is there."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def to_text(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the text of each inner reference in its place, for ``-b man``."""
    if app.builder.name != "man":
        return
    for reference in list(doctree.findall(nodes.reference)):
        if "refuri" not in reference or reference.get("internal"):
            reference.replace_self(reference.children)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", to_text)
    return {"parallel_read_safe": True}
