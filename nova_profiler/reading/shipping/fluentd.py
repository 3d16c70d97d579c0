# SPDX-License-Identifier: Apache-2.0
"""Fluentd's configuration, as kolla's takes it: into OpenSearch.

https://docs.fluentd.org/input/tail, and the plugin of kolla's image,
https://github.com/fluent/fluent-plugin-opensearch
"""

from __future__ import annotations

from nova_profiler.reading.shipping.columns import STAMP
from nova_profiler.reading.shipping.plan import (
    MOST_LINE_BYTES,
    NAME,
    STREAM,
    Plan,
)

_TEXT = """\
# nova-profiler's records into OpenSearch, by Fluentd. In kolla-ansible this is
# /etc/kolla/config/fluentd/input/{name}.conf
# The mappings: nova-profiler shipper opensearch
<source>
  @type tail
  @id in_{name}
  path {log_file}
  pos_file /var/run/fluentd/{name}.pos
  tag {name}
  read_from_head true
  max_line_size {most}
  <parse>
    @type json
    # The record's own, which stays in it.
    time_key {stamp}
    keep_time_key true
    time_type string
    time_format %iso8601
  </parse>
</source>
<match {name}>
  @type opensearch_data_stream
  @id out_{name}
  # Where your OpenSearch is.
  host 127.0.0.1
  port 9200
  scheme http
  data_stream_name {stream}
  # The one that nova-profiler prints.
  data_stream_template_name {name}
  <buffer>
    @type file
    path /var/lib/fluentd/data/{name}.*/buffer
    flush_interval 15s
    total_limit_size 1g
    overflow_action block
  </buffer>
</match>
"""


def text(plan: Plan) -> str:
    """Return the configuration, in Fluentd's own form."""
    return _TEXT.format(
        name=NAME,
        log_file=plan.log_file,
        most=MOST_LINE_BYTES,
        stamp=STAMP,
        stream=STREAM,
    )
