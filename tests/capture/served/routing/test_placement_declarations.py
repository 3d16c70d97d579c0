# SPDX-License-Identifier: Apache-2.0
"""placement's routes, from the table that its handler is made of."""

from __future__ import annotations

import sys
import types

import pytest
from serving import environ_of

from nova_profiler.capture.served.nova_routes import MAX_ROUTERS, Routes
from nova_profiler.capture.served.routing.placement_declarations import (
    router_of,
)

PROVIDER = "2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"
# In placement's own forms: the root twice, and one form that is not known.
DECLARED: dict = {
    "/": {},
    "": {},
    "/resource_providers": {},
    "/resource_providers/{uuid}": {},
    "/resource_providers/{uuid}/inventories/{resource_class}": {},
    "/traits/{name}": {},
    "/odd/{uuid:[0-9a-f]+}": {},
    5: {},
}


@pytest.fixture
def handler(monkeypatch):
    """Return placement's module, loaded."""
    module = types.ModuleType("placement.handler")
    module.ROUTE_DECLARATIONS = DECLARED
    monkeypatch.setitem(sys.modules, "placement.handler", module)
    return module


def _environ(path: str, mount: str = "", **found: str) -> dict:
    """Return what placement's mapper leaves of a request."""
    return environ_of(
        path, SCRIPT_NAME=mount, **{"wsgiorg.routing_args": ((), found)}
    )


@pytest.mark.parametrize("mount", ["", "/placement"])
@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("", "/"),
        ("/resource_providers", "/resource_providers"),
        (f"/resource_providers/{PROVIDER}", "/resource_providers/{uuid}"),
        (
            f"/resource_providers/{PROVIDER}/inventories/CUSTOM_GOLD",
            "/resource_providers/{uuid}/inventories/{resource_class}",
        ),
        ("/traits/CUSTOM_GOLD", "/traits/{name}"),
    ],
)
def test_a_route_is_a_row_of_the_table(handler, mount, path, template):
    """The same wherever the service is mounted."""
    routes = Routes()
    routes.ask([router_of(object(), "")])

    environ = _environ(path, mount)

    assert routes.route_of(environ, mount + path, 404) == template


def test_a_row_of_a_form_that_is_not_known_is_learned(handler):
    """As routes of all other applications are."""
    routes = Routes()
    routes.ask([router_of(object(), "")])
    path = f"/odd/{PROVIDER}"

    assert routes.route_of(_environ(path), path, 200) == "/odd/{id}"


def test_in_another_application_only_what_the_mapper_found_has_a_row(handler):
    """It leaves its values in the environ, then."""
    router = router_of(object(), "")

    assert router(environ_of("/traits/CUSTOM_GOLD")) is None


def test_placement_itself_has_rows_for_what_was_refused(handler):
    """A token is looked at before the mapper is asked."""
    router = router_of(object(), "placement")

    assert router(environ_of("/traits/CUSTOM_GOLD")) == "/traits/{name}"
    assert router(environ_of("/no/such/thing")) is None


@pytest.mark.parametrize("declared", [None, {}])
def test_without_a_table_there_is_no_router(handler, declared):
    """Another release may have it elsewhere."""
    handler.ROUTE_DECLARATIONS = declared

    assert router_of(object(), "") is None


def test_without_placement_there_is_no_router(monkeypatch):
    """It is looked for, never imported."""
    monkeypatch.delitem(sys.modules, "placement.handler", raising=False)

    assert router_of(object(), "") is None
    assert "placement.handler" not in sys.modules


def test_each_router_is_asked_once(handler):
    """However often an application is loaded."""
    routes = Routes()

    for _ in range(3 * MAX_ROUTERS):
        routes.ask([router_of(object(), "")])
        routes.ask([lambda environ: None])

    assert len(routes._routers) == MAX_ROUTERS
