# SPDX-License-Identifier: Apache-2.0
"""Pages over dumps of any kind: hostile ones run nothing."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from builders import numbered, parallel_detail, slow_rebuild, written
from profile_builders import rebuild_samples, write_session
from web_pages import asked, pages_over

from nova_profiler.reading.requests.one_request import loading
from nova_profiler.record import StatementTotals, TimelineEntry
from nova_profiler.trust import files
from nova_profiler.web.rows import key_of

CANARY = "</title></style><script>canary</script><img src=x onerror=canary>"
OUR_PLACES = ("?", "/", "requests/", "route?", "compare?", "#")


class Elements(HTMLParser):
    """The names of a page's elements, and of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.scripts: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.found.add(tag)
        if tag == "script":
            self.scripts.append(dict(attrs).get("src"))
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]


def assert_runs_nothing(page: str) -> None:
    """No element or attribute of *page* is one that a dump brought."""
    elements = Elements(page)
    assert elements.found.isdisjoint({"img", "iframe", "object"})
    assert set(elements.scripts) <= {"/scripts/start.js"}
    assert not [name for name in elements.attributes if name[:2] == "on"]
    assert not [
        link
        for link in elements.links
        if not link.startswith(
            ("?", "/", "requests/", "route?", "compare?", "#")
        )
    ]


def url_of(pages, place: int = 0) -> str:
    """Return the URL of a request's page."""
    return f"/requests/{pages.index.rows[place].key}"


@pytest.fixture
def pages(tmp_path):
    detail = parallel_detail()
    detail.started_at = numbered(2).started_at
    written(tmp_path, slow_rebuild(), detail, numbered(1))
    return pages_over(tmp_path)


def test_the_overview_leads_to_every_request(pages):
    """By links that are relative, so that it can be mounted anywhere."""
    page = asked(pages, "/").text
    links = re.findall(r'href="(requests/[^"]+)"', page)

    assert len(links) == 3
    assert all(asked(pages, f"/{link}").status_int == 200 for link in links)
    assert "POST /v2.1/servers/{id}/action rebuild" in page
    assert_runs_nothing(page)


def test_a_page_past_the_last_leads_to_it(pages):
    """With the rest of the choice as it was; the page before is no remedy."""
    answer = asked(pages, "/?sort=ms&page=99")

    link = re.search(r'there is no page 99: <a href="([^"]*)"', answer.text)[1]
    assert answer.status_int == 200
    assert unescape(link) == "?sort=ms#requests"
    assert "no page" not in asked(pages, "/?user=nobody&page=1").text


def test_the_table_has_service_and_kind(pages):
    """As columns, which sort, and as choices of the form."""
    page = asked(pages, "/").text

    assert ' data-head="service" class="t">nova-api</td>' in page
    assert ' data-head="kind">request</td>' in page
    for name in ("service", "kind"):
        assert f'href="?sort={name}#requests"' in page
        assert asked(pages, f"/?sort=-{name}").status_int == 200
    chosen = asked(pages, "/?kind=message&service=nova-api").text
    assert "<option selected>message</option>" in chosen
    assert 'name="service" value="nova-api"' in chosen


def test_every_page_is_json_at_the_same_address(pages):
    """By Accept, or by a parameter of the URL."""
    for url in ("/", url_of(pages), "/nothing", "/?page=x"):
        by_header = asked(pages, url, Accept="application/json")
        joint = "&" if "?" in url else "?"
        by_url = asked(pages, f"{url}{joint}format=json")
        page = asked(pages, url, Accept="text/html,*/*;q=0.8")

        assert by_header.json == by_url.json
        assert by_header.status_int == page.status_int
        assert page.content_type == "text/html"


def test_the_json_of_a_request_has_that_of_show(pages):
    """With the advice and the file; what is around it comes besides."""
    row = pages.index.rows[0]

    fields = asked(pages, url_of(pages), Accept="application/json").json

    record = pages.index.store(row).read(row.entry)
    of_show = json.loads(
        json.dumps(loading.json_fields(row.entry.path, record, None))
    )
    assert {name: fields[name] for name in of_show} == of_show
    assert set(fields) - set(of_show) == {
        "critical_path",
        "downloads",
        "downloads_left_out",
        "over_services",
        "problem",
        "route_distribution",
    }


