# SPDX-License-Identifier: Apache-2.0
"""Times of logs, also of those that leave out the year."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs.line_parts.stamps import (
    Years,
    clf_epoch,
    epoch_of,
    iso_epoch,
    iso_of,
    local_offset,
    years_of,
)


def at(text: str) -> float:
    return datetime.fromisoformat(text + "+00:00").timestamp()


@pytest.mark.parametrize(
    ("written", "month", "day", "expected"),
    [
        ("2017-09-06T00:00", 9, 5, "2017-09-05T00:00"),
        # Written to in January: December was last year.
        ("2018-01-01T02:00", 12, 31, "2017-12-31T00:00"),
        ("2018-01-01T02:00", 1, 1, "2018-01-01T00:00"),
        # A clock an hour ahead, on the last evening of a year.
        ("2017-12-31T23:30", 1, 1, "2018-01-01T00:00"),
        ("2019-03-05T00:00", 2, 29, "2016-02-29T00:00"),
    ],
)
def test_the_last_such_day_before_the_file_was_written(
    written, month, day, expected
):
    """No log is of the future."""
    assert Years(at(written)).at(month, day, 0.0) == at(expected)


def test_a_year_in_the_file_tells_it():
    """A file copied years later has the time of the copy."""
    head = b"[Sun Dec 31 23:59:59 2017] GET / => generated"
    years = years_of(head, at("2026-11-21T00:00"))

    assert years.at(12, 31, 0.0) == at("2017-12-31T00:00")
    assert years.at(1, 1, 60.0) == at("2018-01-01T00:01")


def test_the_nearest_day_in_the_file_tells_it():
    """Lines of several years in one file each have their own."""
    head = b"2014-12-13 17:12:23 x\n[Tue Sep  5 09:02:05 2017] y\n"
    years = years_of(head, 0.0)

    assert years.at(9, 5, 0.0) == at("2017-09-05T00:00")
    assert years.at(12, 13, 0.0) == at("2014-12-13T00:00")


def test_days_that_no_calendar_has():
    """They are no time, and no error."""
    assert Years(0.0).at(2, 30, 0.0) is None
    assert epoch_of("2017-02-29", "10:00:00") is None
    assert epoch_of("2017-02-28", "24:30:00") is None
    assert clf_epoch("31/Nov/2026", "10:00:00") is None
    assert clf_epoch("01/Foo/2026", "10:00:00") is None
    assert iso_epoch("yesterday") is None


@pytest.mark.parametrize("year", ["0001", "1969", "3000", "9999"])
def test_years_that_nobody_logged_in(year):
    """In another zone they would be beyond what a calendar shows."""
    assert epoch_of(f"{year}-12-31", "23:59:59", "-02:00") is None
    assert clf_epoch(f"31/Dec/{year}", "23:59:59", "-0200") is None
    assert iso_epoch(f"{year}-12-31T23:59:59-02:00") is None
    assert iso_epoch(f"{year}-01-01T00:00:00") is None


@given(st.floats(allow_nan=False))
def test_any_time_can_be_shown(seconds):
    """A duration may lead beyond the calendar."""
    assert "0001-01-01" <= iso_of(seconds) < "9999-12-31T23:59:59.001"


def test_zones_are_taken_into_account():
    """A stamp without one is UTC."""
    noon = at("2026-11-21T12:00")

    assert epoch_of("2026-11-21", "12:00:00,000") == noon
    assert epoch_of("2026-11-21", "14:00:00", "+02:00") == noon
    assert clf_epoch("21/Nov/2026", "06:30:00", "-0530") == noon
    assert iso_epoch("2026-11-21T12:00:00Z") == noon
    assert iso_epoch("2026-11-21T12:00:00.500000000Z") == noon + 0.5
    assert iso_epoch("2026-11-21T12:00:00.5Z") == noon + 0.5
    assert iso_of(noon) == "2026-11-21T12:00:00.000+00:00"


@given(
    st.datetimes(
        datetime(1990, 1, 1), datetime(2100, 1, 1),
        timezones=st.just(timezone.utc),
    ),
    st.integers(0, 300),
)  # fmt: skip
def test_any_stamp_gets_its_year_back(moment, days_later):
    """If the file was last written within the year that followed."""
    written = moment.timestamp() + days_later * 86_400
    second = moment.hour * 3600.0 + moment.minute * 60.0

    found = Years(written).at(moment.month, moment.day, second)

    expected = moment.replace(second=0, microsecond=0)
    assert found == expected.timestamp()


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-07-21", "2026-07-21T10:00"),
        ("2026-11-21", "2026-11-21T11:00"),
    ],
)
def test_hosts_in_local_time(date, expected):
    """In summer as in winter, in each way to write a stamp."""
    year, month, day = map(int, date.split("-"))
    name = {7: "Jul", 11: "Nov"}[month]
    years = years_of(b"", at("2026-12-31T00:00"), BERLIN)

    assert [
        epoch_of(date, "12:00:00", local=BERLIN),
        clf_epoch(f"{day}/{name}/{year}", "12:00:00", local=BERLIN),
        iso_epoch(f"{date} 12:00:00", BERLIN),
        years.at(month, day, 12 * 3600.0),
    ] == [at(expected)] * 4


def test_a_stamp_s_own_zone_wins():
    """Whatever the host's is."""
    assert (
        epoch_of("2026-11-21", "12:00:00", "+00:00", BERLIN)
        == clf_epoch("21/Nov/2026", "12:00:00", "+0000", BERLIN)
        == iso_epoch("2026-11-21T12:00:00Z", BERLIN)
        == at("2026-11-21T12:00")
    )


@given(st.floats(-1e14, 1e14))
def test_no_time_has_no_offset(shown):
    """Also where no calendar goes."""
    assert local_offset(shown, BERLIN) in (0.0, 3208.0, 3600.0, 7200.0, 10800)
    assert local_offset(shown, None) == 0.0
    ahead = timezone(timedelta(hours=5, minutes=30))
    assert local_offset(shown, ahead) in (0.0, 19800.0)
