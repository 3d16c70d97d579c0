# SPDX-License-Identifier: Apache-2.0
"""Vector's configuration: from the log file into ClickHouse.

https://vector.dev/docs/reference/configuration/
"""

from __future__ import annotations

from nova_profiler.reading.shipping.plan import (
    MOST_LINE_BYTES,
    NAME,
    STREAM,
    Plan,
)

_TEXT = """\
# nova-profiler's records into ClickHouse: vector --config THIS_FILE
# The table: nova-profiler shipper clickhouse
sources:
  {name}_lines:
    type: file
    include: ["{log_file}"]
    # Longer lines would be left out.
    max_line_bytes: {most}
transforms:
  {name}_records:
    type: remap
    inputs: [{name}_lines]
    # What is no record goes nowhere; vector counts it.
    drop_on_error: true
    source: |
      . = object!(parse_json!(string!(.message)))
sinks:
  {name}_clickhouse:
    type: clickhouse
    inputs: [{name}_records]
    # Where your ClickHouse is.
    endpoint: http://127.0.0.1:8123
    database: default
    table: {name}
    date_time_best_effort: true
    skip_unknown_fields: true
    buffer:
      type: disk
      max_size: 1073741824
      when_full: block
  # For OpenSearch instead; the mappings: nova-profiler shipper opensearch
  # {name}_opensearch:
  #   type: elasticsearch
  #   inputs: [{name}_records]
  #   endpoints: ["http://127.0.0.1:9200"]
  #   api_version: v8
  #   mode: data_stream
  #   data_stream:
  #     type: {parts[0]}
  #     dataset: {parts[1]}
  #     namespace: {parts[2]}
"""


def text(plan: Plan) -> str:
    """Return the configuration, YAML."""
    return _TEXT.format(
        name=NAME,
        log_file=plan.log_file,
        most=MOST_LINE_BYTES,
        parts=STREAM.split("-"),
    )