def test_colours_of_bars_have_their_names(tmp_path):
    """The largest part over all requests comes first."""
    written(
        tmp_path,
        numbered(0, breakdown_ms={"python": 40.0, "sql": 20.0}),
        numbered(1, breakdown_ms={"python": 10.0, "sql": 60.0}),
    )

    page = asked(pages_over(tmp_path), "/").text
    key = page.partition('id="requests"')[2].partition("<table")[0]

    assert key.index("driver: statements") < key.index("Python, the rest")
    assert key.count("swatch c-") == 2


def test_no_figures_of_no_requests(pages):
    """A p50 of nothing is none; what chooses is there to be mended."""
    page = asked(pages, "/?user=none").text

    assert "no request fits" in page
    assert 'value="none"' in page
    assert "p50" not in page
    assert "took 1 s or more" not in page


def test_a_cell_of_the_heat_map_leads_to_its_requests(pages):
    """Its words have the number that the page behind it has."""
    page = asked(pages, "/").text
    cells = re.findall(
        r'<a href="(\?[^"]+)"><rect class="cell [^>]*><title>(\d+) took', page
    )

    assert len(cells) == 3
    for link, count in cells:
        fields = asked(
            pages, "/" + link.replace("&amp;", "&") + "&format=json"
        )
        assert fields.json["total"]["requests"] == int(count)


def test_the_page_of_a_request_has_all_of_it(pages):
    """Advice, parts, calls within calls, whole statements, functions."""
    page = asked(pages, url_of(pages)).text

    assert "What would save most" in page
    assert "SQLAlchemy and wrapper" in page
    assert "instance_update_and_get_original" in page
    assert "LEFT OUTER JOIN instance_extra AS instance_extra_1" in page
    boxes = re.findall(r'#waterfall"><(?:svg|rect) x=', page)
    assert len(boxes) == len(slow_rebuild().timeline)
    assert_runs_nothing(page)


def test_a_call_leads_to_its_own_time(pages):
    """The link of its box shows that time alone, and the way back."""
    page = asked(pages, url_of(pages)).text
    link = re.search(r'<a href="(\?from_ms=2600[^"#]+)', page)[1]

    part = asked(pages, url_of(pages) + link.replace("&amp;", "&")).text

    assert "2600.0 to 2861.4 ms of 3117.4" in part
    assert "the whole request" in part
    assert len(re.findall(r'#waterfall"><(?:svg|rect) x=', part)) == 2


def test_the_stacks_of_a_request(tmp_path):
    """A function can be found, with its share; a box leads into it."""
    [path] = written(tmp_path, slow_rebuild())
    write_session(path.with_suffix(".pyisession"), *rebuild_samples())
    pages = pages_over(tmp_path)

    page = asked(pages, url_of(pages) + "?find=ORM").text
    link = re.search(r'(\?frame=3)[^"]*#stacks"><svg', page)[1]
    inside = asked(pages, url_of(pages) + link).text

    assert "1 found, 600.0 ms, 60.0 % of what is shown" in page
    assert "nova.compute.api:rebuild" in inside
    assert re.search(r"›\s+nova|›\s", inside)
    assert asked(pages, url_of(pages) + "?frame=99999").status_int == 200


def test_damaged_stacks_are_a_note(tmp_path):
    """The rest of the page is there."""
    [path] = written(tmp_path, slow_rebuild())
    path.with_suffix(".pyisession").write_text("{")
    pages = pages_over(tmp_path)

    page = asked(pages, url_of(pages))

    assert page.status_int == 200
    assert path.stem in page.text.partition("Notes")[2]


