# SPDX-License-Identifier: Apache-2.0
"""Who asked, and under which id, in services that are not nova."""

from __future__ import annotations

import gc
import json
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oslo_context import context as oslo_context
from serving import PLAIN, Answer, Profiled, environ_of

from nova_profiler.record import RequestRecord

REQUEST_ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"
IDENTITY = {
    "HTTP_X_USER_ID": "u1",
    "HTTP_X_PROJECT_ID": "p1",
    "HTTP_X_USER_NAME": "demo",
    "HTTP_X_PROJECT_NAME": "demo project",
    "HTTP_X_USER_DOMAIN_ID": "default",
    "HTTP_X_PROJECT_DOMAIN_ID": "other",
}
FIELDS = {
    "user_id": "u1",
    "project_id": "p1",
    "user_name": "demo",
    "project_name": "demo project",
    "user_domain_id": "default",
    "project_domain_id": "other",
    "domain_id": None,
}
FORGED = {name: f"forged {name}" for name in (*IDENTITY, "HTTP_X_DOMAIN_ID")}
NOBODY = dict.fromkeys(FIELDS)


@pytest.fixture(autouse=True)
def no_context():
    """Leave no oslo.context in this thread."""
    yield
    if hasattr(oslo_context._request_store, "context"):
        del oslo_context._request_store.context


def fresh(text: str) -> str:
    """Return *text* as a new object, as a server decodes a header."""
    return text.encode().decode()


def authtoken(environ, mark=True, status="Confirmed", **identity):
    """Do as keystonemiddleware: remove what came, set what is so."""
    for name in FORGED:
        environ.pop(name, None)
    environ["HTTP_X_IDENTITY_STATUS"] = fresh(status)
    environ.update(identity)
    if mark:
        environ["keystone.token_auth"] = object()


def asked(look, headers=(), **sent) -> RequestRecord:
    """Return the record of a request in which *look* gets the environ."""

    def app(environ, start_response):
        look(environ)
        start_response("200 OK", [*PLAIN, *headers])
        return [b"ok"]

    profiled = Profiled(app)
    profiled.get(**{name: fresh(text) for name, text in sent.items()})
    assert profiled.failures.counts() == {}
    return profiled.record


def who(record: RequestRecord) -> dict[str, str | None]:
    """Return the fields of *record* that name who asked."""
    return {name: getattr(record, name) for name in FIELDS}


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("sent", [{}, FORGED])
def test_who_asked_is_what_an_authtoken_wrote(mark, sent):
    """Whatever the client had sent under the same names."""
    record = asked(lambda e: authtoken(e, mark, **IDENTITY), **sent)

    assert who(record) == FIELDS


@pytest.mark.parametrize("status", [None, "Confirmed", "Invalid"])
def test_headers_that_no_authtoken_looked_at_are_not_believed(status):
    """A pipeline without one hands them on as they came."""
    sent = dict(FORGED)
    if status:
        sent["HTTP_X_IDENTITY_STATUS"] = status

    assert who(asked(lambda e: None, **sent)) == NOBODY


@pytest.mark.parametrize("status", ["Invalid", "", "confirmed"])
def test_a_token_that_is_not_valid_names_no_user(status):
    """An authtoken that leaves the decision to the application."""
    sent = {"HTTP_X_IDENTITY_STATUS": "Confirmed", **FORGED}

    record = asked(lambda e: authtoken(e, status=status), **sent)

    assert who(record) == NOBODY


def test_what_a_weaker_authtoken_left_standing_is_not_believed():
    """Field by field: the client's own text is the client's."""

    def look(environ):
        environ["HTTP_X_IDENTITY_STATUS"] = "Confirmed"
        environ["HTTP_X_USER_ID"] = "u1"

    assert who(asked(look, **FORGED)) == {**NOBODY, "user_id": "u1"}


def test_an_authtoken_in_front_of_the_filter_is_believed():
    """Its mark cannot come from a client."""

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        return [b"ok"]

    profiled = Profiled(app)
    environ: dict = {}
    authtoken(environ, **IDENTITY)
    profiled.get(**environ)

    assert who(profiled.record) == FIELDS


def test_keystone_knows_by_itself_who_asked():
    """It has no keystonemiddleware, and a context of its own."""

    def look(environ):
        environ["keystone.oslo_request_context"] = oslo_context.RequestContext(
            user_id="u1", domain_id="d1", auth_token="gAAAAsecret"
        )

    record = asked(look, **FORGED)

    assert who(record) == {**NOBODY, "user_id": "u1", "domain_id": "d1"}
    assert "gAAAA" not in json.dumps(record.to_dict())


