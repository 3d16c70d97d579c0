# SPDX-License-Identifier: Apache-2.0
"""Learned routes: few whatever clients choose, with room for what is new."""

from __future__ import annotations

import itertools
import re
import string
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.served.routing import learned_routes
from nova_profiler.capture.served.routing.learned_routes import (
    MAX_FIRST_LITERALS,
    MAX_LEARNED,
    MAX_LITERALS,
    LearnedRoutes,
)
from nova_profiler.capture.served.routing.resource_words import RESOURCE_WORDS


def names(count: int, mark: str = "q") -> list[str]:
    """Return names that clients chose: letters, no ids, no known words."""
    letters = itertools.product(string.ascii_lowercase, repeat=3)
    chosen = itertools.islice(letters, count)
    return [mark + "".join(three) for three in chosen]


def learned(*shapes: str, by: LearnedRoutes | None = None) -> LearnedRoutes:
    """Return what knows the routes of answered requests for *shapes*."""
    known = by or LearnedRoutes()
    for shape in shapes:
        assert known.route_of(shape, True)
    return known


def route(known: LearnedRoutes, shape: str) -> str | None:
    """Return the route of *shape* for a request that failed."""
    return known.route_of(shape, False)


@pytest.mark.parametrize(
    ("before", "behind"), [("/traits/", ""), ("/v3/domains/", "/config/ldap")]
)
def test_a_place_of_many_values_takes_an_id(before, behind):
    """Traits, domains: a client may choose any number of them."""
    known = learned(*(before + name + behind for name in names(300)))

    assert len(known) == 1
    assert route(known, f"{before}new{behind}") == f"{before}{{id}}{behind}"


def test_ids_and_names_at_one_place_are_one_route():
    """A flavor is asked for by its id or by its name."""
    known = learned("/flavors/{id}", *(f"/flavors/{n}" for n in names(30)))

    assert route(known, "/flavors/small") == "/flavors/{id}"
    assert len(known) == 1


def test_below_values_what_is_named_stays_named():
    """The place behind a value is one place, whatever the value."""
    shapes = [
        f"/domains/{name}/{behind}"
        for name in names(30)
        for behind in ("config", "members")
    ]
    known = learned(*shapes)

    assert route(known, "/domains/x/config") == "/domains/{id}/config"
    assert route(known, "/domains/x/members") == "/domains/{id}/members"
    assert len(known) == 2


def test_values_below_values_become_few():
    """Twenty of each would be four hundred of both."""
    shapes = [f"/a/{x}/{y}" for x in names(19) for y in names(100, "z")]
    known = learned(*shapes)

    assert len(known) <= 19
    assert route(known, f"/a/{names(1)[0]}/other") is not None


@pytest.mark.parametrize("before", ["/", "/v2.0/", "/things/"])
def test_a_flood_of_names_leaves_known_and_new_routes_their_place(before):
    """Neither what is in use is pushed out, nor what comes later kept out."""
    known = learned(*["/healthz"] * 5)
    learned("/v2.0/networks", "/v2.0/ports/{id}", by=known)
    learned(*(before + name for name in names(3_000)), by=known)
    learned("/v2.0/subnets", "/later/{id}", by=known)

    assert route(known, "/healthz") == "/healthz"
    assert route(known, "/v2.0/networks") == "/v2.0/networks"
    assert route(known, "/v2.0/ports/{id}") == "/v2.0/ports/{id}"
    assert route(known, "/v2.0/subnets") == "/v2.0/subnets"
    assert route(known, "/later/{id}") is not None
    assert len(known) <= MAX_LEARNED


def test_what_is_often_asked_for_keeps_its_name_among_values():
    """A search beside things is no thing."""
    known = learned(*["/things/search"] * 9)
    learned(*(f"/things/{name}" for name in names(50)), by=known)

    assert route(known, "/things/search") == "/things/search"
    assert route(known, "/things/other") == "/things/{id}"


