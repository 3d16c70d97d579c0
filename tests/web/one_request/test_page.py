# SPDX-License-Identifier: Apache-2.0
"""The page of a request in ``serve``: what is around it, to take along."""

from __future__ import annotations

import json
import marshal
import re
from html import unescape

import pytest
from builders import numbered, parallel_detail, slow_rebuild, written
from created_servers import created
from hypothesis import given, settings
from odd_records import odd_records
from profile_builders import (
    API,
    EXECUTE,
    ORM,
    rebuild_samples,
    rebuild_stats,
    stacks_session,
    write_session,
    write_stats,
)
from web_pages import asked, pages_over

from nova_profiler.reading.code.timelines import formats
from nova_profiler.reading.requests.one_request import loading
from nova_profiler.record import StatementTotals, TimelineEntry
from nova_profiler.web.one_request import downloads as downloads_module
from nova_profiler.web.one_request import page as one_page
from nova_profiler.web.one_request import records_around
from nova_profiler.web.one_request.records_around import around_of

CANARY = "</title></style><script>canary</script><img src=x onerror=canary>"


def url_of(pages, start: str) -> str:
    """Return the address of nova-api's request whose id begins so."""
    [row] = [
        row
        for row in pages.index.rows
        if row.request_id.startswith(start) and row.service == "nova-api"
    ]
    return f"/requests/{row.key}"


@pytest.fixture
def hosts(tmp_path):
    """Return the dump directories of a create, one for each host."""
    found = []
    for record in created().records:
        folder = tmp_path / record.host
        written(folder, record)
        found.append(folder)
    return sorted(set(found))


def test_stacks_too_many_for_a_page_are_named(tmp_path, monkeypatch):
    """A stranger's may be of any size; the rest of the page is there."""
    (path,) = written(tmp_path, slow_rebuild())
    write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-")
    whole = asked(pages, url).text
    size = path.with_suffix(".pyisession").stat().st_size
    monkeypatch.setattr(one_page, "MOST_STACKS", size - 1)

    page = asked(pages, url).text

    assert "of stacks are too many for a page" not in whole
    assert "of stacks are too many for a page" in page
    assert "Where its time went" in page
    assert asked(pages, f"{url}/as/speedscope").status_int == 404


def test_more_functions_than_have_room_are_named(tmp_path, monkeypatch):
    """On the page and in its JSON; their caller has all of their time."""
    (path,) = written(tmp_path, slow_rebuild())
    samples = [([API, f"f{n}\x00/x/a.py\x00{n}"], 0.1) for n in range(9)]
    write_session(path.with_suffix(".pyisession"), *samples)
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-")
    whole = asked(pages, url)
    monkeypatch.setattr(loading, "MOST_FUNCTIONS", 5)

    page = asked(pages, url)
    stacks = asked(pages, url, Accept="application/json").json["stacks"]

    assert "more functions than have room" not in whole.text
    assert "more functions than have room" in page.text
    assert any("more functions than have" in note for note in stacks["notes"])
    own_s = sorted(one["self_s"] for one in stacks["functions"])
    assert own_s == [0.1, 0.1, 0.1, 0.6]


def test_words_behind_a_call_stand_apart_from_it(tmp_path):
    """What failed, and the id at the other service, are words of their own."""
    record = numbered(1)
    record.timeline = [
        TimelineEntry(
            "http", "network GET /ports", 1.0, 5.0, id=0, error="gone",
            request_id="req-there",
        )
    ]  # fmt: skip
    written(tmp_path, record)
    pages = pages_over(tmp_path)

    page = asked(pages, url_of(pages, "req-00000001")).text
    row = page.partition('<tr id="c0">')[2].partition("</tr>")[0]
    words = " ".join(re.sub("<[^>]*>", "", row).split())

    assert "GET /ports failed: gone its id there: req-there" in words


