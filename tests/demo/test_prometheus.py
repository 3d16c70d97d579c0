# SPDX-License-Identifier: Apache-2.0
"""A PromQL answer is the report's figure, by the real Prometheus."""

from __future__ import annotations

import io
import shutil
import socket

import pytest
from builders import numbered
from rich.console import Console
from services import missing

from demo import prometheus
from nova_profiler.capture.sinks.json_file import line_of


@pytest.mark.services
@pytest.mark.slow
def test_prometheus_answers_what_the_report_has(tmp_path):
    """Seconds and numbers of each route; and all is stopped at the end."""
    try:
        prometheus.programs()
    except prometheus.PrometheusError as exc:
        missing(str(exc))
    log = tmp_path / "requests.jsonl"
    made = [
        numbered(n, route=f"/v2.1/{('servers', 'flavors')[n % 2]}")
        for n in range(31)
    ]
    log.write_text("".join(map(line_of, made)))

    with prometheus.serving(tmp_path / "prometheus", log) as address:
        found = prometheus.answers(address, log)

    assert len(found) == 4
    assert all(answer.is_equal for answer in found), found
    seconds = sum(record.duration_ms for record in made) / 1000
    assert sum(
        one.prometheus for one in found if one.query == prometheus.SECONDS
    ) == pytest.approx(seconds)
    host, _, port = address.removeprefix("http://").partition(":")
    with pytest.raises(ConnectionRefusedError, match="refused"):
        socket.create_connection((host, int(port)), 10)


def test_what_is_missing_is_named(monkeypatch):
    """With the command that brings it."""
    monkeypatch.setattr(
        shutil,
        "which",
        lambda name: None if "node" in name else f"/usr/bin/{name}",
    )

    with pytest.raises(
        prometheus.PrometheusError,
        match=r"apt install prometheus-node-exporter$",
    ):
        prometheus.programs()


def test_a_figure_that_differs_is_a_failure():
    """In the ninth digit, not in the fifteenth."""
    console = Console(file=io.StringIO())
    same = prometheus.Answer("GET /a", "q", 1.0, 1.0 + 1e-15)
    other = prometheus.Answer("GET /b", "q", 1.0, 1.0 + 1e-7)

    prometheus.show(console, [same])
    assert "GET /a" in console.file.getvalue()
    with pytest.raises(prometheus.PrometheusError, match="GET /b"):
        prometheus.show(console, [same, other])
