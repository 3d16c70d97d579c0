# SPDX-License-Identifier: Apache-2.0
"""Adds up what the rules found, and makes advice of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from nova_profiler.reading.advice.findings import Finding, parts_of
from nova_profiler.reading.advice.largest import (
    LARGEST_PART,
    is_covered,
    largest_part,
    sentence_about,
)
from nova_profiler.reading.advice.rules.table import BY_NAME, Rule, findings_of
from nova_profiler.record import RequestRecord

Found = tuple[str, Finding]

# Less than this part of the time is not worth a sentence.
LEAST_SHARE = 0.02
# One request among so many is no evidence of its route.
MANY = 10
# A route's rules and what they are about; clients may make names.
MOST_KEYS = 100


class Advice(NamedTuple):
    """What would save time, at most so much of each request.

    ``requests`` of ``of_requests`` have the evidence; ``share`` is of the
    time of all of them. ``route`` is empty where there is one alone, and
    ``part`` where a rule has the sentence.
    """

    rule: str
    text: str
    saves_ms: float
    share: float
    requests: int
    of_requests: int
    route: str = ""
    part: str = ""

    @property
    def saves_all_ms(self) -> float:
        """Return what all requests together would save at most."""
        return self.saves_ms * self.of_requests

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "rule": self.rule,
            **({"route": self.route} if self.route else {}),
            **({"part": self.part} if self.part else {}),
            "text": self.text,
            "saves_at_most_ms": round(self.saves_ms, 3),
            "share": round(self.share, 4),
            "requests": self.requests,
            "of_requests": self.of_requests,
        }


class _Sum:
    """One rule's findings about one thing."""

    __slots__ = ("example", "fewest", "most", "requests", "saves_ms")

    def __init__(self, example: Finding) -> None:
        self.example = example
        self.fewest = self.most = example.times
        self.requests = 0
        self.saves_ms = 0.0

    def add(self, finding: Finding) -> None:
        """Add what was found in one request."""
        self.requests += 1
        self.saves_ms += finding.saves_ms
        self._widen(finding, finding.times, finding.times)

    def merge(self, other: _Sum) -> None:
        """Add what was found in other requests."""
        self.requests += other.requests
        self.saves_ms += other.saves_ms
        self._widen(other.example, other.fewest, other.most)

    def _widen(self, finding: Finding, fewest: int, most: int) -> None:
        self.fewest = min(self.fewest, fewest)
        self.most = max(self.most, most)
        # The same one, in whatever order they come.
        self.example = max(self.example, finding, key=_saves_and_by)