@pytest.mark.parametrize(
    ("in_line_s", "shares"), [(0.0, ["75.0 %", "25.0 %"]), (9.0, ["", ""])]
)
def test_a_share_that_is_not_known_is_no_nought(tmp_path, in_line_s, shares):
    """Where threads stood in line longer than they ran, no share is known."""
    [path] = written(tmp_path, numbered(1))
    samples = [([API, ORM], 0.6), ([API, EXECUTE], 0.2)]
    if in_line_s:
        samples.append((["[in line for a processor]"], in_line_s))
    path.with_suffix(".pyisession").write_text(
        json.dumps(stacks_session(*samples, number=100))
    )
    pages = pages_over(tmp_path)

    page = asked(pages, url_of(pages, "req-00000001")).text
    table = page.partition('<h2 id="functions">')[2].partition("</table>")[0]
    rows = re.findall(
        '<td role="cell" data-head="share" class="n">([^<]*)</td>', table
    )

    assert rows[:2] == shares
    assert "600.0" in table


def test_ids_are_there_to_copy(tmp_path):
    """Each in an element of its own, with the command that prints it."""
    folder = tmp_path / "my dumps"
    written(folder, slow_rebuild())
    pages = pages_over(folder)

    page = unescape(asked(pages, url_of(pages, "req-6ec8")).text)
    ids = re.findall(r'<code class="id" tabindex="0">([^<]*)</code>', page)

    record = slow_rebuild()
    assert ids == [
        record.request_id,
        record.user_id,
        record.project_id,
        f"nova-profiler show {record.request_id} --dump-dir '{folder}'",
    ]


def test_the_place_in_the_route(tmp_path):
    """A rank, and a histogram with a mark; both in JSON, too."""
    written(tmp_path, *map(numbered, range(20)))
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-00000012")

    page = asked(pages, url).text
    fields = asked(pages, url, Accept="application/json").json

    assert "Number 2 from the slowest of 20" in page
    assert page.count('class="here"') == 1
    assert fields["route_distribution"]["slower"] == 1
    assert fields["route_distribution"]["requests"] == 20


def test_other_services_are_one_picture(hosts):
    """From all directories; rows lead to the pages of their records."""
    pages = pages_over(*hosts)

    page = asked(pages, url_of(pages, "req-6ec84648")).text
    part = page.partition("What each service did when")[2]
    links = re.findall(r'<a href="(/requests/[^"]+)">([^<]+)</a>', part)

    assert "16 records of 5 services on 4 hosts" in page
    assert [words for _, words in links][:3] == [
        "schedule_and_build_instances",
        "select_destinations",
        "GET /allocation_candidates",
    ]
    assert "10 x Instance.save" in dict(map(reversed, links))
    assert 'class="critical"' in part
    for link, _ in links:
        other = asked(pages, link)
        assert other.status_int == 200
        assert "It is a part of POST /v2.1/servers" in other.text


def test_other_services_in_json(hosts):
    """As ``show --json`` has them, with the critical path."""
    pages = pages_over(*hosts)

    fields = asked(
        pages, url_of(pages, "req-6ec84648"), Accept="application/json"
    ).json

    services = fields["over_services"]
    assert len(services["records"]) == 16
    assert services["until_done"]["path"][-1]["what"] == "work"


def test_a_request_by_a_global_id(tmp_path):
    """Another service's own id is another one; the global id is ours."""
    ours, theirs = numbered(1), numbered(1, service="placement")
    theirs.request_id = "req-ffffffff-1f0d-4f2c-9a53-6cc2b5e0b7aa"
    theirs.global_request_id = ours.request_id
    written(tmp_path, ours, theirs)
    pages = pages_over(tmp_path)

    page = asked(pages, url_of(pages, "req-00000001")).text

    assert "2 records of 2 services" in page


def test_a_page_reads_few_of_very_many_records(tmp_path, monkeypatch):
    """The others are counted, and so are vanished and damaged ones."""
    records = [numbered(n, request_id="req-aaaaaaaa") for n in range(9)]
    paths = written(tmp_path, *records)
    pages = pages_over(tmp_path)
    paths[1].write_text("{")
    monkeypatch.setattr(records_around, "MOST_RECORDS", 5)
    [own] = [row for row in pages.index.rows if row.entry.path == paths[0]]

    around = around_of(records[0], own, pages.index.rows, lambda row: row.key)
    late = iter([0.0, *[9.0] * 9])
    none = around_of(
        records[0],
        own,
        pages.index.rows,
        lambda row: row.key,
        lambda: next(late),
    )

    assert len(around.picture.served) == 5
    assert around.notes[0].startswith("4 more records")
    assert none is None


