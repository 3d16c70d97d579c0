# SPDX-License-Identifier: Apache-2.0
"""The options of the demo's filter: all that it can write, on."""

from __future__ import annotations

from pathlib import Path

# A dump, and its stacks beside it.
_FILES = 2
# The load leaves as much room again for what is asked afterwards.
_ROOM = 2
_LEAST_MB = 512


def writing(
    directory: Path, statsd_port: int, requests: int
) -> dict[str, str]:
    """Return the options with which each of *requests* keeps its dump.

    The limits are above what the load writes: its figures are of all of it.
    """
    return {
        "log_file": str(directory / "requests.jsonl"),
        "dump_dir": str(directory / "dumps"),
        "dump_when": "all",
        "dump_max_files": str(_ROOM * _FILES * requests),
        # A megabyte a request is more than a dump and its stacks take.
        "dump_max_mb": str(max(_LEAST_MB, requests)),
        "statsd_host": "127.0.0.1",
        "statsd_port": str(statsd_port),
    }
