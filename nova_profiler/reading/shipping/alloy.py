# SPDX-License-Identifier: Apache-2.0
"""Grafana Alloy's configuration: from the log file into Loki.

Labels are what has few values; ids are structured metadata, which makes no
stream of its own. https://grafana.com/docs/alloy/latest/reference/components/
"""

from __future__ import annotations

from nova_profiler.reading.shipping.columns import AT, IDS, LABELS
from nova_profiler.reading.shipping.plan import NAME, Plan

_TEXT = """\
// nova-profiler's records into Loki: alloy run THIS_FILE
local.file_match "{name}" {{
  path_targets = [{{"__path__" = "{log_file}"}}]
}}

loki.source.file "{name}" {{
  targets    = local.file_match.{name}.targets
  forward_to = [loki.process.{name}.receiver]
}}

loki.process "{name}" {{
  forward_to = [loki.write.{name}.receiver]

  stage.json {{
    expressions = {{
{expressions}
    }}
    drop_malformed = true
  }}

  stage.timestamp {{
    source = "{at}"
    format = "RFC3339Nano"
  }}

  stage.labels {{
    values = {{
{labels}
    }}
  }}

  stage.structured_metadata {{
    values = {{
{metadata}
    }}
  }}
}}

loki.write "{name}" {{
  endpoint {{
    // Where your Loki is.
    url = "http://127.0.0.1:3100/loki/api/v1/push"
  }}
}}
"""
_METADATA = ("route", "method", *IDS)


def text(plan: Plan) -> str:
    """Return the configuration, in Alloy's own form."""
    return _TEXT.format(
        name=NAME,
        log_file=plan.log_file,
        at=AT,
        expressions=_rows((AT, *LABELS, *_METADATA)),
        labels=_rows(LABELS),
        metadata=_rows(_METADATA),
    )


def _rows(names: tuple[str, ...]) -> str:
    """Return each of *names* as a key that stands for itself."""
    widest = max(map(len, names))
    return "\n".join(f'      {name:{widest}} = "",' for name in names)
