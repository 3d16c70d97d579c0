# SPDX-License-Identifier: Apache-2.0
"""What an address has besides the parameters of its page is named."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

import pytest
from builders import numbered, parallel_detail, slow_rebuild, written
from logged import write_log, wsgi_line
from profile_builders import rebuild_samples, write_session
from web_pages import asked, pages_over, pages_over_logs

from nova_profiler.web.parameters import known_at

ROUTE = "route=GET+/v2.1/servers"
CANARY = "<script>canary</script>\x1b\u202e" + "x" * 3000


@pytest.fixture
def pages(tmp_path):
    """Pages over dumps, one of them with stacks."""
    folder = tmp_path / "d"
    others = (parallel_detail(), *map(numbered, range(8)))
    paths = written(folder, slow_rebuild(), *others)
    write_session(paths[0].with_suffix(".pyisession"), *rebuild_samples())
    return pages_over(folder)


def with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def every_page(pages) -> list[str]:
    """Return an address of each kind of page, one with a parameter."""
    keys = [row.key for row in pages.index.rows]
    return [
        "/",
        f"/route?{ROUTE}",
        "/compare",
        *(f"/requests/{key}" for key in keys),
        "/route?route=GET+/none",
        "/?page=x",
    ]


def test_an_unknown_parameter_is_named_on_every_page(pages):
    """With the one that was meant; in JSON as a field, first of all."""
    for url in every_page(pages):
        wrong = with_query(url, "formatt=json&xyzzy=1")
        page = asked(pages, wrong)
        in_json = asked(pages, wrong, Accept="application/json")

        line = (
            "ignored: this page has no parameter formatt (did you mean "
            "format?), xyzzy"
        )
        assert page.text.count(f'<p class="panel slow">{line}</p>') == 1
        assert page.text.index(line) < page.text.index("<h1>")
        assert in_json.json["ignored_parameters"] == line
        assert next(iter(in_json.json)) == "ignored_parameters"
        plain = asked(pages, url, Accept="application/json")
        assert (page.status, in_json.status) == (plain.status,) * 2
        rest = {**in_json.json}
        del rest["ignored_parameters"]
        assert rest == plain.json
        assert "ignored:" not in asked(pages, url).text


def test_a_request_of_a_log_and_its_lines_name_it_too(tmp_path):
    """Pages of whatever was read are pages."""
    log = write_log(tmp_path / "nova-api.log", wsgi_line(1))
    pages = pages_over_logs(log)
    url = f"/requests/{pages.index.rows[0].key}"

    assert "no parameter cal (did" in asked(pages, f"{url}?cal=1").text
    assert known_at(f"{url}/lines") == ("format", "token")


def test_many_and_hostile_names_are_one_short_line(pages):
    """They stay text, are cut, and are counted past the third."""
    names = "&".join(f"{quote(f'{n}{CANARY}'[:900])}=1" for n in range(4))

    page = asked(pages, f"/?{names}").text
    fields = asked(pages, f"/?{names}&format=json").json

    line = fields["ignored_parameters"]
    assert line.endswith(" and 1 more")
    assert len(line) < 300
    assert line.isprintable()
    assert "<script>canary" not in page
    assert "&lt;script&gt;canary" in page


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("time=work&frame=1&call=0&calls=all&libraries=all", ""),
        ("time=&from_ms=1.5&to_ms=2e2&format=html", ""),
        ("time=wait", "time = wait, expected work or waits"),
        ("calls=every", "calls = every, expected all"),
        ("libraries=1", "libraries = 1, expected all"),
        ("format=jsn", "format = jsn, expected json"),
        ("from_ms=1s", "from_ms = 1s, expected milliseconds"),
        ("to_ms=nan", "to_ms = nan, expected milliseconds"),
        ("call=first", "call = first, expected a number"),
        ("frame=-1", "frame = -1, expected a number"),
        ("frame=\u00b2", "frame = \u00b2, expected a number"),
    ],
)
def test_a_value_that_a_page_passes_over_is_named(pages, query, line):
    """It shows the whole request, which was not asked for."""
    [key] = [row.key for row in pages.index.rows if row.status == 202]

    page = asked(pages, f"/requests/{key}?{quote(query, safe='=&')}").text

    assert ("ignored: " in page) == bool(line)
    assert line in page
    assert not line or f">ignored: {line}</p>" in page


def test_callers_of_a_route_and_of_two_sides_are_all_or_none(pages):
    """What they know besides is refused where it is read."""
    for url in (f"/route?{ROUTE}", "/compare"):
        page = asked(pages, with_query(url, "callers=some")).text

        assert "ignored: callers = some, expected all" in page


def test_a_parameter_without_a_name_is_one(pages):
    """As ``?=1`` has it."""
    line = asked(pages, "/?=1&format=json").json["ignored_parameters"]

    assert line == "ignored: this page has no parameter without a name"


def test_a_value_that_another_takes_the_place_of_is_named(pages):
    """The last one counts; equal ones are no matter."""
    twice = asked(pages, "/?user=a&user=b&format=json").json

    assert twice["choice"] == {"user": "b"}
    assert (
        twice["ignored_parameters"]
        == "of several values the last one counts: user"
    )
    assert "several values" not in asked(pages, "/?user=a&user=a").text


def test_downloads_and_scripts_stay_as_they_are(pages):
    """A file has no room for a line."""
    [key] = [row.key for row in pages.index.rows if row.status == 202]
    for url in (
        f"/requests/{key}/as/perfetto",
        f"/requests/{key}/as/collapsed",
        "/scripts/start.js",
    ):
        assert asked(pages, f"{url}?xyzzy=1").body == asked(pages, url).body


def test_who_has_no_token_learns_no_parameter(tmp_path):
    """A refusal is as it was."""
    written(tmp_path, numbered(1))

    answer = asked(pages_over(tmp_path, token="secret"), "/?usr=1")

    assert answer.status_int == 401
    assert "usr" not in answer.text


def test_an_address_that_is_no_utf_8_is_still_a_problem(pages):
    """And no more than that."""
    answer = asked(pages, "/?%ff=1&xyzzy=1")

    assert answer.status_int == 400
    assert "ignored" not in answer.text


def test_no_link_or_form_of_ours_has_an_unknown_parameter(pages):
    """Each kind of page is walked to, once with each of its parameters."""
    todo = ["/"]
    walked: set[tuple[str, str]] = set()
    while todo:
        url = todo.pop()
        path, query = urlsplit(url)[2:4]
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        if known_at(path) is None:
            continue
        assert names <= {*known_at(path)}, url
        kind = re.sub(r"/requests/.*", "/requests/", path)
        if {(kind, name) for name in {"", *names}} <= walked:
            continue
        walked |= {(kind, name) for name in {"", *names}}
        page = asked(pages, url).text
        links = re.findall(r'href="([^"]*)"', page)
        todo += [urljoin(url, unescape(link)) for link in links]
        for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
            action = re.search(r'<form[^>]* action="([^"]*)"', form)
            to = urlsplit(urljoin(url, action[1] if action else "")).path
            names = re.findall(r'<(?:input|select)[^>]* name="([^"]*)"', form)
            assert {*names} <= {*known_at(to)}, (to, names)

    kinds = {kind for kind, _ in walked}
    assert kinds == {"/", "/route", "/compare", "/requests/"}
    assert len(walked) > 20
