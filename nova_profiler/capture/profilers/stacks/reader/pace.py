# SPDX-License-Identifier: Apache-2.0
"""How often to look, so that the reader costs what it may.

What a look costs is measured all the time. Three tenths of the share go into
steady looks at all requests, more where a request could otherwise take long
without having been seen. The rest is for requests that have been on for a
while: what they do not use is saved, and they are looked at up to a hundred
times a second until the savings are used up.

What the reader does besides, as to answer for each request that is kept,
comes out of the rest, down to its least share. It is no part of a look's
price: where all requests are kept, steady looks would become so rare that
most requests had none.

An interval that is asked for is kept, whatever it costs.
"""

from __future__ import annotations

# Of one processor.
SHARE = 0.025
# On a machine whose processors are all busy requests lose about twice what the
# reader takes: a hundredth costs them 2 % of their throughput.
_STEADY_SHARE = SHARE * 0.3
# What looks at long requests have at least.
_LONG_SHARE = SHARE * 0.1
# Shortest intervals of its own choice, and the longest: a round at a thousand
# threads costs as much as may be taken in some seconds.
STEADY_S = 0.02
LONG_S = 0.01
SLOWEST_S = 10.0
# A request that has been on for so long takes long.
LONG_AFTER_NS = 300_000_000
# Intervals vary by half: with this one each such request was seen before.
_SEEN_BEFORE_S = 0.2
# Seconds of a processor that may be saved.
_MOST_SAVED_S = 0.1
# What a round is taken to cost before the first was measured.
_FIRST_ROUND_S = 0.0005
# How much one round counts in the mean, and seconds of the mean of what is
# done besides.
_WEIGHT = 0.1
_BESIDES_S = 10.0


class Pace:
    """The time until the next round of looks, from what the last ones cost."""

    def __init__(self) -> None:
        # As asked for; 0: as often as the share allows.
        self.interval_s = 0.0
        self._saved_s = _MOST_SAVED_S / 2
        # The mean cost of a round at all requests, and at long ones.
        self._costs = {False: _FIRST_ROUND_S, True: _FIRST_ROUND_S}
        # Of a processor, what is done besides.
        self._besides = 0.0

    def spent(
        self,
        is_long: bool,
        cost_s: float,
        since_s: float,
        besides_s: float = 0.0,
    ) -> None:
        """Note that a round cost *cost_s*, *since_s* after the one before.

        *is_long* is whether it was one at long requests alone. *besides_s*
        is what all but looks took meanwhile.
        """
        costs = self._costs
        costs[is_long] += _WEIGHT * (cost_s - costs[is_long])
        weight = min(1.0, since_s / _BESIDES_S)
        if since_s > 0:
            self._besides += weight * (besides_s / since_s - self._besides)
        saved_s = self._saved_s + SHARE * since_s - cost_s - besides_s
        self._saved_s = max(-_MOST_SAVED_S, min(_MOST_SAVED_S, saved_s))

    def steady_s(self) -> float:
        """Return the seconds between two rounds at all requests."""
        if self.interval_s:
            return self.interval_s
        cost_s = self._costs[False]
        rarest_s = max(_SEEN_BEFORE_S, cost_s / (SHARE - _LONG_SHARE))
        interval_s = min(cost_s / _STEADY_SHARE, rarest_s, SLOWEST_S)
        return max(STEADY_S, interval_s)

    def long_s(self) -> float:
        """Return the seconds between two rounds at long requests."""
        if self.interval_s:
            return self.interval_s
        if self._saved_s > 0:
            return LONG_S
        steady = self._costs[False] / self.steady_s()
        left = SHARE - steady - self._besides
        return max(LONG_S, self._costs[True] / max(left, _LONG_SHARE))
