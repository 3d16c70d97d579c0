# SPDX-License-Identifier: Apache-2.0
"""The metrics that a statsd would have got, added up by name."""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """Everything that was sent under one name."""

    kind: str
    count: int
    total: float


class Metrics:
    """All metrics of a run; lines that are none are kept apart."""

    def __init__(self) -> None:
        self.datagrams = 0
        self.by_name: dict[str, Metric] = {}
        self.refused: list[str] = []

    @property
    def lines(self) -> int:
        """Return how many metrics came, all names together."""
        return sum(metric.count for metric in self.by_name.values())

    def add(self, datagram: bytes) -> None:
        """Add the lines of one datagram."""
        self.datagrams += 1
        for line in datagram.decode("ascii", "replace").splitlines():
            self._add_line(line)

    def _add_line(self, line: str) -> None:
        try:
            name, rest = line.split(":", 1)
            text, kind = rest.split("|")[:2]
            value = float(text)
        except ValueError:
            self.refused.append(line)
            return
        before = self.by_name.get(name, Metric(kind, 0, 0.0))
        self.by_name[name] = Metric(
            kind, before.count + 1, before.total + value
        )
