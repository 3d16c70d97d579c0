# SPDX-License-Identifier: Apache-2.0
"""The metrics that leave by statsd: the words of each one's name.

What sends them and what writes configuration of their readers share it.
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.groups import GROUPS
from nova_profiler.record.kinds import KINDS, REQUEST

# What waits waits for a worker of its topic or pool.
WAIT = "_wait"


class Metric(NamedTuple):
    """One metric: its name, and what the words behind it are of."""

    name: str
    labels: tuple[str, ...]
    # For a sentence: what one of its values is the time of.
    noun: str
    is_counter: bool = False


# Of what is served; each is measured from its begin to its end.
SERVED = tuple(Metric(kind.name, kind.metric, kind.noun) for kind in KINDS)
# From its arrival until a worker began with it. A request's is not known.
WAITS = tuple(
    Metric(f"{kind.name}{WAIT}", kind.metric[:1], f"{kind.noun} in line")
    for kind in KINDS
    if kind is not REQUEST
)
# Of the calls inside of what is served.
CALLS = tuple(Metric(group.name, group.metric, group.noun) for group in GROUPS)
FAULTS = Metric("profiler", ("what",), "fault of the profiler", True)

METRICS = (*SERVED, *WAITS, *CALLS, FAULTS)
LABELS_OF_KINDS = {one.name: one.labels for one in (*SERVED, *WAITS)}