def test_a_call_is_shown_with_all_that_is_known(tmp_path):
    """Its statement, what sent it, rows, error; the calls around it."""
    record = numbered(1)
    record.duration_ms = 100.0
    record.statements = [
        StatementTotals("SELECT whole", "SELECT x", "cell1", 1, 5.0, 5.0)
    ]
    record.timeline = [
        TimelineEntry("db_api", "instance_get", 10.0, 20.0, id=0),
        TimelineEntry(
            "sql", "SELECT x", 12.0, 5.0, rows=7, error="gone", statement=0,
            id=1, parent=0, made_by="nova/api.py:3 get",
        ),
    ]  # fmt: skip
    written(tmp_path, record)
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-00000001")

    whole = asked(pages, url).text
    title = re.search(r"<title>(sql SELECT x[^<]*)</title>", whole)[1]
    link = re.search(r'href="([^"#]*call=1)#waterfall"', whole)[1]
    picked = asked(pages, url + link.replace("&amp;", "&")).text
    panel = picked.partition('aria-labelledby="picked"')[2]
    panel = panel.partition("</section>")[0]

    assert title.splitlines() == [
        "sql SELECT x",
        "took 5.000 ms, 5.0 %",
        "from 12.000 ms on",
        "rows 7",
        "failed gone",
        "by instance_get",
        "at nova/api.py:3 get",
        "SELECT whole",
    ]
    for text in ("SELECT whole", "instance_get", "nova/api.py:3 get", "gone"):
        assert text in panel
    assert re.search(r"within <a [^>]*>db_api instance_get</a>", panel)
    assert "12.0 to 17.0 ms of 100.0" in picked


def test_lanes_have_their_critical_path(tmp_path):
    """Marked in the picture, and in JSON."""
    written(tmp_path, parallel_detail())
    pages = pages_over(tmp_path)
    [row] = pages.index.rows

    page = asked(pages, f"/requests/{row.key}").text
    fields = asked(pages, f"/requests/{row.key}?format=json").json

    marks = re.findall(r'<rect class="critical" x="[^>]*><title>', page)
    assert len(marks) == len(fields["critical_path"]) > 1


def test_statements_have_their_repeats_and_their_callers(tmp_path):
    """How often, how long in all, which functions, which line."""
    record = numbered(1)
    record.statements = [
        StatementTotals("SELECT 1", "SELECT x", "cell1", 3, 9.0, 4.0)
    ]
    record.timeline = [
        TimelineEntry("db_api", "instance_get", 0.0, 50.0, id=0),
        *(
            TimelineEntry(
                "sql", "SELECT x", n * 10.0, 3.0, statement=0, id=n, parent=0,
                made_by="nova/a.py:1 f",
            )
            for n in (1, 2, 3)
        ),
    ]  # fmt: skip
    written(tmp_path, record)
    pages = pages_over(tmp_path)

    page = asked(pages, url_of(pages, "req-00000001")).text
    row = page.partition('<tr role="row" id="s0">')[2].partition("</tr>")[0]

    assert re.findall(r'class="n">([^<]*)</td>', row)[:2] == ["3", "9.0"]
    assert "by instance_get; at nova/a.py:1 f" in row


@pytest.fixture
def stacks(tmp_path):
    """Return the pages over a request with stacks, and its address."""
    [path] = written(tmp_path, slow_rebuild())
    write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    pages = pages_over(tmp_path)
    return pages, url_of(pages, "req-6ec8")


def test_libraries_are_folded_until_they_are_asked_for(stacks):
    """By a switch in the address; a search looks into them."""
    pages, url = stacks

    folded = asked(pages, url).text
    [switch] = re.findall(r'href="(\?[^"]*libraries=all)#stacks"', folded)
    shown = asked(pages, url + switch).text
    found = asked(pages, url + "?find=orm").text

    flame = re.compile(r"<title>sqlalchemy\.orm\.loading:instances")
    assert not flame.search(folded)
    assert "<title>sqlalchemy\n800.0 ms" in folded
    assert flame.search(shown)
    assert "1 found, 600.0 ms, 60.0 % of what is shown" in found
    assert flame.search(found)


def test_work_and_waiting_are_looked_at_apart(stacks):
    """By a switch in the address, which has the time of each."""
    pages, url = stacks

    page = asked(pages, url).text
    waits = asked(pages, url + "?time=waits").text

    assert "work alone 800.0 ms" in page
    assert '<strong aria-current="true">waiting alone 200.0 ms' in waits
    assert "lock.acquire\n200.0 ms, 100.0 % of all" in waits


