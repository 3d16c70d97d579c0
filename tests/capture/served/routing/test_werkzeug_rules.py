# SPDX-License-Identifier: Apache-2.0
"""Routes of applications that have their rules in a map of werkzeug."""

from __future__ import annotations

import types

import pytest
from serving import PLAIN, Profiled, environ_of
from werkzeug.routing import Map, Rule

from nova_profiler.capture.served.nova_routes import Routes
from nova_profiler.capture.served.routing.table import routers_of
from nova_profiler.capture.served.routing.werkzeug_rules import router_of
from nova_profiler.routes import UNMATCHED

RULES = [
    Rule("/", methods=["GET"]),
    Rule("/v3", methods=["GET"]),
    Rule("/v3/users", methods=["GET", "POST"]),
    Rule("/v3/users/<string:user_id>", methods=["GET", "PATCH", "DELETE"]),
    Rule("/v3/users/<user_id>/projects/", methods=["GET"]),
    Rule("/v3/lang/<string(length=2):lang>", methods=["GET"]),
    Rule("/v3/rest/<path:rest>", methods=["GET"]),
    Rule("/v3/odd/<one>-<two>", methods=["GET"]),
]


class FlaskLike:
    """An application as Flask is: a map, and no request left behind."""

    def __init__(self) -> None:
        self.url_map = Map([rule.empty() for rule in RULES])

    def __call__(self, environ, start_response):
        environ["werkzeug.request"] = None
        start_response("404 NOT FOUND", PLAIN)
        return [b"{}"]


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/", "/"),
        ("GET", "/v3/users", "/v3/users"),
        ("GET", "/v3/users/admin", "/v3/users/{user_id}"),
        ("PATCH", "/v3/users/\xc3\xa9t\xc3\xa9", "/v3/users/{user_id}"),
        ("GET", "/v3/users/x/projects/", "/v3/users/{user_id}/projects"),
        ("GET", "/v3/lang/en", "/v3/lang/{lang}"),
        ("GET", "/v3/rest/a/b", "/v3/rest/*"),
        # A method that it does not take: 405, of this rule.
        ("PATCH", "/v3/users", "/v3/users"),
        ("DELETE", "/", "/"),
        # Answered by redirects.
        ("GET", "/v3/users/x/projects", "/v3/users/{user_id}/projects"),
        ("GET", "", "/"),
        ("GET", "/v3/nothing", None),
        # A rule of two variables in one part has no template.
        ("GET", "/v3/odd/1-2", None),
    ],
)
def test_a_route_is_the_rule_that_matches(method, path, template):
    """With names for values, and without converters."""
    router = router_of(FlaskLike(), "")

    found = router(environ_of(path, REQUEST_METHOD=method))

    assert found == template


def test_a_record_has_it_whatever_the_answer():
    """A user who does not exist is no value of a route."""
    app = FlaskLike()
    routes = Routes()
    routes.ask(routers_of(app))
    profiled = Profiled(app, routes=routes)

    profiled.get("/v3/users/nobody")
    profiled.get("/no/such/thing")

    assert [record.route for record in profiled.records] == [
        "/v3/users/{user_id}",
        UNMATCHED,
    ]
    assert profiled.failures.counts() == {}


def test_what_is_no_such_application_has_no_router():
    """Nor has one whose attribute is called like the map."""
    assert router_of(object(), "") is None
    assert router_of(types.SimpleNamespace(url_map="/tmp"), "") is None


def test_rules_are_read_at_the_first_request():
    """Some applications add theirs after the server has loaded them."""
    app = FlaskLike()
    router = router_of(app, "")
    app.url_map.add(Rule("/v3/late/<late_id>"))

    assert router(environ_of("/v3/late/5")) == "/v3/late/{late_id}"


def test_a_fault_of_the_map_costs_a_route_alone():
    """It is counted, and the response goes out."""
    app = FlaskLike()
    app.url_map.iter_rules = lambda: 5
    routes = Routes()
    routes.ask(routers_of(app))
    profiled = Profiled(app, routes=routes)

    answer = profiled.get("/v3/users")

    assert answer.status == "404 NOT FOUND"
    assert profiled.record.route == UNMATCHED
    assert profiled.failures.counts() == {"route": 1}
