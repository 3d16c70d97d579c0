# SPDX-License-Identifier: Apache-2.0
"""What all shippers' configuration depends on."""

from __future__ import annotations

from typing import NamedTuple

# Of tables, streams, tags and parts of a configuration.
NAME = "nova_profiler"
# A data stream's name has its type and its name space, too.
STREAM = "logs-nova_profiler-default"
# A line has at most a row for each name that was called: far below this.
MOST_LINE_BYTES = 1 << 20


class Plan(NamedTuple):
    """What is read, and how long it is kept where that is configured."""

    # The option log_file of nova.conf.
    log_file: str
    days: int
