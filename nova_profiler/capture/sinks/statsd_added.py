# SPDX-License-Identifier: Apache-2.0
"""What is added up of messages and tasks: their times, and their calls'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nova_profiler.capture.sinks import Named
from nova_profiler.capture.sinks.statsd_sums import Name, TimeSums
from nova_profiler.groups import NAMED_GROUPS
from nova_profiler.record import RequestRecord
from nova_profiler.record.metric_labels import LABELS_OF_KINDS, WAIT
from nova_profiler.routes import metric_name

# Routes that have a metric of their own, and then one more of each kind; what
# serves names fewer.
MAX_ROUTES = 2_000
OTHER = "other"
SENT_GROUPS = frozenset(group.name for group in NAMED_GROUPS)


class AddedTimes:
    """Adds up what is no request, by the names that a sink has for it."""

    def __init__(
        self,
        times: TimeSums,
        summed_groups: Mapping[str, Name],
        name_of: Callable[[str, tuple[str, ...]], Name],
        name_of_call: Callable[[str, str], Name],
    ) -> None:
        """*summed_groups* are those of which only the sum has a metric."""
        self._times = times
        self._summed = summed_groups
        self._name_of = name_of
        self._name_of_call = name_of_call
        # The names of its time and of its waiting, by kind and route.
        self._routes: dict[tuple[str, str], tuple[Name, Name]] = {}

    def add_lanes(
        self,
        kind: str,
        route: str,
        ms: float,
        wait_ms: float | None,
        lanes: Iterable[list[Named]],
    ) -> None:
        """Add what took *ms* after *wait_ms*, and the calls in its *lanes*.

        Written as one loop: it runs at the end of every message.
        """
        times = self._times
        add = times.add
        names = self._routes.get((kind, route)) or self._named(kind, route)
        add(names[0], ms)
        if wait_ms is not None:
            add(names[1], wait_ms)
        summed, name_of_call = self._summed, self._name_of_call
        sums: dict[str, float] = {}
        for lane in lanes:
            for group, name, calls, is_nested, _ in lane:
                if group in summed:
                    if not is_nested:
                        ms = calls.totals()[1] * 1000
                        sums[group] = sums.get(group, 0.0) + ms
                elif not is_nested and group in SENT_GROUPS:
                    metric = name_of_call(group, name)
                    for call in calls:
                        add(metric, (call[1] - call[0]) * 1000)
                    tally = calls.tally
                    if tally is not None:
                        mean_s = tally.total_s / tally.count
                        add(metric, mean_s * 1000, tally.count)
        for group, ms in sums.items():
            add(summed[group], ms)
        times.send_if_due()

    def add_record(self, record: RequestRecord) -> None:
        """Add the times of *record*, and of its calls."""
        times = self._times
        own, waiting = self._named(record.kind, record.route)
        times.add(own, record.duration_ms)
        if record.wait_ms is not None:
            times.add(waiting, record.wait_ms)
        for group, totals in record.groups.items():
            if group in self._summed:
                times.add(self._summed[group], totals.ms)
        for call in record.calls:
            if call.group not in SENT_GROUPS:
                continue
            metric = self._name_of_call(*call[:2])
            listed = record.durations.get(call[:2], [])
            for ms in listed:
                times.add(metric, ms)
            more = call.count - call.nested - len(listed)
            if more > 0:
                # Their mean stands for the rest.
                mean = max(0.0, call.ms - sum(listed)) / more
                times.add(metric, mean, more)
        times.send_if_due()

    def send(self) -> None:
        """Send what was added since the last time. May raise OSError."""
        self._times.send()

    def _named(self, kind: str, route: str) -> tuple[Name, Name]:
        routes = self._routes
        found = routes.get((kind, route))
        if found is None and len(routes) >= MAX_ROUTES:
            # What is added up stays, by its name: all further ones share one.
            route = OTHER
            found = routes.get((kind, route))
        if found is not None:
            return found
        # The first word is for readers; a name that is too long has no more
        # parts than others.
        parts = tuple(metric_name(word) for word in route.split(" ")[1:])
        most = len(LABELS_OF_KINDS[kind])
        parts = (*parts, *([OTHER] * most))[:most]
        waiting = self._name_of(f"{kind}{WAIT}", parts[:1])
        found = self._name_of(kind, parts), waiting
        routes[kind, route] = found
        return found
