# SPDX-License-Identifier: Apache-2.0
"""What it costs a call to be watched by pyinstrument, measured here.

pyinstrument's function in C runs at each call and each return, whatever the
interval between samples, so that many small calls look slower than they are.
By how much depends on the version of Python and on the machine.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from time import perf_counter

from pyinstrument.low_level.stat_profile import setstatprofile

from nova_profiler.capture.profilers.pyinstrument.sampler import timer_type

# A fifth of a millisecond in all. The quickest round is the one that nothing
# interrupted.
_ROUNDS = 5
_CALLS = 100
# No sample is taken.
_INTERVAL_S = 3600.0

_price_var: ContextVar[object | None] = ContextVar(
    "nova_profiler_price", default=None
)


def price_of_call_s() -> float | None:
    """Return by how much a call takes longer, in seconds.

    None where another profiler is on, which is left alone.
    """
    if sys.getprofile() is not None:
        return None
    unwatched_s = _call_s()
    setstatprofile(
        lambda *_: None,
        _INTERVAL_S,
        _price_var,
        timer_type(perf_counter, _INTERVAL_S),
    )
    try:
        watched_s = _call_s()
    finally:
        setstatprofile(None)
    return max(0.0, watched_s - unwatched_s)


def _call_s() -> float:
    """Return how long a call takes at least."""
    best_s = float("inf")
    for _ in range(_ROUNDS):
        began = perf_counter()
        for _ in range(_CALLS):
            _nothing()
        best_s = min(best_s, perf_counter() - began)
    return best_s / _CALLS


def _nothing() -> None:
    pass
