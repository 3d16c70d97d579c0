# SPDX-License-Identifier: Apache-2.0
"""What the reports look like, and that no record can make them fail."""

from __future__ import annotations

import io
import re
from datetime import datetime, timezone

import pytest
from builders import numbered, parallel_detail, record, slow_rebuild
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from nova_profiler.dump_store.names import entry_of, name_of_dump
from nova_profiler.groups import DB_API, NAMED_GROUPS, SQL
from nova_profiler.reading.requests.calls_by_route import calls_by_route
from nova_profiler.reading.requests.calls_page import print_calls
from nova_profiler.reading.requests.dump_table import figures_of, print_dumps
from nova_profiler.reading.requests.one_request.figures import Lane
from nova_profiler.reading.requests.one_request.lane_picture import busy_shares
from nova_profiler.reading.requests.one_request.page import print_request
from nova_profiler.reading.screen.terminal import (
    bar,
    bytes_text,
    heights,
    printable,
)
from nova_profiler.record import (
    CallTotals,
    GroupTotals,
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)


def console(
    width: int = 100, encoding: str = "utf-8", is_terminal: bool = True
) -> Console:
    file = io.TextIOWrapper(
        io.BytesIO(), encoding=encoding, errors="replace", newline=""
    )
    return Console(
        file=file,
        width=width,
        force_terminal=is_terminal,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def text_of(shown: Console) -> str:
    shown.file.flush()
    content: bytes = shown.file.buffer.getvalue()  # type: ignore[attr-defined]
    return content.decode(shown.encoding)


def page_of(
    one: RequestRecord, *commands: str, full: bool = False, **how
) -> str:
    shown = console(**how)
    print_request(shown, one, commands, full=full)
    return text_of(shown)


def row_of(one: RequestRecord):
    day, stem = name_of_dump(one)
    entry = entry_of(day, day, stem)
    assert entry is not None
    return entry, one


def test_the_page_of_the_slow_call():
    """One page says what it was, where the time went and what repeats."""
    page = page_of(slow_rebuild(), "nova-profiler list")

    lines = [line.rstrip() for line in page.splitlines()]
    assert lines[0].startswith("POST /v2.1/servers/{id}/action rebuild ")
    assert lines[0].endswith("202   3117.4 ms")
    assert "user TestServerDiskConfig-user" in page
    assert re.search(r"SQLAlchemy and wrapper +651\.7 ms +20\.9 %  █", page)
    assert "db_api 15 calls 840.0 ms, 26.9 % of the call" in page
    assert "instance_get_by_uuid +2 inside others" in page
    assert "instance_fault_create 1 failed" in page
    assert "SELECT instances ran 12 times: one statement for all" in page
    assert re.search(r"101\.3 +12 +33\.10 +0\.00 +12 +SELECT \.\.\.", page)
    assert lines[-2:] == ["Next", "  nova-profiler list"]
    assert len(lines) <= 52


def test_headings_without_content_are_left_out():
    """A request without database calls has a short page."""
    page = page_of(record(groups={}, calls=[], statements=[], timeline=[]))

    headings = re.findall(r"^[A-Z][^/\n]*$", page, re.MULTILINE)
    assert [one.strip() for one in headings] == ["Where its time went"]


def test_parallel_lanes_are_a_picture():
    """Each thread is a line, and sum and cover have their names."""
    page = page_of(parallel_detail())

    assert re.search(r"request +▂█+▆ +▕ +150\.0 ms", page)
    assert re.search(r"lane 3 +▂█+▆ +▕ +100\.0 ms", page)
    assert "ms: when any call ran in the lane, each moment once" in page
    assert "450.0 ms added up over all lanes, 290.0 ms of the clock" in page


def test_the_longest_blocks_of_the_picture_have_names():
    """Lane, call, and when it began; those of less than 5 % have none."""
    page = page_of(parallel_detail())

    found = re.findall(r"^  (.+) from [0-9.]+ ms on$", page, re.MULTILINE)
    assert len(found) == 3
    assert all(
        re.match(r"(request|lane \d): db_api \w+, ", one) for one in found
    )
    long = parallel_detail()
    long.duration_ms = 100_000.0
    assert "db_api: " in page_of(long)
    assert not re.search(r" ms from [0-9.]+ ms on", page_of(long))


def test_a_failed_request_says_why():
    """Outcome and exception stand right below the title."""
    page = page_of(
        record(outcome="failed", error="DBConnectionError", status=500)
    )

    assert page.splitlines()[1].rstrip() == "failed: DBConnectionError"


def test_a_request_that_was_never_answered_says_so():
    """It has no status, and what it sent is not known."""
    page = page_of(record(outcome="unanswered", status=0, response_bytes=None))

    assert "no status" in page.splitlines()[0]
    assert page.splitlines()[1].startswith("unanswered: the application")
    assert "sent unknown" in page


def test_long_lists_say_what_they_leave_out():
    """The page stays one screen whatever the request did."""
    page = page_of(
        record(
            duration_ms=1000.0,
            breakdown_ms={f"b{n}": 10.0 for n in range(20)},
            calls=[
                CallTotals("db_api", f"f{n}", 1, 9.0, 9.0) for n in range(30)
            ],
            statements=[
                StatementTotals(f"SELECT {n}", "SELECT t", "nova", 1, 2.0, 2.0)
                for n in range(40)
            ],
            timeline=[
                TimelineEntry("sql", "SELECT t", n * 10.0, 9.0, lane=n)
                for n in range(50)
            ],
        )
    )

    assert "and 8 more, 80.0 ms" in page
    assert "and 22 more, 198.0 ms" in page
    assert "and 35 more, 70.0 ms" in page
    assert "the 8 busiest of 50 lanes" in page


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width):
    """Whatever the width, nothing wraps where it was not meant to."""
    page = page_of(slow_rebuild(), width=width)

    assert max(map(len, page.splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_figure_of_the_breakdown_is_cut(width):
    """Whatever the longest label: the bars give way, and labels fold."""
    one = slow_rebuild()
    one.unnamed_ms = {"processor": 21.6, "other": 12_345.6, "unsplit": 1.0}
    one.breakdown_ms["waiting"] = 12_368.2
    one.duration_ms += 12_368.2

    page = page_of(one, width=width)
    part = page.partition("Where its time went")[2].partition("DB API")[0]

    assert "for the GIL" in part
    assert "12345.6 ms" in part
    assert "…" not in part


def test_other_encodings_get_plain_characters():
    """Without block characters bars and lanes are still there."""
    page = page_of(parallel_detail(), encoding="ascii")

    assert re.search(r"driver: statements .*##", page)
    assert re.search(r"lane 3 .*#+", page)


def test_a_page_for_a_file_has_no_colours():
    """No escape sequence goes anywhere but to a terminal."""
    assert "\x1b" not in page_of(slow_rebuild())


def test_dumps_of_one_day_have_it_in_the_heading():
    """Lines stay short; over several days each has its date."""
    shown = console()
    print_dumps(shown, [row_of(numbered(1)), row_of(numbered(2))])
    lines = text_of(shown).splitlines()
    # This year's needs no year.
    assert lines[0].removeprefix("2026-").startswith("11-10 UTC")
    assert lines[1].startswith("08:00:01.000")

    shown = console()
    print_dumps(shown, [row_of(numbered(1)), row_of(numbered(90000))])
    lines = text_of(shown).splitlines()
    assert lines[0].startswith("UTC ")
    assert lines[1].startswith("11-10 08:00:01.000")


def test_a_dump_line_tells_all_at_a_glance():
    """Time, duration, status, route with action, user, share and id."""
    shown = console(140)
    print_dumps(shown, [row_of(slow_rebuild())])

    *words, user, share, percent, request = (
        text_of(shown).splitlines()[1].split()
    )
    assert words == [
        "10:35:01.123", "3117.4", "202", "POST", "/v2.1/servers/{id}/action",
        "rebuild",
    ]  # fmt: skip
    assert user.startswith("TestServerDiskConfig-user/TestS")
    assert (share, percent, request) == ("27", "%", "6ec84648")


def test_a_list_on_eighty_columns_has_a_line_for_each_request(monkeypatch):
    """A user's name is cut and a column left out before a route is."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = console(80)
    records = [parallel_detail(), slow_rebuild()]
    for one in records:
        one.started_at = f"{datetime.now(timezone.utc):%Y}-01-02T10:35:01.123"
    print_dumps(shown, [row_of(one) for one in records])

    lines = text_of(shown).splitlines()
    assert len(lines) == 4
    assert "GET /v2.1/servers/detail " in lines[1]
    assert "POST /v2.1/servers/{id}/action rebuild " in lines[2]
    assert all(
        line.split()[-1] in ("aa11bb22", "6ec84648") for line in lines[1:3]
    )
    assert lines[3] == "left out for room: user, db_api; --json has all"


def test_statuses_tell_how_it_ended():
    """A client that went away left no status worth showing."""
    shown = console(140)
    print_dumps(
        shown,
        [
            row_of(record(outcome="aborted")),
            row_of(record(outcome="failed", status=500)),
            row_of(record(status=0, request_id=None, breakdown_ms={})),
        ],
    )

    lines = text_of(shown).splitlines()
    assert [line.split()[2] for line in lines[1:]] == [
        "aborted",
        "500",
        "none",
    ]


def test_the_figures_of_a_line():
    """JSON has the whole id and the names as they are."""
    figures = figures_of(*row_of(slow_rebuild()))

    assert figures["request_id"] == slow_rebuild().request_id
    assert figures["db_api_share"] == 0.2695


def test_functions_are_whole_on_eighty_columns(monkeypatch):
    """Figures that matter less are left out, and named."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = console(80)
    routes = calls_by_route([parallel_detail()], "db_api")
    print_calls(shown, routes, DB_API)

    text = text_of(shown)
    assert re.search(
        r"\n  block_device_mapping_get_all_by_instance_uuids +1 ", text
    )
    assert "left out for room: mean, max, p50/req, p95/req" in text


def test_the_calls_page():
    """Each route has its heading, its rows, a total and the shares."""
    shown = console()
    routes = calls_by_route([slow_rebuild(), slow_rebuild()], "db_api")
    print_calls(shown, routes, DB_API)

    page = text_of(shown)
    assert page.startswith(
        "POST /v2.1/servers/{id}/action rebuild   2 requests   p50 3117.4"
    )
    assert re.search(
        r"instance_get_by_uuid +12 +6\.0 +805\.2 +67\.10 +120\.00", page
    )
    assert re.search(r"total +30 +15\.0 +1680\.0", page)
    assert (
        "db_api 1680.0 ms added up, 1680.0 ms of the clock: 26.9 % of these "
        "requests' time; of the time added up driver"
    ) in " ".join(page.split())


def test_no_time_added_up_looks_like_a_share_of_the_clock():
    """Three cells were asked at once: more was added up than went by."""
    shown = console()
    routes = calls_by_route([parallel_detail()], "db_api")
    print_calls(shown, routes, DB_API)

    page = " ".join(text_of(shown).split())
    assert "db_api 450.0 ms added up, 290.0 ms of the clock: 72.5 %" in page
    assert page.count("they are no shares of the clock") == 1


def test_the_calls_page_is_capped():
    """Many functions end in a line that says how many more there are."""
    calls = [CallTotals("sql", f"SELECT t{n}", 1, 1.0, 1.0) for n in range(40)]
    shown = console()
    print_calls(shown, calls_by_route([record(calls=calls)], "sql"), SQL)

    assert "and 15 more" in text_of(shown)


def test_cells_are_as_high_as_their_moment_was_busy():
    """A call over half a cell fills half of it."""
    shares = busy_shares(Lane(0, [(5.0, 15.0), (39.0, 40.0)], 11.0), 40.0, 4)

    assert shares == pytest.approx([0.5, 0.5, 0.0, 0.1])


def test_bars_and_heights():
    """Bars go to the eighth; what is not nothing is seen."""
    shown = console()

    assert bar(shown, 0.5, 5, "").plain == "██▌"
    assert bar(shown, 7.0, 3, "").plain == "███"
    assert heights(shown, [0.0, 0.001, 0.5, 1.0, 9.0], "").plain == " ▁▄██"


def test_text_that_would_steer_a_terminal_does_not():
    """Escapes, new lines, direction marks and lone surrogates are shown."""
    hostile = "a\x1b[31m\r\nb\u202ec\ud800d\x9be"

    assert printable(hostile) == "a�[31m��b�c�d�e"
    assert len(printable("x" * 70000)) == 603


def test_sizes_in_the_unit_that_fits():
    """Bytes, and from there on in steps of 1024."""
    sizes = [bytes_text(size) for size in (0, 1023, 1536, 2**21, 2**40)]

    assert sizes == ["0 B", "1023 B", "1.5 KiB", "2.0 MiB", "1024.0 GiB"]


TEXT = st.text(st.characters(), max_size=30)
NUMBER = st.floats(-1e14, 1e14) | st.integers(-(10**14), 10**14)
MAYBE = st.none() | TEXT
RECORDS = st.builds(
    record,
    method=TEXT,
    path=TEXT,
    route=TEXT,
    action=MAYBE,
    request_id=MAYBE,
    global_request_id=MAYBE,
    started_at=TEXT,
    user_name=MAYBE,
    project_name=MAYBE,
    outcome=TEXT,
    error=MAYBE,
    status=NUMBER,
    pid=NUMBER,
    response_bytes=NUMBER,
    duration_ms=NUMBER,
    cpu_ms=st.none() | NUMBER,
    breakdown_ms=st.dictionaries(TEXT | st.just("sql"), NUMBER, max_size=4),
    groups=st.dictionaries(
        st.sampled_from(["db_api", "sql"]),
        st.builds(GroupTotals, NUMBER, NUMBER, NUMBER),
    ),
    calls=st.lists(
        st.builds(
            CallTotals, st.sampled_from(["db_api", "sql"]), TEXT, NUMBER,
            NUMBER, NUMBER, NUMBER, NUMBER, st.none() | NUMBER,
        ),
        max_size=3,
    ),
    counts=st.dictionaries(TEXT, st.integers(-5, 5), max_size=2),
    profile=st.none()
    | st.dictionaries(st.sampled_from(["notes", "engine"]), MAYBE | NUMBER),
    statements=st.none()
    | st.lists(
        st.builds(
            StatementTotals, TEXT | st.none() | NUMBER, TEXT, TEXT, NUMBER,
            NUMBER, NUMBER, NUMBER, NUMBER, NUMBER,
        ),
        max_size=3,
    ),
    timeline=st.none()
    | st.lists(
        st.builds(TimelineEntry, TEXT, TEXT, NUMBER, NUMBER, NUMBER),
        max_size=4,
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.integers(20, 150))
def test_no_record_makes_a_report_fail(one, width):
    """Odd values look odd, and none of their characters steer."""
    shown = console(width)
    print_request(shown, one, [])
    print_dumps(shown, [row_of(one)])
    for group in NAMED_GROUPS:
        routes = calls_by_route([one, one], group.name)
        print_calls(shown, routes, group)

    assert all(
        letter.isprintable() or letter == "\n" for letter in text_of(shown)
    )


def test_requests_with_an_id_of_the_other_service_are_listed():
    """The slowest ten; the id finds the record there."""
    ids = [f"req-{n:08x}-1f0d-4f2c-9a53-6cc2b5e0b7aa" for n in range(12)]
    name = "network GET /v2.0/ports"
    one = record(
        timeline=[
            TimelineEntry("http", name, n, 10.0 + n, request_id=ids[n])
            for n in range(12)
        ]
        + [TimelineEntry("http", "volume GET /v3", 1.0, 99.0)]
    )

    page = page_of(one, width=80)

    assert "Ids of requests that other services got" in page
    assert "`show` has them if those have records" in page
    assert re.search(rf"\n +21\.0 +{name} +{ids[11]}\n", page)
    assert ids[1] not in page
    assert "and 2 more" in page
    assert "other services got" not in page_of(record(timeline=[]))


LONG = "SELECT a FROM t WHERE " + " OR ".join(f"b = {n}" for n in range(900))


def of_long_texts() -> RequestRecord:
    """Return a request whose texts no screen has room for."""
    name = "network GET /v2.0/" + "ports/" * 90
    return record(
        calls=[CallTotals("http", name, 1, 9.0, 9.0)],
        statements=[
            StatementTotals(LONG, "SELECT t", "n" * 90, 9, 2.0, 2.0)
            for _ in range(9)
        ],
        timeline=[
            TimelineEntry("http", name, 1.0, 9.0, id=0, made_by="nova/x.py:7")
        ],
    )


def test_nothing_is_cut_in_a_pipe():
    """A program behind it searches for whole names."""
    page = page_of(of_long_texts(), is_terminal=False, width=120)

    assert LONG in page
    assert "n" * 90 in page
    assert "ports/" * 90 in page
    assert "and 4 more" in page
    assert not [line for line in page.splitlines() if line.endswith("  ")]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_full_page_has_every_row_and_text(is_terminal):
    """A terminal breaks what is longer than its lines."""
    page = page_of(
        of_long_texts(), full=True, is_terminal=is_terminal, width=90
    )

    assert "".join(page.split()).count("".join(LONG.split())) == 9
    assert "…" not in page
    assert "more" not in page


@pytest.mark.parametrize("width", [120, 300])
def test_a_wide_terminal_is_used(width):
    """What is cut fills the lines that there are."""
    page = page_of(of_long_texts(), width=width)

    longest = max(len(line.rstrip()) for line in page.splitlines())
    assert width - 40 < longest <= width


def test_waiting_without_a_name_is_split():
    page = page_of(
        record(
            breakdown_ms={"waiting": 30.0, "python": 12.4},
            unnamed_ms={"processor": 21.0, "other": 8.0, "unsplit": 1.0},
        )
    )

    assert re.search(r"\n  waiting, not on the CPU +30\.0 ms +70\.6 %", page)
    assert re.search(r"\n    in line for a processor +21\.0 ms +49\.4 %", page)
    assert re.search(r"GIL, or for what no hook names +8\.0 ms +18", page)
    assert re.search(r"\n    not known which of these +1\.0 ms +2", page)


def test_a_request_without_a_clock_is_not_split():
    """eventlet's greenthreads share a clock: no part looks measured."""
    page = page_of(record(breakdown_ms={"python": 42.4}, cpu_ms=None))

    assert "running or waiting: no clock can tell" in page
    assert "Python, the rest" not in page
    assert "waiting, not on the CPU" not in page


def test_the_line_that_made_a_slow_call_stands_below_it():
    page = page_of(
        record(
            timeline=[
                TimelineEntry(
                    "http", "network GET /", n, 60.0 + n, id=n, made_by=line
                )
                for n, line in enumerate(["nova/a.py:1 a", "nova/b.py:2 b"])
            ]
        )
    )

    assert re.search(
        r"http network GET / +2 .*\n +at nova/b\.py:2 b *\n", page
    )
    assert "nova/a.py" not in page


def test_what_wraps_stays_right_of_where_its_row_begins():
    """A long line of code below a call inside another, and its name."""
    maker = "nova/compute/api.py:12 " + "a_function, from " * 8
    calls = [
        TimelineEntry("db_api", "outer", 0.0, 90.0, id=1),
        TimelineEntry(
            "http", "GET " + "x" * 90, 1.0, 80.0, id=2, parent=1, made_by=maker
        ),
    ]

    page = page_of(record(timeline=calls), width=80)
    tree = page.partition("Which call made which\n")[2].partition("\n\n")[0]
    _, first, *inside = tree.splitlines()

    assert re.match("  (db_api )?outer ", first)
    assert len(inside) > 4
    assert all(line.startswith("    ") for line in inside)
    at = next(n for n, line in enumerate(inside) if " at nova" in line)
    assert all(line.startswith("      ") for line in inside[at:])
