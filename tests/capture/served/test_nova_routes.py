# SPDX-License-Identifier: Apache-2.0
"""Routes: nova's own where it decided, and a set that nobody can blow up."""

from __future__ import annotations

import io
import re

import pytest
import routes
from hypothesis import given
from hypothesis import strategies as st
from routes.route import Route

from nova_profiler.capture.served.nova_routes import (
    MAX_ROUTES,
    Routes,
    action_of,
    template_of,
)
from nova_profiler.capture.served.routing.learned_routes import MAX_LEARNED
from nova_profiler.capture.settings.route_files import RouteTable
from nova_profiler.routes import UNMATCHED, metric_name

SERVER = "2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"
PROJECT = "6f70656e737461636b20342065766572"
# As nova writes them, and what becomes of them.
TEMPLATES = {
    "/": "/",
    "/servers": "/servers",
    "/servers/detail": "/servers/detail",
    "/servers/{id}": "/servers/{id}",
    "/servers/{id}/action": "/servers/{id}/action",
    "/servers/{server_id}/os-interface/{id}": (
        "/servers/{server_id}/os-interface/{id}"
    ),
    "/os-quota-sets/{id:[0-9a-f]+}": "/os-quota-sets/{id}",
    "/images/:image_id/metadata/:(id)": "/images/{image_id}/metadata/{id}",
}


def _mapper() -> routes.Mapper:
    """Return a mapper with each route twice, as nova's ProjectMapper."""
    mapper = routes.Mapper()
    mapper.redirect("", "/")
    for path in TEMPLATES:
        for prefix in ("/{project_id:[0-9a-f-]+}", ""):
            mapper.connect(
                prefix + path,
                controller="c",
                action="a",
                requirements={"format": "json|xml"},
            )
    mapper.resource("flavor", "flavors", path_prefix="{project_id:[0-9]+}/")
    mapper.resource(
        "tag",
        "tags",
        path_prefix="servers/:server_id",
        parent_resource={"member_name": "server", "collection_name": "s"},
    )
    return mapper


def _ask(path: str, prefix: str = "/v2.1", method: str = "GET") -> dict:
    """Return the environ of a request after nova's router has seen it."""
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": prefix,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "nova",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }
    found = _mapper().routematch(path, environ)
    # What the middleware of Routes leaves behind.
    environ["routes.route"] = found[1] if found else None
    return environ


def _route(environ: dict, status: int = 200, known: Routes | None = None):
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return (known or Routes()).route_of(environ, path, status)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/v2.1/"),
        ("/servers", "/v2.1/servers"),
        ("/servers/detail", "/v2.1/servers/detail"),
        (f"/servers/{SERVER}", "/v2.1/servers/{id}"),
        (f"/servers/{SERVER}/action", "/v2.1/servers/{id}/action"),
        (f"/servers/{SERVER}.json", "/v2.1/servers/{id}"),
        ("/os-quota-sets/abc", "/v2.1/os-quota-sets/{id}"),
        ("/images/5/metadata/6", "/v2.1/images/{image_id}/metadata/{id}"),
        (
            f"/servers/{SERVER}/os-interface/9",
            "/v2.1/servers/{server_id}/os-interface/{id}",
        ),
        ("/7/flavors/5", "/v2.1/flavors/{id}"),
        ("/7/flavors/5/edit", "/v2.1/flavors/{id}/edit"),
        (f"/servers/{SERVER}/tags", "/v2.1/servers/{server_id}/tags"),
        (f"/servers/{SERVER}/tags/x", "/v2.1/servers/{server_id}/tags/{id}"),
    ],
)
def test_a_route_is_that_of_the_router(path, route):
    """No ids, no regular expressions; whatever the answer was."""
    environ = _ask(path)

    assert environ["routes.route"] is not None
    assert _route(environ, 404) == route


@pytest.mark.parametrize("project", ["1", PROJECT, SERVER])
def test_a_project_in_the_path_is_left_out(project):
    """The same call, written the old way."""
    with_project = _route(_ask(f"/{project}/servers/{SERVER}"))

    assert with_project == _route(_ask(f"/servers/{SERVER}"))


@pytest.mark.parametrize(
    ("prefix", "route"),
    [
        ("/v2.1", "/v2.1/servers"),
        ("/v2", "/v2/servers"),
        ("/compute/v2.1", "/v2.1/servers"),
        ("/a/b/c/d/e/f/v2.1", "/v2.1/servers"),
        ("", "/servers"),
        ("/compute", "/compute/servers"),
        ("/comp\r\nute", "/servers"),
        ("/" + "x" * 99, "/servers"),
    ],
)
def test_a_mount_point_does_not_matter(prefix, route):
    """The version is kept, wherever the API is mounted."""
    assert _route(_ask("/servers", prefix)) == route


