# SPDX-License-Identifier: Apache-2.0
"""Routes of messages: the object's method at a conductor, and few of all."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.call_names import MOST_NAMES
from nova_profiler.capture.served.kinds.messages.message_routes import (
    MessageRoutes,
    route_of_unknown,
)

CONDUCTOR = SimpleNamespace(topic="conductor")


class Instance:
    """An object as the registry has it."""

    def save(self):
        """Exist."""


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """Have the objects of a nova."""
    module = ModuleType("oslo_versionedobjects.base")
    module.VersionedObjectRegistry = SimpleNamespace(
        obj_classes=lambda: {"Instance": [Instance]}
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)


def by_class(name="Instance", method="save"):
    return {
        "method": "object_class_action_versions",
        "args": {"objname": name, "objmethod": method},
    }


def on_object(name="Instance", method="save"):
    return {
        "method": "object_action",
        "args": {
            "objinst": {"nova_object.name": name, "nova_object.data": {}},
            "objmethod": method,
        },
    }


def route_of(message, target=CONDUCTOR):
    return MessageRoutes().route_of(target, message)[0]


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ({"method": "build_instances"}, "rpc conductor build_instances"),
        (by_class(), "rpc conductor Instance.save"),
        (on_object(), "rpc conductor Instance.save"),
        (
            {
                "method": "object_backport_versions",
                "args": {"objinst": {"nova_object.name": "Instance"}},
            },
            "rpc conductor Instance.object_backport_versions",
        ),
        (by_class("Made.Up"), "rpc conductor other"),
        (by_class("Instance", "made_up"), "rpc conductor Instance.other"),
        (by_class(None, None), "rpc conductor other"),
        ({"method": "object_action", "args": None}, "rpc conductor other"),
        ({"method": "a b"}, "rpc conductor other"),
        ({"method": ""}, "rpc conductor other"),
        ({"method": None}, "rpc conductor other"),
        ({"method": ["list"]}, "rpc conductor other"),
        ({"method": "x" * 81}, "rpc conductor other"),
        ({"method": "x\n"}, "rpc conductor other"),
        ({"method": "\u0435"}, "rpc conductor other"),
        ({}, "rpc conductor other"),
    ],
)
def test_a_route_names_what_is_asked_for(message, route):
    """An object's method stands in the place of what carries it."""
    assert route_of(message) == route


def test_a_topic_has_no_ids():
    """Cells and hosts may have topics of their own."""
    name = "compute.2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"
    target = SimpleNamespace(topic=name)

    assert route_of({"method": "ping"}, target) == "rpc compute.{id} ping"
    assert route_of_unknown(target) == "rpc compute.{id} other"


def test_what_was_served_is_known_at_once():
    """No pattern is tried again."""
    routes = MessageRoutes()
    route, key = routes.route_of(CONDUCTOR, by_class())
    routes.learn(key, route)

    assert routes._routes == {key: "rpc conductor Instance.save"}
    assert routes.route_of(CONDUCTOR, by_class())[0] is route


def test_made_up_methods_take_no_place():
    """Only what was dispatched is learned."""
    routes = MessageRoutes()
    for number in range(10 * MOST_NAMES):
        routes.route_of(CONDUCTOR, {"method": f"made_up_{number}"})

    route, key = routes.route_of(CONDUCTOR, {"method": "ping"})
    routes.learn(key, route)

    assert routes.route_of(CONDUCTOR, {"method": "ping"})[0] == (
        "rpc conductor ping"
    )
    assert len(routes._routes) == 1


def test_routes_are_few_whatever_is_served():
    """An endpoint may answer to any name."""
    routes = MessageRoutes()
    seen = set()
    for number in range(3 * MOST_NAMES):
        message = {"method": f"method_{number}"}
        route, key = routes.route_of(CONDUCTOR, message)
        routes.learn(key, route)
        seen.add(route)

    assert len(seen) == MOST_NAMES + 1
    assert "rpc conductor other" in seen
    assert len(routes._routes) <= 2 * MOST_NAMES


def test_what_fails_has_few_routes_of_its_own():
    """An object has many attributes that are no methods of it."""
    routes = MessageRoutes()
    seen = [
        routes.learn_failed(f"rpc conductor Instance.made_up_{number}")
        for number in range(3 * MOST_NAMES)
    ]

    assert sum(seen) == len(routes._failed) == MOST_NAMES
    assert routes._names == set()
    # What is served has its place besides, and fails by its own name.
    route, key = routes.route_of(CONDUCTOR, by_class())
    assert not routes.learn_failed(route)
    assert routes.learn(key, route)
    assert routes.learn_failed(route)


def test_spellings_of_one_route_are_bounded():
    """Unknown methods of an object are one route, and many keys."""
    routes = MessageRoutes()
    for number in range(3 * MOST_NAMES):
        message = by_class("Instance", f"made_up_{number}")
        route, key = routes.route_of(CONDUCTOR, message)
        routes.learn(key, route)

    assert routes._names == {"rpc conductor Instance.other"}
    assert len(routes._routes) <= 2 * MOST_NAMES


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(
    st.sampled_from(
        ["object_action", "object_class_action_versions", "ping", "{"]
    )
    | _values,
    _values
    | st.fixed_dictionaries(
        {"objinst": _values, "objname": _values, "objmethod": _values}
    ),
)
def test_any_message_has_a_route_of_plain_words(method, args):
    """And a key that can be looked up."""
    routes = MessageRoutes()
    message = {"method": method, "args": args}
    route, key = routes.route_of(CONDUCTOR, message)
    routes.learn(key, route)

    assert route.startswith("rpc conductor ")
    assert route.isascii()
    assert route.isprintable()
    assert len(route) < 200