def test_what_a_context_repeats_is_not_believed():
    """glance's is made of the headers, looked at or not."""

    def look(environ):
        environ["webob.adhoc_attrs"] = {
            "context": oslo_context.RequestContext.from_environ(environ)
        }

    record = asked(look, HTTP_X_IDENTITY_STATUS="Confirmed", **FORGED)

    assert who(record) == NOBODY
    assert record.request_id is not None


@pytest.mark.parametrize(
    "key", ["cinder.context", "keystone.oslo_request_context"]
)
def test_the_id_is_that_of_the_context_in_the_environ(key):
    """It belongs to this very request."""

    def look(environ):
        environ[key] = oslo_context.RequestContext(request_id=REQUEST_ID)

    header = [("x-openstack-request-id", "req-other")]
    assert asked(look, header).request_id == REQUEST_ID


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("X-Openstack-Request-Id", REQUEST_ID)], REQUEST_ID),
        ([("x-compute-request-id", REQUEST_ID)], REQUEST_ID),
        ([("OpenStack-Request-ID", REQUEST_ID)], REQUEST_ID),
        (
            [
                ("x-compute-request-id", "req-other"),
                ("x-openstack-request-id", REQUEST_ID),
            ],
            REQUEST_ID,
        ),
        ([("x-openstack-request-id", "../../x")], None),
        ([("x-openstack-request-id", "")], None),
        ([("x-request-id", REQUEST_ID)], None),
        ([], None),
    ],
)
def test_else_the_id_is_that_of_the_response(headers, found):
    """As the client got it, if it looks like one."""
    assert asked(lambda e: None, headers).request_id == found


def test_the_environs_own_id_goes_first():
    """As oslo.middleware made it."""

    def look(environ):
        environ["openstack.request_id"] = REQUEST_ID

    header = [("x-openstack-request-id", "req-other")]
    assert asked(look, header).request_id == REQUEST_ID


@pytest.mark.parametrize("headers", [None, 5, [1], ["ab", ()], [(1, 2)]])
def test_headers_that_are_none_have_no_id(headers):
    """The server has its own answer to them."""

    def app(environ, start_response):
        start_response("200 OK", headers)
        return [b"ok"]

    profiled = Profiled(app)
    profiled.get()

    assert profiled.record.request_id is None
    assert profiled.failures.counts() == {}


def test_the_id_may_be_in_oslo_context_alone():
    """Not that which an earlier request left in the thread."""
    made: list[str] = []

    def app(environ, start_response):
        if environ["PATH_INFO"] != "/none":
            made.append(oslo_context.RequestContext().request_id)
        start_response("200 OK", PLAIN)
        return [b"ok"]

    oslo_context.RequestContext()
    profiled = Profiled(app)
    for path in ("/none", "/a", "/none", "/b", "/none"):
        profiled.get(path)

    ids = [record.request_id for record in profiled.records]
    assert ids == [None, made[0], None, made[1], None]


_NO_IDS = ["context", "none"]


@given(st.lists(st.sampled_from([*_NO_IDS, "environ", "response"])))
@example(["response", "none"])
@example(["environ", "none"])
def test_no_request_has_the_id_of_another(kinds):
    """Whatever kinds of requests a thread has one after the other."""
    made: list[str | None] = []

    def app(environ, start_response):
        kind = environ["PATH_INFO"][1:]
        headers = [*PLAIN]
        made.append(None)
        if kind != "none":
            made[-1] = oslo_context.RequestContext().request_id
        if kind == "environ":
            environ["openstack.request_id"] = made[-1]
        if kind == "response":
            headers.append(("X-OpenStack-Request-ID", made[-1]))
        start_response("200 OK", headers)
        return [b"ok"]

    profiled = Profiled(app)
    for kind in kinds:
        profiled.get("/" + kind)

    for before, kind, own, record in zip(
        ["none", *kinds][:-1],
        kinds,
        made,
        profiled.records,
        strict=True,
    ):
        if kind == "context" and before not in _NO_IDS:
            # Whether it is the request's own was not looked up.
            assert record.request_id is None
        else:
            assert record.request_id == own


def test_an_id_of_another_thread_is_not_this_requests():
    """A context lies in the thread that made it."""

    def look(environ):
        thread = threading.Thread(target=oslo_context.RequestContext)
        thread.start()
        thread.join()

    assert asked(look).request_id is None


def chunks_without_id(environ, start_response):
    """Answer with a body that a server may end when it likes."""
    if environ["PATH_INFO"] != "/no-id":
        oslo_context.RequestContext()
    start_response("200 OK", PLAIN)
    return (chunk for chunk in [b"o", b"k"])


