# SPDX-License-Identifier: Apache-2.0
"""How often py-spy may look, so that requests hardly feel it.

A look stops the process while py-spy walks all its stacks, which takes some
10 us a frame: longer with deep stacks, with many threads, on slow machines.
So the cost of looks is measured all the time, and held under a share of the
time. Half of the share goes into steady looks. The other half is saved for
requests that take long: while one is on, py-spy looks as often as is usual,
until the savings are used up. Where a look takes 1.5 ms, that is 50 looks a
second instead of 8.

An interval that is asked for is kept to, whatever it costs.
"""

from __future__ import annotations

# Of the time, py-spy's on a processor. Most of it the process stands still.
SHARE = 0.025
_STEADY_SHARE = SHARE / 2
# While a request takes long; and how long that is.
_LONG_SHARE = 0.2
LONG_S = 0.3
# The shortest interval of its own choice.
USUAL_MS = 20.0
# For an interval that was asked for.
_ASKED_SHARE = 0.5
# Savings: no more than this, and enough to be worth a recording of its own.
MOST_SAVED_S = 0.5
_WORTH_S = 0.15
_USED_UP_S = 0.02
# The cost of a look until the first ones were measured.
FIRST_LOOK_S = 0.0015
MAX_RATE = 1000
# One look that counts running threads for this many at all threads.
RUNNING_SHARE = 4
# A rate may be wrong by this factor before a recording is ended for it.
_TOLERANCE = 1.6


class Pace:
    """The rate of the next recording, from what the last ones cost."""

    def __init__(self) -> None:
        self._look_s = FIRST_LOOK_S
        # As asked for; 0: as often as the share allows.
        self.interval_ms = 0.0
        self.saved_s = MOST_SAVED_S / 2

    def learn(self, spent_s: float, looks: float) -> None:
        """Note that *looks* took py-spy *spent_s* of a processor."""
        if looks >= 1 and spent_s > 0:
            self._look_s = (self._look_s + 3 * spent_s / looks) / 4

    def save(self, seconds: float, spent_s: float) -> None:
        """Note that py-spy took *spent_s* of the last *seconds*."""
        saved_s = self.saved_s + seconds * SHARE - spent_s
        self.saved_s = max(0.0, min(MOST_SAVED_S, saved_s))

    def rate(self, is_long: bool = False) -> int:
        """Return looks a second: steady ones, or for a long request."""
        share = _LONG_SHARE if is_long else _STEADY_SHARE
        return int(self._rate_of(share, self._look_s))

    def is_worth_more(self) -> bool:
        """Return whether a long request now gets more than steady looks."""
        steady = self._rate_of(_STEADY_SHARE, self._look_s)
        more = self._rate_of(_LONG_SHARE, self._look_s)
        return self.saved_s >= _WORTH_S and more > steady * _TOLERANCE

    def is_used_up(self) -> bool:
        """Return whether nothing is left for long requests."""
        return self.saved_s <= _USED_UP_S

    def is_wrong(self, rate: int, spent_s: float, lasted_s: float) -> bool:
        """Return whether steady looks cost too much, or might be more."""
        looks = max(1.0, rate * lasted_s)
        steady = self._rate_of(_STEADY_SHARE, spent_s / looks)
        return not rate / _TOLERANCE <= steady <= rate * _TOLERANCE

    def _rate_of(self, share: float, look_s: float) -> float:
        """Return looks a second where one takes *look_s*."""
        if self.interval_ms:
            share = _ASKED_SHARE
        wanted = min(MAX_RATE, 1000 / (self.interval_ms or USUAL_MS))
        if look_s <= 0:
            return max(1.0, wanted)
        return max(1.0, min(wanted, share / look_s))


def running_rate_of(rate: int) -> int:
    """Return how often to look for threads that run, beside *rate*."""
    return max(1, rate // RUNNING_SHARE)
