# SPDX-License-Identifier: Apache-2.0
"""Requests to other services are timed once, by service, verb and route."""

from __future__ import annotations

import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import urllib3
from oslo_config import cfg
from serving import Profiled, added_up, calls_of, recorded, set_clock
from stub_service import REQUEST_ID, stub_service

from nova_profiler.capture.hooks import late_patches
from nova_profiler.capture.hooks.http import request_names, sent_requests

# Its releases of today need Python 3.11.
pytest.importorskip("keystoneauth1")

from keystoneauth1 import adapter, discover, exceptions, session
from keystoneauth1.identity import v3

UUID = "2b7a1b9e-6f7d-4d3c-8f27-0d3b7c8a91e4"
PORTS = "network GET /v2.0/ports"
CANARY = "canary-5e1c"


@pytest.fixture(autouse=True)
def hook(monkeypatch):
    """Install it, with no name in use yet."""
    monkeypatch.setattr(request_names, "_keys", {})
    monkeypatch.setattr(request_names, "_hosts", set())
    monkeypatch.setattr(request_names, "_of_words", {})
    monkeypatch.setattr(request_names, "_services", set())
    undo = sent_requests.install()
    yield
    undo()


@pytest.fixture
def service():
    with stub_service() as service:
        yield service


@pytest.fixture
def keystone():
    with stub_service() as keystone:
        keystone.is_keystone()
        yield keystone


def client_of(service, **more):
    """Return a client of neutron, as nova has one: with an endpoint set."""
    return adapter.Adapter(
        session.Session(),
        service_type="network",
        endpoint_override=service.url,
        **more,
    )


def dumped(work):
    return recorded(work, dump_dir="x", dump_when=("all",))


def counts_of(record, group="http"):
    return {
        name: call.count - call.nested
        for name, call in calls_of(record, group).items()
    }


def test_a_keystoneauth_request_is_one_call_of_its_service(service):
    """Though it goes through requests and urllib3."""
    client = client_of(service)

    def work():
        for _ in range(2):
            client.get(f"/v2.0/ports?device_id={CANARY}")
        client.delete(f"/v2.0/ports/{UUID}")

    record = dumped(work)

    assert counts_of(record) == {
        PORTS: 2,
        "network DELETE /v2.0/ports/{id}": 1,
    }
    assert record.groups["http"].calls == 3
    assert record.breakdown_ms["http"] == pytest.approx(
        record.groups["http"].ms
    )
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)
    assert [entry.name for entry in record.timeline][:2] == [PORTS, PORTS]


def test_the_other_services_id_is_in_the_timeline(service):
    """With it, its record is found."""
    record = dumped(lambda: client_of(service).get("/v2.0/ports"))

    assert [one.request_id for one in record.timeline] == [REQUEST_ID]
    written = record.to_dict()["timeline"]
    assert written[0]["request_id"] == REQUEST_ID


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-openstack-request-id": CANARY},
        {"x-openstack-request-id": f"{REQUEST_ID} {CANARY}"},
        {"x-openstack-request-id": "req-" + "0" * 36},
    ],
)
def test_only_a_valid_id_is_kept(service, headers):
    service.answers["GET /v2.0/ports"] = 200, headers, b"{}"

    record = dumped(lambda: client_of(service).get("/v2.0/ports"))

    assert [one.request_id for one in record.timeline] == [None]
    assert CANARY not in json.dumps(record.to_dict())


def test_the_older_header_of_nova_is_known(service):
    headers = {"x-compute-request-id": REQUEST_ID}
    service.answers["GET /v2.0/ports"] = 200, headers, b"{}"

    record = dumped(lambda: client_of(service).get("/v2.0/ports"))

    assert [one.request_id for one in record.timeline] == [REQUEST_ID]


def test_a_redirect_is_a_request_of_its_own(service):
    """keystoneauth follows it: both were on the wire."""
    there = {"location": f"{service.url}/v2.0/networks"}
    service.answers["GET /v2.0/ports"] = 302, there, b""

    record = recorded(lambda: client_of(service).get("/v2.0/ports"))

    assert len(service.asked) == 2
    assert counts_of(record) == {PORTS: 1, "network GET /v2.0/networks": 1}
    assert record.groups["http"].calls == 2


def test_a_lost_connection_is_a_failure_of_its_class():
    """What the caller gets is what it got before."""
    client = adapter.Adapter(
        session.Session(),
        service_type="network",
        endpoint_override="http://127.0.0.1:9",
    )

    def work():
        with pytest.raises(exceptions.ConnectFailure):
            client.get("/v2.0/ports")

    record = dumped(work)

    assert calls_of(record, "http")[PORTS].errors == 1
    assert record.timeline[-1].error == "ConnectionError"


