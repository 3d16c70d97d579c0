# SPDX-License-Identifier: Apache-2.0
"""Logstash's configuration: from the log file into OpenSearch.

A line has the fields that Logstash itself wants, @timestamp and @version.
https://docs.opensearch.org/latest/tools/logstash/ship-to-opensearch/
"""

from __future__ import annotations

from nova_profiler.reading.shipping.plan import NAME, STREAM, Plan

_TEXT = """\
# nova-profiler's records into OpenSearch: logstash -f THIS_FILE
# The mappings: nova-profiler shipper opensearch
input {{
  file {{
    id => "{name}_lines"
    path => ["{log_file}"]
    start_position => "beginning"
    ecs_compatibility => disabled
  }}
}}
filter {{
  # What the input put into "path" and "host" gives way to the record's own.
  json {{
    id => "{name}_records"
    source => "message"
    remove_field => ["message"]
    tag_on_failure => ["no_record"]
  }}
  if "no_record" in [tags] {{
    drop {{ id => "{name}_no_record" }}
  }}
}}
output {{
  opensearch {{
    id => "{name}_opensearch"
    # Where your OpenSearch is.
    hosts => ["http://127.0.0.1:9200"]
    index => "{stream}"
    # A data stream takes nothing else.
    action => "create"
    manage_template => false
  }}
}}
"""


def text(plan: Plan) -> str:
    """Return the configuration, in Logstash's own form."""
    return _TEXT.format(name=NAME, log_file=plan.log_file, stream=STREAM)
