# SPDX-License-Identifier: Apache-2.0
"""Time stamps of logs as seconds since 1970 UTC.

A stamp without a time zone is in ``local``, or else in UTC, in which most of
OpenStack's hosts are run.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

MONTHS = {
    name: number
    for number, name in enumerate(
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1
    )
}
DAY_S = 86_400
# The years that a stamp may have.
YEARS = range(1970, 3000)

# The seconds that a datetime can show.
_FIRST = -62_135_596_800.0
_LAST = 253_402_300_799.0
_MOST_KNOWN_DAYS = 100
# Zones change their offsets at full quarters of an hour.
_QUARTER_S = 900

_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")
_UNIX = re.compile(r"\d{9,20}(?:\.\d{1,9})?")
# The year 5138: a larger number has a smaller unit.
_LATEST_SECONDS = 1e11
_DASHBOARD = re.compile(
    r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) @ (\d\d:\d\d:\d\d(?:\.\d{1,9})?)"
)
_FRACTION = re.compile(r"\.(\d+)")
_FULL_STAMP = re.compile(
    rb"(?<![\d-])((?:19|20)\d\d)-(\d\d)-(\d\d)[ T]\d\d:\d\d"
    rb"|\[\w{3} (\w{3}) +(\d{1,2}) \d\d:\d\d:\d\d ((?:19|20)\d\d)\]"
)


class Years(NamedTuple):
    """Finds the year of a stamp that has none.

    ``known`` are days that the file names with their year: the nearest one
    decides. Without them it is the last year in which the stamp is before
    ``latest``, when the file was written. ``local`` is the zone of stamps
    without one, None for UTC.
    """

    latest: float
    known: tuple[float, ...] = ()
    local: tzinfo | None = None

    def at(self, month: int, day: int, second: float) -> float | None:
        """Return the time of *second* on a day; None if there is none."""
        at = self._nearest(month, day, second)
        return None if at is None else at - local_offset(at, self.local)

    def _nearest(self, month: int, day: int, second: float) -> float | None:
        years = {
            datetime.fromtimestamp(known, timezone.utc).year
            for known in (*self.known, self.latest)
        }
        found = [
            start + second
            # New Year may be near, and the last 29th of February far.
            for year in range(min(years) - 8, max(years) + 2)
            if (start := day_start(year, month, day)) is not None
        ]
        if self.known:
            return min(found, key=self._distance, default=None)
        # Clocks and zones differ: a stamp a day ahead is of this year.
        return max(
            (at for at in found if at <= self.latest + DAY_S), default=None
        )

    def _distance(self, at: float) -> float:
        return min(abs(at - known) for known in self.known)


def years_of(
    head: bytes, modified: float, local: tzinfo | None = None
) -> Years:
    """Return the years for the stamps of a file that begins with *head*."""
    days = set()
    for found in _FULL_STAMP.finditer(head):
        if found[1]:
            start = day_start(int(found[1]), int(found[2]), int(found[3]))
        else:
            month = MONTHS.get(found[4].decode("ascii", "replace"), 0)
            start = day_start(int(found[6]), month, int(found[5]))
        if start is not None:
            days.add(start)
    # A few days are enough; the limit is for a hostile file.
    return Years(modified, tuple(sorted(days)[:_MOST_KNOWN_DAYS]), local)


@lru_cache(4096)
def day_start(year: int, month: int, day: int) -> float | None:
    """Return when a day begins, None if the calendar has no such day.

    None as well outside YEARS: such a day cannot be shown in every zone,
    and no service logged then.
    """
    if year not in YEARS:
        return None
    try:
        return datetime(year, month, day, tzinfo=timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None


def seconds_of(clock: str) -> float | None:
    """Return the second of the day of ``10:35:01.123``, None if too late."""
    hour, minute, second = clock.replace(",", ".").split(":")
    found = int(hour) * 3600 + int(minute) * 60 + float(second)
    # A leap second is no reason to lose the line.
    return found if found < DAY_S + 1 else None


def epoch_of(
    date: str,
    clock: str,
    zone: str | None = None,
    local: tzinfo | None = None,
) -> float | None:
    """Return the time of ``2026-11-21``, ``10:35:01.123`` and ``+02:00``."""
    year, month, day = date.split("-")
    start = day_start(int(year), int(month), int(day))
    return _epoch(start, clock, zone, local)


def local_offset(at: float, local: tzinfo | None) -> float:
    """Return how many seconds *local* is ahead of UTC, 0 for None.

    *at* is the time that a clock in that zone shows.
    """
    if local is None:
        return 0.0
    return _offset_in(int(at // _QUARTER_S), local)


@lru_cache(4096)
def _offset_in(quarter: int, local: tzinfo) -> float:
    try:
        shown = datetime(1970, 1, 1) + quarter * timedelta(seconds=_QUARTER_S)
        offset = shown.replace(tzinfo=local).utcoffset()
    except (ValueError, OverflowError):
        offset = None
    return offset.total_seconds() if offset else 0.0


def offset_of(zone: str | None) -> float:
    """Return how many seconds *zone* is ahead of UTC."""
    found = _ZONE.fullmatch(zone or "")
    if found is None:
        return 0.0
    seconds = int(found[2]) * 3600 + int(found[3]) * 60
    return float(-seconds if found[1] == "-" else seconds)


def iso_epoch(text: str, local: tzinfo | None = None) -> float | None:
    """Return the time of an ISO 8601 text, None if it is none."""
    text = text.strip().replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # Docker writes nanoseconds, which Python 3.10 does not read.
        text = _FRACTION.sub(_to_micros, text, 1)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
    if moment.year not in YEARS:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=local or timezone.utc)
    try:
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def moment_of(value: object, local: tzinfo | None = None) -> float | None:
    """Return the time of *value* as a collector has it, None if it is none.

    ISO 8601, or a number since 1970: seconds, or by its size milliseconds,
    microseconds or nanoseconds; a dashboard's ``Mar 1, 2024 @ 12:00:01.500``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = str(value).strip()
    shown = _DASHBOARD.fullmatch(text)
    if shown:
        month, day, year, clock = shown.groups()
        return clf_epoch(f"{day}/{month}/{year}", clock, local=local)
    if not _UNIX.fullmatch(text):
        return iso_epoch(text.replace(",", "."), local)
    seconds = float(text)
    while seconds >= _LATEST_SECONDS:
        seconds /= 1000
    return seconds


def _to_micros(fraction: re.Match[str]) -> str:
    return f".{fraction[1][:6]:0<6}"


def iso_of(at: float) -> str:
    """Return *at* as ISO 8601 in UTC, to the millisecond.

    A time beyond the calendar becomes its first or last second.
    """
    at = min(max(at, _FIRST), _LAST)
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=at)
    return moment.isoformat(timespec="milliseconds")


def clf_epoch(
    date: str,
    clock: str,
    zone: str | None = None,
    local: tzinfo | None = None,
) -> float | None:
    """Return the time of ``21/Nov/2026`` and ``10:35:01``."""
    day, month, year = date.split("/")
    start = day_start(int(year), MONTHS.get(month, 0), int(day))
    return _epoch(start, clock, zone, local)


def _epoch(
    start: float | None, clock: str, zone: str | None, local: tzinfo | None
) -> float | None:
    second = seconds_of(clock)
    if start is None or second is None:
        return None
    shown = start + second
    return shown - (offset_of(zone) if zone else local_offset(shown, local))
