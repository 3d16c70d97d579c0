# SPDX-License-Identifier: Apache-2.0
"""Requests of logs have pages of what logs have; hostile ones run nothing."""

from __future__ import annotations

import pytest
from builders import numbered, written
from logged import (
    keep_run,
    log_file_line,
    request_id,
    write_log,
    wsgi_line,
)
from web_pages import asked, pages_over_logs

CANARY = "</title></style><script>canary</script><img src=x onerror=canary>"


@pytest.fixture
def log(tmp_path):
    return write_log(
        tmp_path / "a.log",
        wsgi_line(1),
        wsgi_line(2, 2500.0, 500),
        f"2026-11-10 10:00:02.000 DEBUG nova.compute {request_id(2)} found",
    )


def page_of(pages, place=0, **headers):
    """Return the page of a row."""
    row = pages.index.rows[place]
    return asked(pages, f"/requests/{row.key}", **headers)


def test_the_overview_is_that_of_dumps(log):
    """Heat map, routes and table, whose rows lead to pages that exist."""
    pages = pages_over_logs(log)

    page = asked(pages, "/").text

    assert "Latency over time" in page
    assert page.count('<a href="requests/0/log/') == 2
    assert (
        asked(pages, "/?status=5xx&format=json").json["total"]["requests"] == 1
    )
    assert page_of(pages).status_int == 200


def test_the_page_has_the_lines_and_what_follows_the_request(log):
    """Of all lines with its id; no link leads to what is not there."""
    pages = pages_over_logs(log)
    slow = [row.is_failed for row in pages.index.rows].index(True)

    page = page_of(pages, slow).text

    assert "2500.0 ms" in page
    assert "it has no dump" in page
    assert f"{request_id(2)} found" in page
    assert f"nova-profiler follow {request_id(2)} {log}" in page
    assert request_id(1) not in page
    assert "requests/" not in page


def test_the_json_has_the_same(log):
    """With the record where a line is one."""
    line = log_file_line(7, breakdown_ms={"sql": 90.0})
    write_log(log, line)
    pages = pages_over_logs(log)

    fields = page_of(pages, Accept="application/json").json
    page = page_of(pages).text

    assert fields["lines"] == [{"file": str(log), "text": line}]
    assert fields["record"]["breakdown_ms"] == {"sql": 90.0}
    assert fields["parts_ms"] == {"sql": 90.0}
    assert fields["follow"].startswith("nova-profiler follow req-00000007")
    assert "Where its time went" in page


@pytest.mark.parametrize(
    ("cpu_ms", "words"),
    [
        (None, "running or waiting: no clock can tell"),
        (3.0, "Python, the rest"),
    ],
)
def test_the_rest_is_as_show_has_it(log, cpu_ms, words):
    """Without a clock of its own it may be both."""
    parts = {"sql": 50.0, "python": 40.0}
    write_log(log, log_file_line(7, cpu_ms=cpu_ms, breakdown_ms=parts))

    page = page_of(pages_over_logs(log)).text

    section = page.partition("Where its time went")[2]
    assert words in section
    assert section.count("Python, the rest") == (cpu_ms is not None)


def test_a_request_of_a_history(tmp_path, log):
    """It has no lines, but the run knows which logs they were in."""
    keep_run(tmp_path / "history", "first", log)
    pages = pages_over_logs(tmp_path / "history")

    page = page_of(pages, 1).text

    assert f"nova-profiler follow {request_id(2)} {log}" in page
    assert "Lines with its id" not in page


def test_dumps_logs_and_histories_are_one_table(tmp_path, log):
    """In the order of time."""
    written(tmp_path / "dumps", numbered(1))
    keep_run(tmp_path / "history", "first", log)
    pages = pages_over_logs(tmp_path / "dumps", log, tmp_path / "history")

    rows = asked(pages, "/?format=json").json["requests"]

    assert [row["key"][0] for row in rows] == ["1", "2", "1", "2", "0"]
    for row in rows:
        answer = asked(pages, f"/requests/{row['key']}")
        assert answer.status_int == 200


def test_what_a_line_names_stays_text(tmp_path):
    """In a path, a user, a service, and in the line itself."""
    log = write_log(
        tmp_path / "<script>canary.log",
        log_file_line(
            1,
            user_name=CANARY,
            service=CANARY,
            route=f"/{CANARY}",
            breakdown_ms={CANARY: 80.0},
        ),
    )
    pages = pages_over_logs(log)

    for page in (asked(pages, "/").text, page_of(pages).text):
        assert "canary" in page
        assert "<script>canary" not in page
        assert "<img" not in page


def test_a_log_that_vanished(log):
    """Its rows stay until it is looked up again; the page has no lines."""
    pages = pages_over_logs(log)
    log.unlink()

    page = page_of(pages)

    assert page.status_int == 200
    assert "Lines with its id" not in page.text
