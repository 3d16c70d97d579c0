# SPDX-License-Identifier: Apache-2.0
"""The figures to reach, as they are printed."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from benchmarks.running.figures import Figure
from benchmarks.running.output import show_figures


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1000.0, "1000 requests"),
        (123456.7, "123457 requests"),
        (19.66, "19.7 requests"),
        (0.9391, "0.939 requests"),
        (0.0, "0 requests"),
        (None, "not measured"),
    ],
)
def test_a_figure_has_no_power_of_ten(value, shown):
    """Whoever reads a table reads numbers of any size."""
    output = io.StringIO()
    figure = Figure("served", value, 5.0, "requests")

    show_figures(Console(file=output, width=120), [figure])

    assert shown in output.getvalue()
    assert "e+" not in output.getvalue()