def test_a_token_and_discovery_are_identitys(keystone):
    """Each in its place, though the request for ports waits for both."""
    auth = v3.Password(
        f"{keystone.url}/v3",
        username="nova",
        password=CANARY,
        project_name="service",
        user_domain_id="default",
        project_domain_id="default",
    )
    ports = {"ports": []}
    keystone.answers["GET /v2.0/ports"] = 200, {}, json.dumps(ports).encode()
    client = adapter.Adapter(
        session.Session(auth=auth), service_type="network", interface="public"
    )

    record = dumped(lambda: client.get("/v2.0/ports"))

    assert counts_of(record) == {PORTS: 1}
    assert counts_of(record, "identity")["POST /v3/auth/tokens"] == 1
    assert record.groups["identity"].calls == len(keystone.asked) - 1
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)
    assert CANARY not in json.dumps(record.to_dict())


def test_discovery_on_its_own_is_identitys(keystone):
    record = recorded(
        lambda: discover.get_version_data(session.Session(), keystone.url)
    )

    assert counts_of(record, "identity") == {"GET /": 1}
    assert "http" not in record.groups


def test_the_check_of_a_token_is_identitys(keystone):
    """The whole of it, and inside it what went to the identity service."""
    auth_token = pytest.importorskip("keystonemiddleware.auth_token")
    late_patches.look_again()
    conf = cfg.ConfigOpts()
    conf([])
    checked = []

    def app(environ, start_response):
        checked.append(environ["HTTP_X_USER_ID"])
        start_response("200 OK", [])
        return [b""]

    options = {
        "oslo_config_config": conf,
        "auth_type": "password",
        "auth_url": f"{keystone.url}/v3",
        "username": "nova",
        "password": CANARY,
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    filtered = auth_token.AuthProtocol(app, options)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "HTTP_X_AUTH_TOKEN": CANARY,
    }

    record = dumped(lambda: list(filtered(environ, lambda *args: None)))

    assert len(checked) == 1
    calls = calls_of(record, "identity")
    assert calls["fetch_token"].count == 1
    assert calls["GET /v3/auth/tokens"].nested == 1
    assert record.groups["identity"].calls >= 1
    assert "http" not in record.groups
    assert CANARY not in json.dumps(record.to_dict())


def test_a_plain_request_has_its_host_for_a_service(service):
    """Of requests, once, its redirects inside; and of urllib3."""
    there = {"location": f"{service.url}/v1/nodes"}
    service.answers["GET /v1/drivers"] = 302, there, b""
    pool = urllib3.PoolManager()

    def work():
        requests.get(f"{service.url}/v1/drivers?x={CANARY}", timeout=9)
        pool.request("GET", f"{service.url}/v1/{CANARY}/states")

    record = dumped(work)
    pool.clear()

    assert counts_of(record) == {
        "127.0.0.1 GET /v1/drivers": 1,
        "127.0.0.1 GET /v1/{id}/states": 1,
    }
    assert {one.request_id for one in record.timeline} == {REQUEST_ID}
    assert CANARY not in json.dumps(record.to_dict())


def test_a_session_without_a_service_has_its_host(service):
    """Some client that asks for a URL with keystoneauth."""
    record = recorded(lambda: session.Session().get(f"{service.url}/v1/nodes"))

    assert counts_of(record) == {"127.0.0.1 GET /v1/nodes": 1}


def test_names_are_bounded(service):
    """Whatever services, hosts, verbs and paths there are."""
    key_of = request_names.key_of

    names = {key_of("", "GET", f"http://h{n}/v1").name for n in range(10_000)}
    assert len(names) == request_names.MOST_HOSTS + 1
    assert "other GET /v1" in names

    names = {key_of(f"s{n}", "GET", "http://h/v1").name for n in range(10_000)}
    names |= {key_of("s", f"V{n}", "http://h/v1").name for n in range(10_000)}
    assert len(names) <= request_names.MOST_NAMES + 1
    assert key_of("new", "GET", "http://h/v1").name == "other"
    assert key_of("identity", "PUT", "http://h/v1").group == "identity"


def test_only_urls_of_known_words_are_remembered(service):
    """So that no user, id, fragment or query stays; and not many of them."""
    key_of = request_names.key_of
    for url in (
        "http://h/v2.0/ports?device_id={0}",
        "http://h/v2.0/ports/{0}",
        "http://h/v2.0/ports#{0}/v2.0/ports",
        "http://h/{0}/v2.0/ports",
        "http://user:{0}@h/v2.0/ports",
        "{0}://h/v2.0/ports",
        "//h/v2.0/ports.json?{0}",
    ):
        for _ in range(2):
            found = key_of("network", "GET", url.format(CANARY))
            assert CANARY not in found.name
    assert list(request_names._of_words) == [
        ("network", "GET", "http://h/v2.0/ports")
    ]

    for number in range(10_000):
        key_of("network", "GET", f"http://h{number}/v2.0/ports")
    assert len(request_names._of_words) == request_names.MOST_NAMES