def test_downloads_are_what_their_programs_read(stacks):
    """Each with a name of its own; the page leads to each."""
    pages, url = stacks

    page = asked(pages, url).text
    links = dict(re.findall(r'<a href="([^"]*)" download>([^<]*)</a>', page))
    answers = {
        words: asked(pages, link if link[0] == "/" else url + link)
        for link, words in links.items()
    }

    assert set(answers) == {
        "JSON", "speedscope", "pstats", "collapsed stacks", "pyinstrument",
        "Firefox Profiler", "Perfetto",
    }  # fmt: skip
    assert answers["speedscope"].json["exporter"] == "nova-profiler"
    assert len(marshal.loads(answers["pstats"].body)) == 7
    assert answers["Firefox Profiler"].json["meta"]["product"]
    assert answers["Perfetto"].json["traceEvents"]
    assert answers["collapsed stacks"].text.count("\n") == 3
    name = answers["pstats"].headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="[\w.-]+\.prof"', name)
    fields = asked(pages, url + "?format=json").json
    assert set(fields["downloads"].values()) == set(links) - {"?format=json"}


def downloads(pages, url):
    """Return the answer of each download that the page's JSON names."""
    fields = asked(pages, url, Accept="application/json").json
    found = {
        name: asked(pages, link) for name, link in fields["downloads"].items()
    }
    return fields["downloads_left_out"], found


def test_what_downloads_lack_is_named_beside_them(tmp_path):
    """On the page, in its JSON, in the header and the file of each."""
    timeline = [TimelineEntry("sql", "SELECT", at, 900.0) for at in range(12)]
    record = slow_rebuild()
    record.timeline = timeline
    (path,) = written(tmp_path, record)
    write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-")
    line = (
        "4 calls left out: Perfetto has 8 rows for calls of a lane that "
        "overlap"
    )

    page = asked(pages, url).text
    left_out, found = downloads(pages, url)

    assert f'<p class="panel">Not in these files: {line}</p>' in page
    assert left_out == [line]
    headers = {
        name: answer.headers.get("Nova-Profiler-Left-Out")
        for name, answer in found.items()
    }
    assert headers.pop("perfetto") == line
    assert set(headers.values()) == {None}
    other = found["perfetto"].json["otherData"]
    assert other["not in this file"] == line


def test_stacks_that_downloads_lack_are_named(tmp_path, monkeypatch):
    """Too many functions; and too many stacks, which none of them has."""
    (path,) = written(tmp_path, slow_rebuild())
    session = path.with_suffix(".pyisession")
    samples = [([API, f"f{n}\x00/x/a.py\x00{n}"], 0.1) for n in range(9)]
    write_session(session, *samples)
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-")
    whole, before = downloads(pages, url)
    # Each where it is used: pages and their downloads have one bound.
    monkeypatch.setattr(loading, "MOST_FUNCTIONS", 5)
    monkeypatch.setattr(downloads_module, "MOST_FUNCTIONS", 5)

    cut, of_cut = downloads(pages, url)
    monkeypatch.setattr(one_page, "MOST_STACKS", 3)
    none, of_none = downloads(pages, url)

    name = "Nova-Profiler-Left-Out"
    assert whole == []
    assert not any(name in answer.headers for answer in before.values())
    assert cut == [
        "more functions than have room here: some stacks end at a caller, "
        "which has their time"
    ]
    for how in ("speedscope", "pstats", "collapsed", "pyinstrument"):
        assert of_cut[how].headers[name] == cut[0]
    assert cut[0] in of_cut["speedscope"].json["name"]
    assert cut[0] in of_cut["pyinstrument"].json["target_description"]
    for how in ("firefox", "perfetto"):
        line = "6 stacks end at a caller: a file has room for 5 functions"
        assert of_cut[how].headers[name] == line
        assert line in of_cut[how].text
    assert "of stacks are too many for a page" in none[0]
    assert of_none.keys() == {"firefox", "perfetto"}
    for answer in of_none.values():
        assert answer.headers[name] == none[0]
        assert none[0] in answer.text