def test_what_no_application_knows_is_unmatched():
    """Nothing behind the router answered."""
    environ = _ask("/nothing/here/of/this/kind")

    assert environ["routes.route"] is None
    assert _route(environ, 404) == UNMATCHED


def test_what_answers_behind_a_router_that_gave_up_is_learned():
    """neutron's extensions are a router; its own resources come behind it."""
    known = Routes()
    environ = _ask(f"/ports/{SERVER}.json", "/v2.0")

    assert environ["routes.route"] is None
    assert _route(environ, 200, known) == "/v2.0/ports/{id}"
    assert _route(_ask(f"/ports/{SERVER}", "/v2.0"), 404, known) == (
        "/v2.0/ports/{id}"
    )
    assert _route(_ask("/nosuch", "/v2.0"), 404, known) == UNMATCHED


def test_a_router_that_mounts_another_application_has_no_say():
    """Else all that is mounted would be one route."""
    route = Route(None, "/identity/{path_info:.*}")
    environ = {
        "routes.route": route,
        "wsgiorg.routing_args": ((), {"path_info": "projects"}),
    }

    assert Routes().route_of(environ, "/identity/projects", 200) == (
        "/identity/projects"
    )


def test_cors_teaches_no_route():
    """oslo.middleware answers OPTIONS with 200 for any path."""
    known = Routes()

    asked = {"REQUEST_METHOD": "OPTIONS", "routes.route": None}
    assert known.route_of(asked, "/scanned", 200) == UNMATCHED
    assert known.route_of({}, "/servers", 200) == "/servers"
    assert known.route_of(asked, "/servers", 200) == "/servers"


@pytest.mark.parametrize(
    ("path", "arguments", "route"),
    [
        ("/traits/CUSTOM_A", {"name": "CUSTOM_A"}, "/traits/{id}"),
        ("/traits/traits", {"name": "traits"}, "/traits/{id}"),
        (
            f"/resource_providers/{SERVER}/inventories/VCPU",
            {"uuid": SERVER, "resource_class": "VCPU"},
            "/resource_providers/{id}/inventories/{id}",
        ),
        ("/traits", {"controller": "traits", "action": "index"}, "/traits"),
        ("/traits", {"n": 5, "m": None}, "/traits"),
        ("/traits", None, "/traits"),
    ],
)
def test_a_value_that_a_router_found_is_no_part_of_a_route(
    path, arguments, route
):
    """placement's router leaves its values behind, and no template."""
    environ = {"wsgiorg.routing_args": ((), arguments)}

    assert Routes().route_of(environ, path, 200) == route


def test_the_operators_routes_go_before_what_is_learned():
    """Whatever the answer was; what the table lacks is learned."""
    table = RouteTable()
    table.add("/v1/{account}/{container}/*", 1)
    known = Routes(lambda: table)

    assert known.route_of({}, "/v1/a/b/c/d", 404) == (
        "/v1/{account}/{container}/*"
    )
    assert known.route_of({}, "/info", 200) == "/info"


def test_a_redirect_has_a_route():
    """nova sends "" on to "/"."""
    assert _route(_ask(""), 302) == "/v2.1/"


def test_templates_are_built_from_parsed_parts():
    """Both ways of writing a name, with and without an expression."""
    made = {path: template_of(Route(None, path)) for path in TEMPLATES}

    assert made == TEMPLATES


def test_a_route_is_worked_out_once_per_object():
    """Two routers may have equal paths and different routes."""
    known = Routes()
    environ = _ask("/servers")

    first = _route(environ, known=known)

    assert _route(environ, known=known) is first