def test_a_body_that_another_thread_ends_has_not_that_threads_id():
    """There, another request may have left its own."""
    profiled = Profiled(chunks_without_id)
    body = profiled.filter(environ_of("/no-id"), Answer().start_response)

    def end():
        oslo_context.RequestContext()
        body.close()

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()

    assert profiled.record.request_id is None


def test_what_the_collector_ended_has_no_later_requests_id():
    """It is described when its thread has served others."""
    profiled = Profiled(chunks_without_id)
    profiled.live.check = lambda now: None
    cycle = [profiled.filter(environ_of("/no-id"), Answer().start_response)]
    cycle.append(cycle)
    del cycle
    profiled.get("/other")
    gc.collect()
    profiled.get("/next")

    ids = {one.path: one.request_id for one in profiled.records}
    assert ids.pop("/no-id") is None
    assert len(set(ids.values()) - {None}) == 2


def test_a_service_with_ids_in_the_environ_asks_no_context(monkeypatch):
    """As nova: from its second request on."""
    asked_for: list[int] = []

    def app(environ, start_response):
        environ["openstack.request_id"] = REQUEST_ID
        start_response("200 OK", PLAIN)
        return [b"ok"]

    profiled = Profiled(app)
    profiled.get()
    monkeypatch.setattr(
        oslo_context, "get_current", lambda: asked_for.append(1)
    )
    profiled.get()

    assert asked_for == []


_hostile = st.one_of(
    st.none(),
    st.text(max_size=300),
    st.binary(max_size=9),
    st.integers(),
    st.builds(object),
    st.builds(dict),
    st.lists(st.integers(), max_size=2),
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *FORGED,
                "HTTP_X_IDENTITY_STATUS",
                "keystone.token_auth",
                "keystone.oslo_request_context",
                "webob.adhoc_attrs",
                "cinder.context",
            ]
        ),
        _hostile,
    ),
    st.dictionaries(st.sampled_from([*FORGED]), _hostile),
)
def test_no_environ_harms_a_record(sent, written):
    """One printable line, or null."""

    def app(environ, start_response):
        environ.update(written)
        environ["HTTP_X_IDENTITY_STATUS"] = "Confirmed"
        start_response("200 OK", PLAIN)
        return [b"ok"]

    profiled = Profiled(app)
    profiled.get(**sent)

    assert profiled.failures.counts() == {}
    for value in who(profiled.record).values():
        assert value is None or (value.isprintable() and len(value) < 3_000)
    json.dumps(profiled.record.to_dict())


def _context(**fields):
    """Return an oslo.context as a service without an authtoken makes it."""
    return oslo_context.RequestContext(overwrite=False, **fields)


@pytest.mark.parametrize("place", ["cinder.context", "placement.context"])
def test_else_it_is_whom_the_services_own_context_has(place):
    """As with noauth, and with an authentication that is not keystone's."""
    context = _context(user_id="u1", project_id="p1", user_name="demo")

    record = asked(lambda environ: environ.update({place: context}))

    assert who(record) == {
        **NOBODY,
        "user_id": "u1",
        "project_id": "p1",
        "user_name": "demo",
    }


def test_a_context_on_the_request_of_webob_is_one_too():
    """Where glance has it, and ironic and octavia."""
    context = _context(user_id="u1", project_id="p1")

    record = asked(
        lambda environ: environ.update(
            {"webob.adhoc_attrs": {"context": context}}
        )
    )

    assert (record.user_id, record.project_id) == ("u1", "p1")


def test_a_context_that_repeats_the_clients_headers_is_not_believed():
    """Without an authtoken some services copy them."""
    context = _context(
        user_id=FORGED["HTTP_X_USER_ID"],
        project_id=FORGED["HTTP_X_PROJECT_ID"],
    )

    record = asked(
        lambda environ: environ.update({"cinder.context": context}), **FORGED
    )

    assert who(record) == NOBODY


def test_a_project_that_the_client_named_is_left_out():
    """The user is the service's own."""
    context = _context(user_id="u1", project_id=FORGED["HTTP_X_PROJECT_ID"])

    record = asked(
        lambda environ: environ.update({"cinder.context": context}), **FORGED
    )

    assert who(record) == {**NOBODY, "user_id": "u1"}


@pytest.mark.parametrize("context", [{}, object(), "admin", 5])
def test_what_is_no_context_names_nobody(context):
    """pecan has a plain dict there until a service sets its own."""
    record = asked(
        lambda environ: environ.update(
            {"webob.adhoc_attrs": {"context": context}}
        )
    )

    assert who(record) == NOBODY
