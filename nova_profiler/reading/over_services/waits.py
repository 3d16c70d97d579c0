# SPDX-License-Identifier: Apache-2.0
"""Which service asked which one, and what that took."""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.reading.over_services.picture import Picture


class Waited(NamedTuple):
    """What records of one service were asked by those of another one."""

    caller: str
    callee: str
    count: int  # type: ignore[assignment]  # hides tuple.count
    waited_s: float | None
    on_the_way_s: float
    in_line_s: float
    at_work_s: float


def waited_of(picture: Picture) -> list[Waited]:
    """Return which service asked which, the longest wait first.

    ``waited_s`` is None where no answer was waited for.
    """
    sums: dict[tuple[str, str, bool], list[float]] = {}
    for place, link in enumerate(picture.links):
        if link is None:
            continue
        key = picture.names[link.parent], picture.names[place], link.waits
        own = picture.moments[place]
        for number, value in enumerate(
            (
                1,
                own.answered - own.called,
                max(0.0, own.arrived - own.sent),
                own.began - own.arrived,
                own.ended - own.began,
            )
        ):
            sums.setdefault(key, [0.0] * 5)[number] += value
    found = [
        Waited(
            caller, callee, int(one[0]), one[1] if waits else None, *one[2:]
        )
        for (caller, callee, waits), one in sums.items()
    ]
    return sorted(
        found, key=lambda one: (-(one.waited_s or 0.0), -one.at_work_s)
    )
