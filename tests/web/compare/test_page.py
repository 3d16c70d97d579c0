# SPDX-License-Identifier: Apache-2.0
"""The page that compares: sentence, parts, calls, stacks, and as JSON."""

from __future__ import annotations

import re
import threading
from html import unescape

import pytest
from builders import numbered, written
from logged import write_log, wsgi_line
from profile_builders import API, DISPATCH, EXECUTE, ORM, write_session
from web_pages import asked, pages_over

from nova_profiler.record import CallTotals
from nova_profiler.web.compare import figures
from nova_profiler.web.together import adding_up

SERVERS, FLAVORS = "GET /v2.1/servers", "GET /v2.1/flavors"


def side(folder, factor, routes=("/v2.1/servers",), count=30):
    """Write requests that take *factor* times as long, each with stacks."""
    folder.mkdir()
    for route in routes:
        paths = written(
            folder,
            *[
                numbered(
                    n,
                    route=route,
                    duration_ms=factor * (100.0 + n / 8),
                    breakdown_ms={"sql": factor * 60.0, "python": 40.0},
                    calls=[
                        CallTotals("db_api", "instance_get", 2, factor * 60, 9)
                    ],
                )
                for n in range(count)
            ],
        )
        for path in paths:
            write_session(
                path.with_suffix(".pyisession"),
                *[([DISPATCH, API, ORM], 0.01 * factor)] * 6,
                *[([DISPATCH, API, EXECUTE], 0.01)] * 4,
            )
    return folder


@pytest.fixture
def pages(tmp_path):
    return pages_over(side(tmp_path / "a", 1.0), side(tmp_path / "b", 2.0))


def test_logs_are_named_among_the_directories(tmp_path):
    """By their path, as a person knows them."""
    log = write_log(tmp_path / "nova-api.log", *map(wsgi_line, range(9)))
    pages = pages_over(side(tmp_path / "a", 1.0), logs=[log])

    page = asked(pages, "/compare").text

    assert f'<option value="1">{log}</option>' in page


def test_two_directories(pages):
    """What changed, how sure it is, and where."""
    page = asked(pages, "/compare").text

    assert "▲ B is slower by 100.0 %" in page
    assert "sure to &gt; 99.99 %" in page
    assert "Parts of the time, the one that changed most first</h2>" in page
    assert "instance_get" in page
    assert "Which code takes longer</h2>" in page
    assert re.search(r"A 60\.00 ms, B 120\.00 ms, \+60\.00 ms", page)
    assert '<option value="1" selected>' in page


@pytest.mark.parametrize("slow_side", ["a", "b"])
def test_what_is_not_opened_has_no_figures(pages, monkeypatch, slow_side):
    """Words instead, and null in JSON, until both sides have some."""
    go_on = threading.Event()
    read = adding_up.record_in

    def slow(store, entry):
        if f"/{slow_side}/" in str(entry.path):
            assert go_on.wait(60)
        return read(store, entry)

    monkeypatch.setattr(adding_up, "record_in", slow)
    opener = pages._opener
    opener._patience_s = 0.2

    fields = asked(pages, "/compare?format=json").json
    page = asked(pages, "/compare").text
    go_on.set()
    opener._patience_s = 60.0
    later = asked(pages, "/compare?format=json").json

    assert not fields[slow_side]["opened"]["is_done"]
    assert fields["parts"] is fields["db_api"] is fields["stacks"] is None
    assert "no parts and no calls to compare: no dump of " in page
    # What is opened waits in one line: B comes after A.
    assert "B has been opened yet" in page
    assert "Parts of the time" not in page
    assert later["parts"][0]["change_ms"] == 60.0


def test_a_side_without_dumps_has_no_figures(tmp_path):
    """A log has requests, and nothing to open."""
    log = write_log(tmp_path / "nova-api.log", *map(wsgi_line, range(9)))
    pages = pages_over(side(tmp_path / "a", 1.0), logs=[log])

    fields = asked(pages, "/compare?a_dir=0&b_dir=1&format=json").json
    page = asked(pages, "/compare?a_dir=0&b_dir=1").text

    assert fields["parts"] is fields["db_api"] is None
    assert "no dump of B has been opened<" in page


def test_the_figures_as_json(pages):
    """The verdict, the parts, the calls and the functions."""
    fields = asked(pages, "/compare?format=json").json

    [whole] = fields["whole"]["routes"]
    assert (whole["verdict"], round(whole["change"], 2)) == ("slower", 1.0)
    assert fields["a"]["total"]["requests"] == 30
    assert fields["a"]["choice"] == {"dir": "0"}
    assert fields["parts"][0] == {
        "name": "sql",
        "label": fields["parts"][0]["label"],
        "a_ms": 60.0,
        "b_ms": 120.0,
        "change_ms": 60.0,
        "error_ms": 0.0,
        "verdict": "slower",
    }
    assert fields["db_api"][0]["b_calls"] == 2.0
    assert fields["stacks"]["functions"][0]["change_ms"] == pytest.approx(60.0)


def test_two_routes(tmp_path):
    """Whole sides are compared: no route is on both."""
    both = side(tmp_path / "all", 1.0, ("/v2.1/servers", "/v2.1/flavors"))
    pages = pages_over(both)

    page = asked(
        pages,
        f"/compare?a_route={SERVERS}&b_route={FLAVORS}".replace(" ", "+"),
    ).text

    assert "no change that is sure" in page
    assert "Route by route" not in page


def test_several_routes_have_a_table(tmp_path):
    """Each row leads to the same sides of that route alone."""
    routes = ("/v2.1/servers", "/v2.1/flavors")
    pages = pages_over(
        side(tmp_path / "a", 1.0, routes), side(tmp_path / "b", 3.0, routes)
    )
    page = asked(pages, "/compare").text
    link = re.search(r'<a href="(\?[^"]*)">GET /v2.1/flavors', page)[1]

    alone = asked(pages, f"/compare{unescape(link)}&format=json").json

    assert "2 routes: 2 slower" in page
    assert alone["a"]["choice"] == {"route": FLAVORS, "dir": "0"}
    assert alone["b"]["total"]["requests"] == 30


def test_a_moment_as_a_form_sends_it(tmp_path):
    """Before it is side a, after it side b."""
    pages = pages_over(side(tmp_path / "all", 1.0))

    fields = asked(
        pages,
        f"/compare?split=2026-11-10T08:00:10&route={SERVERS}"
        "&format=json".replace(" ", "+"),
    ).json

    assert fields["a"]["total"]["requests"] == 10
    assert fields["b"]["total"]["requests"] == 20


def test_without_the_extra_of_history(pages, monkeypatch):
    """All is there but how sure a change is; a line says what is needed."""
    monkeypatch.setattr(figures, "_compared", lambda a, b: (None, None))

    page = asked(pages, "/compare").text

    assert "pip install &#39;nova-profiler[history]&#39;" in page
    assert "Parts of the time, the one that changed most first</h2>" in page


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?a_user=nobody", 200),
        ("?user=nobody", 200),
        ("?a_dir=7", 400),
        ("?split=never", 400),
        ("?frame=123456&callers=all", 200),
    ],
)
def test_odd_sides(pages, query, status):
    """An empty side is a page, too; what cannot be is refused."""
    for url in (f"/compare{query}", f"/compare{query}&format=json"):
        assert asked(pages, url).status_int == status


def test_no_dumps_at_all(tmp_path):
    """The page says so."""
    page = asked(pages_over(tmp_path), "/compare").text

    assert "no request on either side has been read" in page
