# SPDX-License-Identifier: Apache-2.0
"""Rules and dashboard as the real promtool takes them, and what they find."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import yaml
from services import missing

from nova_profiler.reading.metrics import grafana, prometheus_rules

pytestmark = pytest.mark.services

# Per minute: of 10 requests one takes two seconds, two of ten waited.
_SERIES = """
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'nova_profiler_request_seconds_bucket{LABELS, le="1"}'
        values: '0+9x40'
      - series: 'nova_profiler_request_seconds_bucket{LABELS, le="+Inf"}'
        values: '0+10x40'
      - series: 'nova_profiler_request_seconds_count{LABELS}'
        values: '0+10x40'
      - series: 'nova_profiler_request_seconds_sum{LABELS}'
        values: '0+4x40'
      - series: 'nova_profiler_db_api_seconds_sum{service="nova-api"}'
        values: '0+1x40'
      - series: 'nova_profiler_pool_wait_seconds_sum{service="nova-api"}'
        values: '0+2x40'
    promql_expr_test:
      - expr: nova_profiler:request_slow:ratio_rate5m
        eval_time: 30m
        exp_samples:
          - labels: 'nova_profiler:request_slow:ratio_rate5m{LABELS}'
            value: 9.999999999999998e-02
      - expr: nova_profiler:db_api_time:ratio_rate5m
        eval_time: 30m
        exp_samples:
          - labels: nova_profiler:db_api_time:ratio_rate5m{service="nova-api"}
            value: 0.25
    alert_rule_test:
      - eval_time: 30m
        alertname: NovaRequestsSlow
        exp_alerts:
          - exp_labels: {severity: warning, service: nova-api}
            exp_annotations:
              summary: 10% of the requests of nova-api take a second or longer
              description: >-
                nova-profiler list --slowest has them, show --slowest one of
                them.
      - eval_time: 30m
        alertname: NovaDatabaseSlow
        exp_alerts: []
      - eval_time: 30m
        alertname: NovaWaitsForConnections
        exp_alerts:
          - exp_labels: {severity: warning, service: nova-api}
            exp_annotations:
              summary: >-
                50% of the time of nova-api's requests is waiting for a
                connection of the pool
              description: >-
                Raise [database] max_pool_size, or run more workers.
""".replace("LABELS", 'service="nova-api", route="servers", method="GET"')


def promtool(*words):
    """Return what promtool prints, and whether it is content."""
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is not installed: it comes with prometheus")
    done = subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=60
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_the_rules_find_what_is_slow(tmp_path):
    """Shares as they are, and an alert where one is too large."""
    (tmp_path / "rules.yaml").write_text(prometheus_rules.text("nova"))
    (tmp_path / "test.yaml").write_text(_SERIES)

    is_right, printed = promtool(
        "check", "rules", str(tmp_path / "rules.yaml")
    )
    assert is_right, printed
    is_right, printed = promtool("test", "rules", str(tmp_path / "test.yaml"))
    assert is_right, printed


def test_prometheus_understands_each_query_of_the_dashboard(tmp_path):
    """Grafana fills in its own words before it asks."""
    queries = [
        target["expr"]
        .replace("$__rate_interval", "5m")
        .replace("$__interval", "5m")
        .replace("$service", "nova-api")
        for panel in json.loads(grafana.text("nova"))["panels"]
        for target in panel["targets"]
    ]
    rules = [
        {"record": f"query:{number}", "expr": query}
        for number, query in enumerate(queries)
    ]
    path = tmp_path / "queries.yaml"
    path.write_text(
        yaml.safe_dump({"groups": [{"name": "q", "rules": rules}]})
    )

    is_right, printed = promtool("check", "rules", str(path))

    assert is_right, printed
    assert f"{len(queries)} rules found" in printed
