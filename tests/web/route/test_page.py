# SPDX-License-Identifier: Apache-2.0
"""The page of a route: each part of it, and the same as JSON."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest
from builders import numbered, slow_rebuild, written
from profile_builders import rebuild_samples, write_session
from web_pages import asked, pages_over

REBUILD = "POST /v2.1/servers/{id}/action rebuild"


def route_url(route, more=""):
    """Return the URL of a route's page."""
    return f"/route?route={quote(route)}{more}"


def rebuilds():
    """Return twelve requests of a route, one of them slow."""
    for n in range(12):
        made = slow_rebuild()
        made.started_at = numbered(60 * n).started_at
        made.request_id = numbered(n).request_id
        made.duration_ms = 3000.0 + n
        if n == 7:
            made.duration_ms = 9000.0
            made.breakdown_ms = {"sql": 8000.0, "python": 1000.0}
            made.status = 500
        yield made


@pytest.fixture
def pages(tmp_path):
    paths = written(tmp_path, *rebuilds(), numbered(1))
    for path in paths[:3]:
        write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    return pages_over(tmp_path)


def test_a_span_of_one_request_has_its_grammar(tmp_path):
    """A minute apart each has its own."""
    written(tmp_path, *rebuilds())

    page = asked(pages_over(tmp_path), route_url(REBUILD)).text

    assert ": 1 request, p50 " in page
    assert "1 requests" not in page


def test_the_page_has_all_of_a_route(pages):
    """Distribution, time, the slowest, advice, calls, stacks, requests."""
    page = asked(pages, route_url(REBUILD)).text

    for heading in (
        "How long it takes",
        "How that changed",
        "What would save most",
        "Where its time goes: the slowest beside a typical one",
        "DB API",
        "Which code ran, by pyinstrument",
        "Its slowest requests",
    ):
        assert f"{heading}</h2>" in page
    assert "p50 3.01 s" in page
    assert "p99 9 s" in page
    assert "instance_update_and_get_original" in page
    assert "nova.compute.api:rebuild" in page


def test_the_figures_as_json(pages):
    """Of the chosen requests alone; the sums are over the opened ones."""
    fields = asked(pages, route_url(REBUILD, "&format=json")).json

    assert fields["total"]["requests"] == 12
    assert fields["total"]["failed"] == 1
    assert fields["distribution"]["percentiles_ms"]["p99"] == 9000.0
    pair = fields["slowest_beside_typical"]
    assert pair["slowest"]["duration_ms"] == 9000.0
    assert pair["parts"][0]["part"] == "sql"
    assert fields["opened"]["dumps"] == fields["opened"]["of"] == 12
    assert fields["db_api"]["totals"]["calls"] == 12 * 15
    assert fields["advice"][0]["of_requests"] == 12
    assert [one["profiles"] for one in fields["stacks"]] == [3]
    assert fields["slowest"][0]["status"] == 500


def test_a_bar_leads_to_its_requests(pages):
    """In the overview, as many as the bar's words have."""
    page = asked(pages, route_url(REBUILD)).text
    bars = re.findall(
        r'<a href="/(\?[^"]+)"><rect class="cell[^>]*><title>(\d+) took', page
    )

    assert bars
    for link, count in bars:
        fields = asked(pages, f"/{unescape(link)}&format=json").json
        assert fields["total"]["requests"] == int(count)


def test_a_span_of_time_leads_to_its_own_page(pages):
    """Of the same route."""
    page = asked(pages, route_url(REBUILD)).text
    link, count = re.search(
        r'<a href="(\?[^"]+since[^"]+)"><rect[^>]*><title>[^<]*: (\d+) requ',
        page,
    ).groups()

    inside = asked(pages, f"/route{unescape(link)}&format=json").json

    assert inside["total"]["requests"] == int(count) < 12


def test_the_stacks_can_be_searched_and_entered(pages):
    """With links and a form; times are of a mean request."""
    page = asked(pages, route_url(REBUILD, "&find=orm")).text
    link = re.search(r'(\?[^"]*frame=1[^"]*)#stacks"><svg', page)[1]

    inside = asked(pages, f"/route{unescape(link)}").text

    assert "1 found, 600.0 ms a request, 60.0 % of what is shown" in page
    assert re.search(r">all</a> ›", inside)


def test_functions_that_pass_on_can_be_shown(pages):
    """They are left out at first."""
    short = asked(pages, route_url(REBUILD)).text
    whole = asked(pages, route_url(REBUILD, "&callers=all")).text

    flame = 'class="bar flame"'
    assert (
        "webob.dec:__call__"
        not in short.partition(flame)[2].partition("Functions by")[0]
    )
    assert "webob.dec:__call__" in whole.partition(flame)[2]


def test_the_overview_and_a_request_lead_to_it(pages):
    """Each with the route in the address."""
    overview = asked(pages, "/").text
    [link] = {
        unescape(link)
        for link in re.findall(r'href="(route\?[^"]+)"', overview)
        if "rebuild" in link
    }
    place = next(row.key for row in pages.index.rows if row.title == REBUILD)
    request = asked(pages, f"/requests/{place}").text

    assert asked(pages, f"/{link}").status_int == 200
    assert f'href="/{link}"' in unescape(request)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/route", 400),
        ("/route?route=x&dumps=y", 400),
        (route_url("GET /nothing"), 404),
        (route_url(REBUILD, "&user=nobody"), 404),
        (route_url(REBUILD, "&frame=99999&find=%00%ff"), 400),
    ],
)
def test_what_is_not_there_is_said(pages, url, status):
    """In one line, in either form."""
    assert asked(pages, url).status_int == status


def test_a_route_with_one_request(tmp_path):
    """It has no pair; all else is there."""
    written(tmp_path, slow_rebuild())

    answer = asked(pages_over(tmp_path), route_url(REBUILD))

    assert answer.status_int == 200
    assert "Typical is" not in answer.text
    assert "DB API" in answer.text


def test_times_of_nothing(tmp_path):
    """Requests of no time, and of no date, need no logarithm."""
    odd = [
        numbered(n, duration_ms=0.0, breakdown_ms={}, app_ms=0.0)
        for n in range(3)
    ]
    written(tmp_path, *odd)
    pages = pages_over(tmp_path)

    assert asked(pages, route_url("GET /v2.1/servers")).status_int == 200
