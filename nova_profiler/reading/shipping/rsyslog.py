# SPDX-License-Identifier: Apache-2.0
"""rsyslog's configuration: lines of the log file to a TCP port, as they are.

Vector, Fluentd, Logstash and others take JSON lines by TCP; so the workers'
hosts need rsyslog alone. https://www.rsyslog.com/doc/configuration/modules/
"""

from __future__ import annotations

from nova_profiler.reading.shipping.plan import MOST_LINE_BYTES, NAME, Plan

_TEXT = """\
# nova-profiler's records to a collector that takes JSON lines by TCP:
# /etc/rsyslog.d/10-nova-profiler.conf
# rsyslog's own limit is 8 KiB, and a record may be longer. Take this line out
# if rsyslog.conf has a larger limit.
global(maxMessageSize="{most_kb}k")

module(load="imfile")
template(name="{name}_line" type="string" string="%msg%\\n")

# Without a queue of its own: what waits there is lost in a restart.
ruleset(name="{name}" queue.type="Direct") {{
  action(type="omfwd" protocol="tcp" template="{name}_line"
         # Where your collector is.
         target="127.0.0.1" port="5170"
         TCP_Framing="traditional"
         # While it is away, records wait: a few in memory, most on the disk.
         # A full queue would lose those that are being read in a restart.
         queue.type="LinkedList" queue.filename="{name}"
         queue.size="100000"
         queue.highWatermark="5000" queue.lowWatermark="1000"
         queue.maxDiskSpace="1g" queue.saveOnShutdown="on"
         action.resumeRetryCount="-1" action.resumeInterval="5")
  stop
}}

input(type="imfile" file="{log_file}"
      tag="{name}" ruleset="{name}" addMetadata="off" readMode="0")
"""


def text(plan: Plan) -> str:
    """Return the configuration, in rsyslog's own form."""
    return _TEXT.format(
        name=NAME, log_file=plan.log_file, most_kb=MOST_LINE_BYTES >> 10
    )