def test_counted_calls_are_no_stacks_of_a_file_with_times(tmp_path):
    """The page names what Firefox and Perfetto do not get."""
    (path,) = written(tmp_path, slow_rebuild())
    write_stats(path.with_suffix(".prof"), rebuild_stats())
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-")

    left_out, found = downloads(pages, url)

    assert left_out == [formats.COUNTED]
    assert formats.COUNTED in asked(pages, url).text
    header = found["firefox"].headers["Nova-Profiler-Left-Out"]
    assert formats.COUNTED in header


def test_a_header_is_one_short_line(tmp_path, monkeypatch):
    """Whatever the name of a file has in it."""
    (path,) = written(tmp_path, slow_rebuild())
    write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-")
    hostile = "\r\nSet-Cookie: a=b\u202e\u20ac" + "x" * 5000
    monkeypatch.setattr(downloads_module, "cut_note", lambda profile: hostile)

    answer = asked(pages, f"{url}/as/collapsed")

    header = answer.headers["Nova-Profiler-Left-Out"]
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 1100
    assert "Set-Cookie" not in answer.headers


def test_a_request_without_stacks_is_no_profile(tmp_path):
    """That is not offered, and 404 for those who ask all the same."""
    written(tmp_path, numbered(1))
    pages = pages_over(tmp_path)
    url = url_of(pages, "req-00000001")

    assert "speedscope" not in asked(pages, url).text
    assert asked(pages, url + "/as/firefox").status_int == 200
    for part in ("/as/speedscope", "/as/pstats", "/as/exe", "/lines", "/x"):
        assert asked(pages, url + part).status_int == 404


def test_what_a_dump_names_stays_text(tmp_path):
    """In ids, services, lanes, callers, statements and downloads."""
    record = numbered(1, record_id="a", global_request_id=CANARY)
    other = numbered(1, service=CANARY, host=CANARY, request_id=CANARY)
    other.global_request_id = CANARY
    record.request_id = CANARY
    record.statements = [StatementTotals(CANARY, CANARY, CANARY, 1, 1.0, 1.0)]
    record.timeline = [
        TimelineEntry("db_api", CANARY, 0.0, 90.0, id=0, made_by=CANARY),
        TimelineEntry(
            CANARY, CANARY, 1.0, 50.0, 1, error=CANARY, statement=0, id=1,
            parent=0, request_id=CANARY, made_by=CANARY,
        ),
    ]  # fmt: skip
    [path, _] = written(tmp_path, record, other)
    samples = [([f"{CANARY}\x00/{CANARY}\x001"], 0.1)] * 9
    write_session(path.with_suffix(".pyisession"), *samples)
    pages = pages_over(tmp_path, logs=[tmp_path])
    url = next(
        f"/requests/{row.key}"
        for row in pages.index.rows
        if row.entry.path == path
    )

    for query in ("", "?call=1", "?find=canary", "?libraries=all"):
        page = asked(pages, url + query)
        assert page.status_int == 200
        assert "canary" in page.text
        assert "<script>" not in page.text
        assert "<img" not in page.text
    assert asked(pages, f"{url}/as/speedscope").status_int == 200


@settings(max_examples=25, deadline=None)
@given(odd_records(), odd_records())
def test_any_two_records_have_a_page(tmp_path_factory, one, other):
    """In HTML and as JSON, whatever they have in common."""
    folder = tmp_path_factory.mktemp("dumps")
    for record in (one, other):
        record.request_id = "req-aaaaaaaa"
        record.started_at = numbered(1).started_at
        record.duration_ms = min(1e6, max(1.0, record.duration_ms))
    written(folder, one, other)
    pages = pages_over(folder)

    for row in pages.index.rows:
        for query in ("", "?format=json", "?call=0&time=work"):
            answer = asked(pages, f"/requests/{row.key}{query}")
            assert answer.status_int in (200, 410), answer.text
        if "json" in query:
            json.loads(answer.text)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/requests/0/2026-11-21/x", ""),
        ("/requests/0/2026-11-21/x/lines", "lines"),
        ("/requests/0/2026-11-21/x/as/pstats", "as/pstats"),
    ],
)
def test_an_address_names_a_part(path, part):
    """The page, its lines or a format."""
    place = one_page.place_of(path)

    assert place.key == "0/2026-11-21/x"
    assert place.part == part
    assert (place.download is None) == (not part.startswith("as"))