def test_what_a_client_names_stays_text(tmp_path):
    """In a path, user, function, statement, error and note."""
    hostile = slow_rebuild()
    for name in ("path", "route", "action", "user_name", "project_name"):
        setattr(hostile, name, CANARY)
    hostile.service = hostile.host = hostile.error = CANARY
    hostile.outcome = "failed"
    hostile.breakdown_ms[CANARY] = 500.0
    hostile.profile = {"engine": "stacks", "notes": [CANARY]}
    hostile.statements = [StatementTotals(CANARY, CANARY, CANARY, 9, 9.0, 9.0)]
    hostile.timeline = [
        TimelineEntry(
            "sql", CANARY, 0.0, 900.0, error=CANARY, statement=0,
            request_id=CANARY,
        )
    ]  # fmt: skip
    [path] = written(tmp_path, hostile)
    samples = [([f"{CANARY}\x00/{CANARY}\x001"], 0.1)] * 9
    write_session(path.with_suffix(".pyisession"), *samples)
    pages = pages_over(tmp_path)

    title = quote(pages.index.rows[0].title)
    for url in (
        "/",
        url_of(pages),
        "/?user=" + CANARY,
        "/" + CANARY,
        f"/route?route={title}&find=canary&callers=all",
        f"/compare?route={title}&a_user={quote(CANARY)}",
        f"/compare?a_route={title}&b_route={title}&callers=all&b_host=x",
    ):
        answer = asked(pages, url.replace("<", "%3C").replace(" ", "%20"))
        assert_runs_nothing(answer.text)
        assert "canary" in answer.text or "no such page" in answer.text


def test_a_name_cannot_turn_the_text_round(tmp_path):
    """Characters that steer how others are shown become visible."""
    written(tmp_path, numbered(1, user_name="a\u202edrowssap\x1b[2J"))
    pages = pages_over(tmp_path)

    for url in ("/", url_of(pages)):
        page = asked(pages, url).text
        assert "\u202e" not in page
        assert "\x1b" not in page


def test_damaged_and_vanished_dumps_are_named(tmp_path, monkeypatch):
    """Their rows have the reason, their pages too; the others are fine."""
    deep, large, gone, _ = written(tmp_path, *map(numbered, range(4)))
    deep.write_text('{"schema": 1, "profile": ' + '{"a":' * 50_000)
    monkeypatch.setattr(files, "LARGEST_BYTES", 100_000)
    large.write_text("x" * 100_001)
    pages = pages_over(tmp_path)
    gone.unlink()

    overview = asked(pages, "/")
    statuses = [
        asked(pages, url_of(pages, place)).status_int for place in range(4)
    ]

    assert overview.status_int == 200
    assert "100001 bytes, more than" in overview.text
    assert statuses == [200, 410, 410, 410]


@pytest.mark.parametrize(
    "path",
    [
        "/requests/../../../../etc/passwd",
        "/requests/0/../../etc/passwd",
        "/requests/0/2026-11-21/..%2f..%2f..%2fetc%2fpasswd",
        "/requests/0/%2e%2e/%2e%2e",
        "/requests/0/2026-11-21/x%00",
        "/requests/9/2026-11-21/x",
        "/requests//x/y",
        "/etc/passwd",
        "//etc/passwd",
        "/still.css",
        "/%ff",
        "/?user=%ff",
        "/?" + "a" * 5000,
        "/?page=999999",
    ],
)
def test_no_address_leads_out_of_the_directory(pages, path):
    """Only what the index has can be asked for."""
    answer = asked(pages, path)

    assert answer.status_int in (200, 400, 404, 414)
    assert b"root:" not in answer.body


def test_a_link_put_in_the_place_of_a_dump_is_not_followed_to_others(
    tmp_path,
):
    """What it leads to is no record, and stays unseen."""
    [path] = written(tmp_path, numbered(1))
    pages = pages_over(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("password")
    path.unlink()
    path.symlink_to(secret)

    answer = asked(pages, url_of(pages))

    assert answer.status_int == 410
    assert "password" not in answer.text


def test_an_error_of_ours_is_one_line(pages, monkeypatch):
    """The page has its kind, and nothing of this machine."""
    monkeypatch.setattr(pages, "_overview", None)

    answer = asked(pages, "/", Accept="application/json")

    assert answer.status_int == 500
    assert answer.json == {"error": "this page failed: TypeError"}


def test_a_key_has_nothing_of_a_client(tmp_path):
    """It is made of the names of files, which are ours."""
    [path] = written(tmp_path, numbered(1, route="/../<x>", method="<b>"))
    entry = pages_over(tmp_path).index.rows[0].entry

    assert re.fullmatch(r"0/[0-9-]+/[A-Za-z0-9_.-]+", key_of(0, entry))
    assert path.stem == entry.stem
