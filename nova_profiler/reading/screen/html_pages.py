# SPDX-License-Identifier: Apache-2.0
"""Pages of HTML in one frame; they hold all that they need."""

from __future__ import annotations

from nova_profiler import __version__
from nova_profiler.errors import missing_extra
from nova_profiler.reading.screen.terminal import printable


def rendered(template: str, **values: object) -> str:
    """Return the page that the file *template* makes of *values*.

    Raises NovaProfilerError without Jinja2.
    """
    try:
        import jinja2
    except ImportError as exc:
        raise missing_extra("pages need Jinja2", "html") from exc
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nova_profiler.reading", "templates"),
        # What users and clients named stays text, whatever it contains.
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["printable"] = printable
    return environment.get_template(template).render(
        version=__version__, **values
    )