def test_words_of_openstack_are_no_variety():
    """An API may have more resources than a place may have values."""
    words = sorted(RESOURCE_WORDS)[: 3 * MAX_LITERALS]
    known = learned(*(f"/v2/lbaas/{word}" for word in words))

    assert [route(known, f"/v2/lbaas/{word}") for word in words] == [
        f"/v2/lbaas/{word}" for word in words
    ]


def test_resources_of_another_api_may_be_more():
    """They are named first in a path, or behind its version."""
    words = names(MAX_FIRST_LITERALS)
    known = learned(*(f"/v1/{word}" for word in words))

    assert len(known) == MAX_FIRST_LITERALS
    assert route(known, f"/v1/{words[0]}") == f"/v1/{words[0]}"


def test_only_a_lesson_teaches():
    """What was refused is not known later."""
    known = LearnedRoutes()

    assert route(known, "/wp-login") is None
    assert route(known, "/wp-login") is None
    assert len(known) == 0


def test_the_root_is_a_route_of_its_own():
    """Also where all that is named first has become {id}."""
    known = learned("/", *("/" + name for name in names(500)))

    assert route(known, "/") == "/"
    assert route(known, "/any") == "/{id}"


_part = st.sampled_from(
    [*names(40), "servers", "detail", "v2.0", "{id}", "networks", "tags"]
)
_shapes = st.lists(_part, max_size=5).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(_shapes, max_size=120))
def test_the_same_requests_have_the_same_routes(shapes):
    """Whatever was asked: clean, bounded, and the same another time."""
    first = LearnedRoutes()
    second = LearnedRoutes()

    routes = [first.route_of(shape, True) for shape in shapes]

    assert [second.route_of(shape, True) for shape in shapes] == routes
    assert len(first) <= MAX_LEARNED
    for shape, name in zip(shapes, routes, strict=True):
        assert name is not None
        assert name.count("/") == shape.count("/")
        assert route(first, shape) is not None
        assert re.fullmatch(r"/[A-Za-z0-9._~{}/-]*", name)


@given(st.lists(_part, min_size=6, max_size=12), st.integers(0, 11))
def test_one_more_is_always_named(parts, at):
    """There is no set of paths that uses up all places."""
    known = LearnedRoutes()
    for first, second in itertools.product(names(25), names(25, "w")):
        known.route_of(f"/{first}/{second}", True)
    for count in range(len(parts)):
        known.route_of("/" + "/".join(parts[:count]), True)

    shape = "/" + "/".join([*parts[:at], "quite-new"])

    assert known.route_of(shape, True) is not None
    assert len(known) <= MAX_LEARNED


def test_deep_paths_of_known_words_are_bounded_too():
    """A client that knows the words cannot fill the room with them."""
    words = sorted(RESOURCE_WORDS)[:60]
    fours = itertools.permutations(words[:9], 4)
    known = learned(
        *map("/{}/{}/{}/{}".format, *zip(*fours, strict=True)),
        *(f"/{a}/{b}" for a in words for b in words),
    )

    assert len(known) <= MAX_LEARNED
    assert known.route_of("/quite-new", True) is not None


def test_threads_agree():
    """Eight threads learn the same values at once."""
    known = LearnedRoutes()
    found: list[str | None] = []

    def learn():
        for name in names(200):
            known.route_of(f"/traits/{name}", True)
        found.append(route(known, "/traits/new"))

    threads = [threading.Thread(target=learn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["/traits/{id}"] * 8
    assert len(known) == 1


def test_a_lesson_in_the_middle_of_another_waits_for_nothing(monkeypatch):
    """The garbage collector, a signal or a fork may bring one there."""
    known = learned("/v2.1/servers")
    place_to_merge = learned_routes._place_to_merge
    inside = ["/v2.1/images"]

    def interrupted(*tables):
        if inside:
            learned(inside.pop(), by=known)
        return place_to_merge(*tables)

    monkeypatch.setattr(learned_routes, "_place_to_merge", interrupted)
    learned("/v2.1/flavors", by=known)
    learned("/v2.1/images", by=known)

    for shape in ("/v2.1/servers", "/v2.1/flavors", "/v2.1/images"):
        assert route(known, shape) == shape
