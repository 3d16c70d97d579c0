# SPDX-License-Identifier: Apache-2.0
"""Each format says the same, and shows hostile text as text."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.report.adding_up import Report
from nova_profiler.reading.report.figures import Asked, Figures
from nova_profiler.reading.report.formats.html_page import html_of
from nova_profiler.reading.report.formats.plain_text import (
    csv_of,
    markdown_of,
    text_of,
)
from nova_profiler.reading.report.page import print_report
from nova_profiler.reading.report.summary import summary_of

DB_API = {"db_api_ms": 5.0, "db_api_calls": 1, "db_api_wall_ms": 5.0}
HOSTILE = "=x\x1b[31m<script>`|*\u202e"


TERMINAL = {"force_terminal": True, "color_system": None}


def summary(by="route", user="demo", **more):
    figures = Figures(Asked(by=by))
    for number in range(10):
        figures.add_entry(
            AccessEntry(
                "log_file", "nova-api", 1.5e9 + 3600 * number, "GET",
                "/v2/{id}/images/{id}", 200, 100.0 + number,
                user_name=user, **more,
            )
        )  # fmt: skip
    figures.add_entry(
        AccessEntry(
            "log_file", "nova-api", 1.5e9, "POST", "/v2.1/servers/{id}/action",
            202, 2997.3, user_name="TestServerDiskConfig-user",
        )
    )  # fmt: skip
    unread = Unread()
    unread.add("log line without a request", HOSTILE)
    return summary_of(Report(figures, unread, 1), 15)


def page_of(found, width=120, **more) -> str:
    file = io.StringIO()
    print_report(Console(file=file, width=width, **more), found)
    return file.getvalue()


def test_text_has_the_sections_of_the_first_report():
    """Share, mean, fastest as (min, mean), slow as mean user METHOD path."""
    assert text_of(summary()) == (
        "REST calls: 11\n"
        "share of calls of 1 s or more: 9.1 % (1)\n"
        "mean: 0.367482 s\n"
        "\n"
        "fastest calls (min, mean):\n"
        "GET /v2/{id}/images/{id} 0.100000, 0.104500\n"
        "POST /v2.1/servers/{id}/action 2.997300, 2.997300\n"
        "\n"
        "slow calls by mean:\n"
        "2.997300 TestServerDiskConfig-user POST /v2.1/servers/{id}/action\n"
    )


def test_csv_is_read_back():
    """One line a row of the table, database columns where known."""
    found = summary(db_api_ms=50.0, db_api_calls=4, db_api_wall_ms=40.0)

    rows = list(csv.DictReader(io.StringIO(csv_of(found))))

    assert [row["route"] for row in rows] == [
        "/v2.1/servers/{id}/action", "/v2/{id}/images/{id}",
    ]  # fmt: skip
    assert rows[1]["calls"] == "10"
    assert rows[1]["db_api_calls_per_request"] == "4.0"
    assert float(rows[1]["db_api_share"]) == pytest.approx(0.3828, abs=1e-4)
    assert rows[0]["db_api_share"] == ""


def test_csv_is_no_formula():
    """A spreadsheet runs nothing that a user called himself."""
    rows = list(csv.reader(io.StringIO(csv_of(summary("user", HOSTILE)))))

    assert rows[2][0].startswith("'=x")
    assert "\x1b" not in rows[2][0]


@pytest.mark.parametrize("start", [*"=+-@", *"\uff1d\uff0b\uff0d\uff20"])
@pytest.mark.parametrize("before", ["", "x;", "x,", "x|", "x ", "x:", ";;"])
def test_csv_is_no_formula_behind_any_separator(before, start):
    """Which one a spreadsheet takes depends on where it runs."""
    name = f"{before}{start}HYPERLINK(1)"
    rows = list(csv.reader(io.StringIO(csv_of(summary("user", name)))))

    assert f"{before}'{start}HYPERLINK(1)" in [row[0] for row in rows]


def test_csv_has_no_name_for_nobody():
    """As everywhere, so that tables can be joined."""
    rows = list(csv.reader(io.StringIO(csv_of(summary("user", None)))))

    assert "-" in [row[0] for row in rows]


def test_markdown_keeps_its_cells():
    """Hostile text adds no column, no markup, no escape."""
    text = markdown_of(summary("user", HOSTILE))

    (line,) = [one for one in text.splitlines() if "=x" in one and "|" in one
               and not one.startswith("*")]  # fmt: skip
    assert line.replace("\\|", "").count("|") == 9
    assert "\\<script\\>" in line
    assert "\x1b" not in text


def test_the_page_on_a_terminal():
    """What a reader looks for is there, and nothing steers the terminal."""
    page = page_of(summary("user", HOSTILE, **DB_API))

    assert "11 calls   9.1 % took 1 s or more (1)   mean 367.5" in page
    assert "2997.3" in page
    assert "TestServerDiskConfig-user" in page
    assert "Not counted" in page
    assert "DB API 4.8 %" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "<script>" in page


def test_the_page_is_as_wide_as_the_terminal():
    """On a narrow one, columns give way; figures stay whole."""
    figures = Figures(Asked())
    for user in ("TestServerDiskConfig-user", "demo"):
        figures.add_entry(
            AccessEntry(
                "log_file", "nova-api", 1.5e9, "DELETE",
                "/v2.1/os-volume_attachments/{id}", 202, 131724.2,
                user_name=user, **DB_API,
            )
        )  # fmt: skip
    found = summary_of(Report(figures, Unread(), 1), 15)
    for width in (80, 100, 120):
        page = page_of(found, width, **TERMINAL)
        assert max(map(len, page.splitlines()[2:])) <= width
        # Mean and most of all calls, of the row, of two callers; in the
        # rows' percentiles, as many as there is room for.
        assert page.count("131724.2") >= 4 + 4 + 2 * 2
        assert "…" not in page


def test_a_pipe_gets_whole_names():
    """As wide as it must be, and no blanks behind."""
    found = summary()
    long = "/v2.1/" + "x" * 200
    found["rows"][0]["route"] = found["slow_calls"][0]["route"] = long

    page = page_of(found, 80)

    # In both sentences, and in both tables.
    assert page.count(long) == 4
    assert not any(line.endswith(" ") for line in page.splitlines())


def test_an_example_keeps_its_time():
    """What is cut from a long line is not what it was written for."""
    line = f'"GET /{"x" * 250}" status: 200 len: 1 time: nan'
    found = {**summary(), "unread": [
        {"kind": "request with an impossible time", "count": 1,
         "example": line},
    ]}  # fmt: skip

    assert '"GET /xxx' in page_of(found)
    assert "... time: nan" in page_of(found)
    assert "... time: nan" in page_of(found, 120, **TERMINAL)
    assert "x" * 150 in page_of(found)


def test_ids_are_shortened_for_the_eye():
    """32 digits say no more than 8 on a terminal."""
    page = page_of(summary("user", "0f" * 16))

    assert "0f0f0f0f..." in page
    assert "0f" * 16 not in page


def test_where_the_time_went():
    """The buckets of our records, the largest first."""
    found = summary(breakdown_ms={"python": 60.0, "sql": 40.0})

    assert (
        "spent in: Python, the rest 60.0 %   driver: statements 40.0 %\n"
        in page_of(found)
    )


def test_calls_side_by_side_are_no_more_than_the_whole():
    """The share is that of the cover, not of the sum; lines may lie."""
    for wall_ms, share in ((52.25, "50.0 %"), (9e9, "100.0 %")):
        found = summary(
            db_api_ms=300.0, db_api_calls=6, db_api_wall_ms=wall_ms
        )

        assert f"DB API {share}, 6.0 calls" in page_of(found)
        assert found["total"]["db_api"]["ms"] == 3000.0


def test_no_call_at_all():
    """Every format stands a report whose calls were all left out."""
    figures = Figures(Asked(route="/none"))
    found = summary_of(Report(figures, Unread(), 1), 15)

    assert page_of(found) == "no calls of these routes\n"
    assert "<svg" not in html_of(found)
    assert text_of(found) == "no calls of these routes\n"
    assert csv_of(found).count("\n") == 1
    assert markdown_of(found) == "**no calls of these routes**\n"