def test_the_routes_of_an_application_are_capped():
    """A router that makes a route for each request cannot fill memory."""
    known = Routes()

    names = {
        known.route_of({"routes.route": Route(None, f"/x/{n}")}, "/", 200)
        for n in range(MAX_ROUTES + 50)
    }

    assert len(names) == MAX_ROUTES + 1
    assert UNMATCHED in names


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/latest/meta-data/", "/latest/meta-data/*"),
        ("/latest/meta-data/public-keys/0/k", "/latest/meta-data/*"),
        ("/2009-04-04/user-data", "/2009-04-04/user-data"),
        ("/openstack/latest/meta_data.json", "/openstack/latest/*"),
        ("/openstack/2018-08-27", "/openstack/2018-08-27/*"),
        ("/openstack/2999-01-01/x", UNMATCHED),
        ("/latest/meta-data-x", UNMATCHED),
    ],
)
def test_the_metadata_api_has_a_set_of_its_own(path, route):
    """It has no router; whatever a guest asks for, the set is fixed."""
    assert Routes().route_of({}, path, 404) == route


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("", "/"),
        ("/v2.1/", "/v2.1"),
        (f"/v2.1/things/{SERVER}/x", "/v2.1/things/{id}/x"),
        (f"/things/{PROJECT}", "/things/{id}"),
        ("/things/12", "/things/{id}"),
        ("/things/abcdef0123456789xyz", "/things/{id}"),
        ("/" + "long" * 20, "/{id}"),
    ],
)
def test_other_applications_teach_their_routes(path, route):
    """What names one of many becomes {id}."""
    assert Routes().route_of({}, path, 200) == route


def test_only_an_answer_teaches():
    """A scanner gets errors; what is known is known for errors, too."""
    known = Routes()

    seen = [
        known.route_of({}, "/wp-login", status)
        for status in (404, 500, 200, 404)
    ]

    assert seen == [UNMATCHED, UNMATCHED, "/wp-login", "/wp-login"]


_hostile = st.text(
    st.characters(codec="latin-1") | st.sampled_from("/%{}.'\"\r\n\0"),
    max_size=600,
) | st.builds("/".join, st.lists(st.text(max_size=20), max_size=20))


@given(st.lists(st.tuples(_hostile, st.sampled_from([200, 404])), max_size=30))
def test_no_path_makes_a_name_that_is_not_clean(asked):
    """Whatever is asked for: few names, short and of plain letters."""
    known = Routes()

    names = {known.route_of({}, path, status) for path, status in asked}

    assert len(names) <= MAX_LEARNED + 1
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9._~{}*/-]{1,512}", name), name
        assert re.fullmatch(r"[A-Za-z0-9_-]+", metric_name(name))


_shared = Routes()


@given(_hostile)
def test_the_set_never_grows_beyond_its_cap(path):
    """Over all examples together."""
    _shared.route_of({}, "/" + path, 200)

    assert len(_shared._learned) <= MAX_LEARNED


class _Controller:
    wsgi_actions = {"reboot": "_reboot", "os-start": "_start"}


def _body(body: bytes, known: bool = True, **environ: object) -> dict:
    if known:
        controller = {"controller": _Controller()}
        environ["wsgiorg.routing_args"] = ((), controller)
    stream = io.BytesIO(body)
    stream.read()
    return {"wsgi.input": stream, **environ}


@pytest.mark.parametrize(
    ("body", "action"),
    [
        (b'{"reboot": {"type": "HARD"}}', "reboot"),
        (b' \n{ "os-start" : null}', "os-start"),
        (b'{"nosuch": null}', None),
        (b'{"__class__": null}', None),
        (b'{"rebo\\u006ft": null}', None),
        (b'{"a\nb": null}', None),
        (b"[1]", None),
        (b"{", None),
        (b"", None),
        (b"\xff\xfe\x00", None),
        (b'{"' + b"x" * 65 + b'": 1}', None),
    ],
)
def test_an_action_is_one_that_the_controller_knows(body, action):
    """The first key of the body, if it is valid; even if it failed."""
    assert action_of(_body(body), 409) == action


def test_without_a_controller_success_makes_it_valid():
    """What was not refused, and looks like a name."""
    body = b'{"rescue": null}'

    assert action_of(_body(body, known=False), 202) == "rescue"
    assert action_of(_body(body, known=False), 400) is None


@pytest.mark.parametrize("arguments", [None, (), ((), None), ((), {}), 5])
def test_odd_routing_arguments_are_no_controller(arguments):
    """Another application may put anything there."""
    environ = _body(b'{"a": 1}', False, **{"wsgiorg.routing_args": arguments})

    assert action_of(environ, 200) == "a"


def test_the_body_stays_where_it_is():
    """Somebody may read on."""
    environ = _body(b'{"reboot": null}')
    environ["wsgi.input"].seek(3)

    action_of(environ, 202)

    assert environ["wsgi.input"].tell() == 3


class _Socket:
    """A body that can be read once, as a server hands it over."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("would wait for the client")


class _Closed(io.BytesIO):
    def tell(self) -> int:
        raise ValueError("I/O operation on closed file")


@pytest.mark.parametrize("body", [_Socket(), _Closed(), None, 7])
def test_a_body_that_is_not_in_memory_has_no_action(body):
    """It is never read from the client."""
    assert action_of({"wsgi.input": body}, 202) is None


@given(st.binary(max_size=300), st.booleans(), st.sampled_from([200, 400]))
def test_no_body_makes_an_action_that_is_not_clean(body, known, status):
    """A name, or nothing."""
    action = action_of(_body(body, known), status)

    assert action is None or re.fullmatch(r"[A-Za-z][\w-]{0,63}", action)


@pytest.mark.parametrize("path", ["/a" * 13, "/" + "a/b" * 200, "/ä", "/a b"])
def test_a_path_that_is_no_route_is_unmatched(path):
    """Too many parts, too long, odd characters; even if it is there."""
    assert Routes().route_of({}, path, 200) == UNMATCHED