class Evidence:
    """What the rules found in the requests of one route."""

    __slots__ = ("_parts_ms", "_sums", "duration_ms", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.duration_ms = 0.0
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._parts_ms: dict[str, float] = {}

    def add_record(self, record: RequestRecord) -> None:
        """Add what the rules find in *record*."""
        parts = parts_of(record)
        self.add(record.duration_ms, findings_of(record), parts)

    def add(
        self,
        duration_ms: float,
        found: Iterable[Found],
        parts_ms: Mapping[str, float] | None = None,
    ) -> None:
        """Add a request, what was found in it, and its ``parts_of``."""
        self.requests += 1
        whole_ms = max(0.0, duration_ms)
        self.duration_ms += whole_ms
        for name, ms in (parts_ms or {}).items():
            self._add_part(name, max(0.0, min(ms, whole_ms)))
        in_this: dict[tuple[str, str], Finding] = {}
        for rule, finding in found:
            key = rule, finding.about
            known = in_this.get(key)
            if known is None or finding.saves_ms > known.saves_ms:
                in_this[key] = finding
        for key, finding in in_this.items():
            sums = self._of(key, finding)
            if sums is not None:
                sums.add(finding)

    def merge(self, other: Evidence) -> None:
        """Add other requests of the route."""
        self.requests += other.requests
        self.duration_ms += other.duration_ms
        for key, sums in other._sums.items():
            own = self._of(key, sums.example)
            if own is not None:
                own.merge(sums)
        for name, ms in other._parts_ms.items():
            self._add_part(name, ms)

    def _add_part(self, name: str, ms: float) -> None:
        known = self._parts_ms.get(name)
        if known is not None:
            self._parts_ms[name] = known + ms
        elif len(self._parts_ms) < MOST_KEYS:
            self._parts_ms[name] = ms

    def _of(self, key: tuple[str, str], example: Finding) -> _Sum | None:
        sums = self._sums.get(key)
        if sums is None and len(self._sums) < MOST_KEYS:
            sums = self._sums[key] = _Sum(example)
        return sums

    def advice(self, route: str = "") -> Iterator[Advice]:
        """Yield the advice on the requests, which are those of *route*."""
        if self.duration_ms <= 0:
            return
        saves_ms = []
        for (name, _), sums in self._sums.items():
            rule = BY_NAME[name]
            if self.requests >= MANY and sums.requests == 1:
                continue
            saved_ms = self._saved_ms(rule, sums)
            share = min(1.0, saved_ms / self.duration_ms)
            of_requests = sums.requests / self.requests
            if (
                share >= LEAST_SHARE
                and self.requests >= rule.least_requests
                and of_requests >= rule.least_share
            ):
                saves_ms.append((name, saved_ms))
                yield Advice(
                    name,
                    self._sentence(rule, sums, saved_ms),
                    saved_ms / self.requests,
                    share,
                    sums.requests,
                    self.requests,
                    route,
                )

        part = largest_part(self._parts_ms)
        ms = self._parts_ms.get(part, 0.0)
        if part and ms > 0 and not is_covered(part, ms, saves_ms):
            yield self._about(part, route)

    def _saved_ms(self, rule: Rule, sums: _Sum) -> float:
        """Return what all requests together would save at most."""
        if not rule.of_whole:
            return sums.saves_ms
        whole_ms = sum(self._parts_ms.get(part, 0.0) for part in rule.parts)
        return max(sums.saves_ms, whole_ms)

    def _about(self, part: str, route: str) -> Advice:
        """Return the row that says what the largest part is."""
        ms = self._parts_ms[part] / self.requests
        share = min(1.0, self._parts_ms[part] / self.duration_ms)
        return Advice(
            LARGEST_PART,
            sentence_about(part, ms, share, self._each),
            ms,
            share,
            self.requests,
            self.requests,
            route,
            part,
        )

    @property
    def _each(self) -> str:
        return " a request" if self.requests > 1 else ""

    def _sentence(self, rule: Rule, sums: _Sum, saved_ms: float) -> str:
        times = str(sums.most)
        if sums.fewest != sums.most:
            times = f"{sums.fewest} to {sums.most}"
        example = sums.example
        text = rule.sentence.format(
            about=example.about,
            times=times,
            by=example.by,
            longest=example.longest + " in one of them" * (self.requests > 1),
        )
        if self.requests > 1:
            of = "each" if sums.requests == self.requests else sums.requests
            text = f"in {of} of {self.requests} requests {text}"
        percent = f"{100 * min(1.0, saved_ms / self.duration_ms):.1f} %"
        if rule.is_of_names and sums.requests < self.requests:
            # The others wait for it as well: how long is not known.
            ms = saved_ms / sums.requests
            return (
                f"{text} saves at most {ms:.1f} ms a request of these, "
                f"{percent} of the time of all"
            )
        ms = saved_ms / self.requests
        return f"{text} saves at most {ms:.1f} ms{self._each}, {percent}"


def advice_on(record: RequestRecord) -> list[dict[str, Any]]:
    """Return the advice on one request, as rows ready for JSON."""
    evidence = Evidence()
    evidence.add_record(record)
    rows = advice_rows(evidence.advice())
    # Its page begins with the parts: the largest alone is no news.
    return [] if rows and rows[-1]["rule"] == LARGEST_PART else rows


def advice_rows(advice: Iterable[Advice]) -> list[dict[str, Any]]:
    """Return *advice* as rows ready for JSON, the largest saving first.

    It counts what all requests would save together. That a part without
    advice is larger than what any advice saves is said once, at the top.
    """
    ranked = sorted(advice, key=lambda one: (-one.saves_all_ms, one.text))
    return [
        one.fields()
        for place, one in enumerate(ranked)
        if one.rule != LARGEST_PART or not place
    ]


def _saves_and_by(finding: Finding) -> tuple[float, str]:
    return finding.saves_ms, finding.by
