# SPDX-License-Identifier: Apache-2.0
"""The lines of a request in logs: within bounds, and on a page."""

from __future__ import annotations

import itertools

import pytest
from builders import REQUEST_ID, slow_rebuild, written
from web_pages import asked, pages_over

from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.web.one_request.log_lines import lines_of

OTHER = "req-00000000-1f0d-4f2c-9a53-6cc2b5e0b7aa"


def files_of(path):
    """Return the file as a log to search."""
    return sources_of([str(path)], Unread())


def line(number: int, text: str, request_id: str = REQUEST_ID) -> str:
    """Return a line of nova-api, *number* seconds after the begin."""
    return (
        f"2026-11-21 10:35:{number:02d}.000 4242 INFO nova.api "
        f"[{request_id} demo demo - default default] {text}\n"
    )


@pytest.fixture
def log(tmp_path):
    """Return a log with three lines of the request, and one of another."""
    path = tmp_path / "logs" / "nova-api.log"
    path.parent.mkdir()
    path.write_text(
        line(2, "first")
        + line(3, "not its line", OTHER)
        + line(4, "<script>canary</script>")
        + line(5, "last \u202e")
    )
    return path


def test_lines_and_the_gaps_between_them(log):
    """In the order of time, with the service that held the gap."""
    lines = lines_of(REQUEST_ID, files_of(log))

    assert [row["text"] for row in lines.rows] == [
        "first",
        "<script>canary</script>",
        "last \N{REPLACEMENT CHARACTER}",
    ]
    assert [row["gap_ms"] for row in lines.rows] == [2000.0, 1000.0, None]
    assert lines.is_whole


def test_a_search_ends_at_its_bounds(log):
    """In time and in bytes; what was found until then stays."""
    late = itertools.count(0.0, 10.0)

    slow = lines_of(REQUEST_ID, files_of(log), lambda: next(late))
    large = lines_of(REQUEST_ID, files_of(log), most_bytes=10)

    for lines in (slow, large):
        assert not lines.is_whole
        assert all("not its" not in row["text"] for row in lines.rows)


def test_no_line_of_it(log):
    """It has been looked for in all, and what cannot be read is named."""
    [file] = files_of(log)
    gone = file._replace(name="gone.log", path="/no/such/file")

    lines = lines_of("req-ffffffff-1f0d", [file, gone])

    assert (lines.rows, lines.is_whole) == ([], True)
    assert "gone.log" in lines.unread[0]


def test_a_page_has_an_address_for_its_lines(tmp_path, log):
    """Which the request's page leads to, and which is JSON, too."""
    written(tmp_path / "dumps", slow_rebuild())
    pages = pages_over(tmp_path / "dumps", logs=[log])
    [row] = pages.index.rows
    url = f"/requests/{row.key}"

    request = asked(pages, url)
    page = asked(pages, f"{url}/lines")
    fields = asked(pages, f"{url}/lines", Accept="application/json").json

    assert f'<a href="{url}/lines">its lines in logs</a>' in request.text
    assert "&lt;script&gt;canary" in page.text
    assert "<script>" not in page.text
    assert "2000.0 ms</strong> without a line" in page.text
    assert [row["text"] for row in fields["rows"]][0] == "first"


def test_a_damaged_id_has_no_lines(tmp_path, log):
    """It would be a part of the lines of others."""
    written(tmp_path / "dumps", slow_rebuild())
    for request_id in ("req-", "2026", "a b c d e f g h", None):
        record = slow_rebuild()
        record.request_id = request_id
        written(tmp_path / "dumps", record)
    pages = pages_over(tmp_path / "dumps", logs=[log])

    statuses = [
        asked(pages, f"/requests/{row.key}/lines").status_int
        for row in pages.index.rows
    ]

    assert sorted(statuses) == [200, 404, 404, 404, 404]