@pytest.mark.parametrize(
    ("service", "method", "url"),
    [
        ("", None, "http://h/"),
        ("", "GET", None),
        ("", b"GET", b"http://h/"),
        ("", "GET", 7),
    ],
)
def test_what_is_no_request_has_a_name_all_the_same(service, method, url):
    """The library decides what to answer."""
    assert request_names.key_of(service, method, url).name == "other"


def test_an_agent_that_sends_in_its_own_way_is_timed_below(service):
    """By requests, and still by the name of the service."""

    class OwnSession(session.Session):
        def _send_request(self, url, method, *args, **kwargs):
            return requests.request(method, url, timeout=9)

    client = client_of(service)
    client.session = OwnSession()

    record = recorded(lambda: client.get("/v2.0/ports"))

    assert counts_of(record) == {PORTS: 1}


def test_requests_at_once_have_their_own_calls_alone(service):
    """Each asks a service of a name of its own."""

    def app(environ, start_response):
        number = environ["PATH_INFO"][1:]
        client = client_of(service)
        client.service_type = f"service{number}"
        for _ in range(3):
            client.get("/v2.0/ports")
        start_response("200 OK", [])
        return [b""]

    profiled = Profiled(app)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(profiled.get, [f"/{number}" for number in range(40)]))

    assert {
        (record.path, *counts_of(record).items())
        for record in profiled.records
    } == {
        (f"/{number}", (f"service{number} GET /v2.0/ports", 3))
        for number in range(40)
    }


def test_outside_a_request_nothing_is_kept(service):
    response = client_of(service).get("/v2.0/ports")

    assert response.status_code == 200
    assert request_names._keys == {}


def test_what_is_sent_after_the_request_is_in_no_record(service):
    from nova_profiler.capture.current import current_lane, lane_var

    lanes = []
    record = recorded(lambda: lanes.append(current_lane()))
    token = lane_var.set(lanes[0])
    try:
        client_of(service).get("/v2.0/ports")
    finally:
        lane_var.reset(token)

    assert record.calls == []


def test_all_of_it_is_in_the_libraries_here(caplog):
    """By name and signature."""
    caplog.set_level(logging.WARNING, "nova_profiler")

    assert late_patches.missing_points() == []
    assert caplog.messages == []
    assert "requests.sessions" in sys.modules


class Clock:
    """Time goes on only where a test lets it."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        set_clock(monkeypatch, lambda: self.now)

    def spending(self, monkeypatch, owner, name, before, after):
        """Let *owner*'s method take time before and after its own work."""
        method = getattr(owner, name)

        def slow(*args, **kwargs):
            self.now += before
            try:
                return method(*args, **kwargs)
            finally:
                self.now += after

        monkeypatch.setattr(owner, name, slow)


@pytest.mark.parametrize(
    ("body_s", "ms"), [(0.0, 20.0), (0.0004, 20.0), (0.5, 520.3)]
)
def test_what_requests_does_round_it_is_python(
    body_s, ms, service, monkeypatch
):
    """From urllib3's first byte to its last; a body that takes long, too."""
    clock = Clock(monkeypatch)
    clock.spending(
        monkeypatch, urllib3.HTTPConnectionPool, "_make_request", 0.02, 0.0003
    )
    clock.spending(
        monkeypatch, requests.adapters.HTTPAdapter, "send", 0.003, 0.0
    )
    clock.spending(
        monkeypatch,
        requests.adapters.HTTPAdapter,
        "build_response",
        body_s,
        0.0,
    )

    record = recorded(lambda: client_of(service).get("/v2.0/ports"))

    assert record.groups["http"].ms == pytest.approx(ms)
    assert record.breakdown_ms["http"] == pytest.approx(ms)
    assert added_up(record) == pytest.approx(record.duration_ms)


def test_a_retry_of_urllib3_is_part_of_the_request(service, monkeypatch):
    """Its first try is not forgotten, and neither is the pause."""
    clock = Clock(monkeypatch)
    tries = []
    make = urllib3.HTTPConnectionPool._make_request

    def flaky(*args, **kwargs):
        clock.now += 1.0
        tries.append(1)
        if len(tries) == 1:
            raise urllib3.exceptions.ProtocolError("gone")
        return make(*args, **kwargs)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "_make_request", flaky)
    client = requests.Session()
    client.mount("http://", requests.adapters.HTTPAdapter(max_retries=1))

    record = recorded(lambda: client.get(f"{service.url}/v2.0/ports"))

    assert len(tries) == 2
    assert record.groups["http"].ms == pytest.approx(2000)


def test_another_adapter_is_timed_whole(service, monkeypatch):
    """Without urllib3 the call of requests is all that is known."""
    clock = Clock(monkeypatch)

    class Adapter(requests.adapters.BaseAdapter):
        def send(self, request, **kwargs):
            clock.now += 0.25
            response = requests.Response()
            response.status_code, response.request = 204, request
            response._content = b""
            return response

    client = requests.Session()
    client.mount("http://", Adapter())

    record = recorded(lambda: client.get(f"{service.url}/v2.0/ports"))

    assert record.groups["http"].ms == pytest.approx(250)
