# SPDX-License-Identifier: Apache-2.0
"""Notes on a picture: clocks that differ, records that are doubtful."""

from __future__ import annotations

import math

from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.relations.clocks import Clock
from nova_profiler.reading.over_services.words import named, seconds_text
from nova_profiler.reading.screen.terminal import counted, printable

# Of one picture.
_MOST_DOUBTS = 5


def clock_sentences(picture: Picture) -> list[str]:
    """Return how far the clocks of the hosts differ, and what shows it."""
    clocks = picture.clocks
    sentences = [_clock_sentence(one) for one in clocks.clocks if one.offset_s]
    agreeing = [one for one in clocks.clocks if not one.offset_s]
    if agreeing:
        hosts = ", ".join(printable(one.host, 60) for one in agreeing)
        first = printable(picture.served[picture.root].clock, 60)
        sentences.append(
            f"Clocks: nothing shows that {hosts} and {first} differ"
        )
    if clocks.unknown:
        hosts = ", ".join(printable(one, 60) for one in clocks.unknown)
        sentences.append(f"Clocks: nothing links that of {hosts} to others")
    contradicting = len(clocks.contradicting)
    if contradicting:
        sentences.append(
            f"Clocks: {counted(contradicting, 'record')} marked ! fit no one "
            f"difference: a clock was set meanwhile, or a time is wrong"
        )
    return sentences


def _clock_sentence(clock: Clock) -> str:
    """Return one difference; all times here are without it."""
    host, other = printable(clock.host, 60), printable(clock.other, 60)
    by = seconds_text(abs(clock.offset_s))
    side = "ahead of" if clock.offset_s > 0 else "behind"
    if math.isinf(clock.least_s) or math.isinf(clock.most_s):
        return (
            f"Clocks: {host} is {by} or more {side} {other}, by "
            f"{counted(clock.exchanges, 'message')} one way; taken out here"
        )
    half = (clock.most_s - clock.least_s) / 2
    return (
        f"Clocks: {host} is {by} {side} {other}, give or take "
        f"{seconds_text(half)}, by {counted(clock.two_way, 'call')} and "
        f"{'its answer' if clock.two_way == 1 else 'their answers'}; taken "
        f"out here"
    )


def doubt_sentences(picture: Picture) -> list[str]:
    """Return what may be wrong with the records that are marked."""
    by_text: dict[str, list[int]] = {}
    for place, text in picture.doubts.items():
        by_text.setdefault(text, []).append(place)
    sentences = []
    for text, places in by_text.items():
        some = ", ".join(
            f"{printable(picture.names[place], 60)} "
            f"{printable(named(picture.served[place]), 60)}"
            for place in places[:2]
        )
        more = f" and {len(places) - 2} more" if len(places) > 2 else ""
        sentences.append(f"!  {some}{more}: {text}")
    return sentences[:_MOST_DOUBTS]
