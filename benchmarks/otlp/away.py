# SPDX-License-Identifier: Apache-2.0
"""Whether a process grows, or answers late, while the Collector is away."""

from __future__ import annotations

import gc
import logging
import socket
import statistics
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.otlp import receiver
from benchmarks.otlp.served import Served
from benchmarks.running import processes
from benchmarks.running.figures import Figure

# As many as in an hour of 100 a second; here they come one after the other.
REQUESTS = 360_000
WARM_UP = 20_000
_SLICE = 10_000
# Slices without the sink.
_BESIDE = 5


class Away(NamedTuple):
    """Memory after the warm-up and at the end, and how long requests took."""

    how: str
    requests: int
    before_mb: float
    after_mb: float
    # Of 1000 requests all but one took at most as long.
    without_ms: float
    with_ms: float
    lost: int

    @property
    def mb(self) -> float:
        """Return by how much the process grew."""
        return self.after_mb - self.before_mb


def measure(requests: int, progress: Callable[[str], None]) -> list[Away]:
    """Serve *requests* that all have a trace, for each way to be away."""
    # The one line about what fails is not measured.
    logging.disable(logging.CRITICAL)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = [_away("refuses", f"http://127.0.0.1:{port}", requests, progress)]
    with receiver.running(None, receiver.SILENT) as endpoint:
        found.append(_away("hangs", endpoint, requests, progress))
    logging.disable(logging.NOTSET)
    return found


def _away(
    how: str, endpoint: str, requests: int, progress: Callable[[str], None]
) -> Away:
    without = Served()
    served = Served(otlp_endpoint=endpoint, otlp_traces="request:all")
    progress(f"a Collector that {how}: warming up")
    without.serve(_SLICE)
    served.serve(WARM_UP)
    without_ms = statistics.median(
        _late_ms(without.longest_s(_SLICE)) for _ in range(_BESIDE)
    )
    before = settled_mb()
    late = []
    for done in range(0, requests, _SLICE):
        progress(f"a Collector that {how}: {done} of {requests}")
        number = min(_SLICE, requests - done)
        late.append(_late_ms(served.longest_s(number)))
    after = settled_mb()
    lost = served.faults.get("otlp_traces_lost", 0)
    # What loses nothing was never away.
    assert lost, "no trace was lost"
    process = served.process
    assert process is not None
    process.close(0)
    return Away(
        how, requests, before, after, without_ms, statistics.median(late), lost
    )


def _late_ms(took: list[float]) -> float:
    return statistics.quantiles(took, n=1000)[-1] * 1000


def settled_mb() -> float:
    """Return what the process has in memory, without garbage."""
    gc.collect()
    return processes.resident_mb()


def figures(found: list[Away]) -> list[Figure]:
    """Return by how much the process grew, and how late answers were."""
    rows = []
    for one in found:
        how = (
            f"a Collector that {one.how}, {one.requests} requests at full "
            "speed"
        )
        late_ms = one.with_ms - one.without_ms
        rows += [
            Figure(f"{how}: growth", one.mb, 5.0, "MB"),
            Figure(f"{how}: 99.9th percentile, more", late_ms, 1.0, "ms"),
        ]
    return rows
