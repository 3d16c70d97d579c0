# SPDX-License-Identifier: Apache-2.0
"""A report as one HTML page: its style and plots within, no network."""

from __future__ import annotations

from typing import Any

from nova_profiler import __version__
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.report.folded_report_plots import (
    WIDTH,
    axis_of,
    spans_of,
    steps_of,
)
from nova_profiler.reading.screen.terminal import printable

_SPREAD_HEIGHT = 120


class HtmlMissing(NovaProfilerError):
    """What writes pages is not installed; the message says how to get it."""


def html_of(summary: dict[str, Any]) -> str:
    """Return the page. Raises HtmlMissing without Jinja2."""
    try:
        import jinja2
    except ImportError as exc:
        raise HtmlMissing(
            "--format html needs Jinja2: pip install nova-profiler[html]"
        ) from exc
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nova_profiler.reading", "templates"),
        # What users and clients named stays text, whatever it contains.
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["printable"] = printable
    axis = axis_of(summary)
    return environment.get_template("report.html").render(
        summary=summary,
        version=__version__,
        width=WIDTH,
        ticks=axis.ticks(),
        spans=spans_of(summary, axis),
        slow_x=axis.x(summary["slow_ms"]),
        steps=steps_of(summary, _SPREAD_HEIGHT),
        spread_height=_SPREAD_HEIGHT,
    )
