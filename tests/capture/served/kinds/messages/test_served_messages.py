# SPDX-License-Identifier: Apache-2.0
"""Messages that RPC servers serve: their records, and what is left of them."""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import datetime, timezone

import pytest
from incoming import Served, Waited
from messaging import bus
from serving import Profiled, calls_of

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.current import active, current_lane
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.database import db_api_calls
from nova_profiler.capture.hooks.rpc.senders import KEY
from nova_profiler.capture.served.kinds.messages import served_messages
from nova_profiler.capture.sinks.json_file import line_of
from nova_profiler.dump_store import DumpStore

REQUEST_ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"
CONTEXT = {
    "request_id": REQUEST_ID,
    "global_request_id": "req-0b2d1e9a-5c3f-4a67-8d21-7e9f0a1b2c3d",
    "user_id": "u" * 32,
    "project_id": "p" * 32,
    "user_name": "demo",
    "project_name": "a project",
    "remote_address": "192.0.2.7",
    "auth_token": "a secret token",
    "service_catalog": [{"secret": 1}],
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
KEY_OF_CALL = CallKey("db_api", "instance_get")


@pytest.fixture
def served():
    """Return what times messages, all of which are kept."""
    made = Served()
    before = HOOK_FAILURES.counts()
    yield made
    made.close()
    assert made.profiled.failures.counts() == {}
    assert HOOK_FAILURES.counts() == before
    assert active == {}
    assert current_lane() is None


@pytest.fixture
def quiet(tmp_path):
    """Return what times messages with the options as they are."""
    made = Served(log_requests=True, dump_dir=str(tmp_path / "dumps"))
    yield made
    made.close()
    assert made.profiled.failures.counts() == {}


def test_a_message_has_a_record(served):
    """Where it came from, what it asked for, how long it waited and took."""
    work = db_api_calls.timed(lambda: 42, KEY_OF_CALL)
    began = time.time()

    incoming = served.server(work=work).serve(
        "ping", CONTEXT, stopwatch=Waited(0.25)
    )

    record = served.record
    assert incoming.replies == [42]
    assert record.kind == "message"
    assert (record.method, record.route) == ("CALL", "rpc conductor ping")
    assert record.path == "conductor ping"
    assert (record.outcome, record.error) == ("ok", None)
    assert record.wait_ms == 250.0
    assert record.request_id == REQUEST_ID
    assert record.global_request_id == CONTEXT["global_request_id"]
    assert (record.user_id, record.user_name) == ("u" * 32, "demo")
    assert (record.project_id, record.project_name) == ("p" * 32, "a project")
    assert record.remote_address == "192.0.2.7"
    assert (record.status, record.response_bytes) == (0, None)
    assert calls_of(record, "db_api")["instance_get"].count == 1
    assert sum(record.breakdown_ms.values()) == pytest.approx(
        record.duration_ms
    )
    started = datetime.fromisoformat(record.started_at).timestamp()
    assert began <= started <= time.time()
    assert "secret" not in line_of(record)


def test_a_cast_is_no_call(served):
    """Its sender waits for nothing."""
    served.server().serve("ping", {}, orig_msg_id=None)

    assert served.record.method == "CAST"


@pytest.mark.parametrize(
    ("method", "outcome", "error"),
    [
        # An answer that the method declares: no failure.
        ("missing", "ok", "KeyError"),
        ("broken", "failed", "ValueError"),
        ("nothing_like_it", "failed", "NoSuchMethod"),
    ],
)
def test_how_it_ended_is_in_the_record(served, method, outcome, error):
    """The reply is what it would be without us."""
    incoming = served.server().serve(method, CONTEXT)

    assert (served.record.outcome, served.record.error) == (outcome, error)
    assert [one.__name__ for one in incoming.failures] == [error]
    assert "secret" not in line_of(served.record)


def test_what_cannot_be_acknowledged_is_not_dispatched(served):
    """The server lets it go, and it comes again."""

    def refuse():
        raise OSError("the broker is away")

    incoming = served.server().serve("made_up", {}, acknowledge=refuse)

    assert incoming.replies == []
    assert served.record.outcome == "unanswered"
    assert served.record.route == "rpc conductor other"


def test_what_breaks_the_server_breaks_it_as_before(served):
    """A greenthread may be killed while it serves."""

    class Killed(BaseException):
        pass

    def killed():
        raise Killed("now")

    with pytest.raises(Killed, match="now"):
        served.server(work=killed).serve()

    assert (served.record.outcome, served.record.error) == (
        "aborted",
        "Killed",
    )


def test_its_sender_is_its_parent(served):
    """And when that sent it, by its own clock."""
    sent = time.time() - 0.5
    mark = {"id": "0123456789abcdef", "sent": sent}

    served.server().serve("ping", {KEY: mark})

    record = served.record
    assert record.parent_id == "0123456789abcdef"
    at = datetime.fromisoformat(record.sent_at)
    assert at.tzinfo == timezone.utc
    assert at.timestamp() == pytest.approx(sent, abs=1e-5)
    assert record.record_id not in (None, record.parent_id)


def test_a_trace_that_came_in_is_kept(served):
    """oslo.messaging's own tracing puts it there."""
    served.server().serve("ping", {"traceparent": f"00-{TRACE}-{SPAN}-01"})
    served.server().serve("ping", {"traceparent": "00-forged"})

    first, second = served.records
    assert (first.trace_id, first.span_id) == (TRACE, SPAN)
    assert (second.trace_id, second.span_id) == (None, None)


@pytest.mark.parametrize(
    ("waited", "wait_ms"),
    [
        (0.0, 0.0),
        (1.5, 1500.0),
        (-1.0, None),
        (float("nan"), None),
        (1e9, None),
        (None, None),
        ("1", None),
    ],
)
def test_its_wait_is_that_of_the_driver(served, waited, wait_ms):
    """What no stopwatch shows is not known."""
    served.server().serve("ping", {}, stopwatch=Waited(waited))

    assert served.record.wait_ms == wait_ms


def test_the_trace_of_what_sent_it_is_its_own(served):
    """Without a span: the record that sent it is the parent."""
    mark = {"id": "0123456789abcdef", "trace": TRACE}
    seen: list = []

    def work():
        lane = current_lane()
        seen.append(lane.capture.served.trace_id)

    served.server(work=work).serve("ping", {KEY: mark})

    assert seen == [TRACE]
    assert (served.record.trace_id, served.record.span_id) == (TRACE, None)
    assert served.record.parent_id == "0123456789abcdef"


def test_by_default_nothing_is_kept_of_a_quick_message(quiet):
    """A conductor serves thousands a second."""
    quiet.server().serve("ping", CONTEXT)

    assert quiet.records == []
    assert active == {}


@pytest.mark.parametrize("method", ["broken", "nothing_like_it"])
def test_a_failed_message_is_kept(quiet, method, tmp_path):
    """With a dump."""
    quiet.server().serve(method, CONTEXT)

    assert quiet.record.is_kept
    assert quiet.record.timeline is not None


def test_a_slow_message_is_kept():
    """As a slow request is."""
    served = Served(log_requests=True, slow_ms=0.0)

    served.server().serve()

    served.close()
    assert served.record.is_kept
    assert served.record.outcome == "ok"


@pytest.mark.parametrize(
    ("options", "records"),
    [
        ({"otlp_trace_rate": 1.0}, 1),
        ({"otlp_traces": ("message:all",)}, 1),
        ({"otlp_traces": ("task:all", "slow")}, 0),
        ({"otlp_trace_rate": 1.0, "otlp_endpoint": None}, 0),
    ],
)
def test_a_message_with_a_trace_has_a_record(options, records):
    """For its trace alone: no line is kept of it."""
    served = Served(
        log_requests=True,
        **{"otlp_endpoint": "http://127.0.0.1:4318", **options},
    )

    served.server().serve("ping", CONTEXT)

    served.close()
    assert len(served.records) == records
    for one in served.records:
        assert one.traced is not None
        assert not one.is_kept


@pytest.mark.parametrize(
    ("dump_when", "is_dumped"), [(("slow",), True), ((), False)]
)
def test_a_part_of_a_kept_request_is_kept(tmp_path, dump_when, is_dumped):
    """Its sender marks it, unless no message is dumped here at all."""
    served = Served(
        log_requests=False, dump_dir=str(tmp_path), dump_when=dump_when
    )
    mark = {"id": "0123456789abcdef", "sent": time.time(), "kept": True}

    served.server().serve("ping", {KEY: mark})

    served.close()
    assert [one.timeline is not None for one in served.records] == (
        [True] if is_dumped else []
    )


def test_nothing_is_timed_where_nothing_would_come_of_it():
    """No destination wants it: the message passes by one look."""
    profiled = Profiled(None)
    profiled.worker.recorder.has_sinks = False
    served = Served(profiled)
    seen = []

    served.server(work=lambda: seen.append(current_lane())).serve()

    served.close()
    assert seen == [None]


def test_switched_off_it_passes_untouched():
    """As a request does."""
    served = Served(enabled=False)
    seen = []

    served.server(work=lambda: seen.append(current_lane())).serve()

    served.close()
    assert (seen, served.records) == ([None], [])


def test_messages_in_threads_have_their_own_records(served):
    """Workers of a server are reused, and so is nothing of ours."""
    with bus() as started:
        client = started.client()
        for number in range(3):
            client.call({**CONTEXT, "request_id": f"req-{number}"}, "ping")
        with pytest.raises(LookupError, match="ping"):
            client.call({"request_id": "req-3"}, "ping", fails=True)
        client.cast({"request_id": "req-4"}, "forget")
        deadline = time.monotonic() + 10
        while len(served.records) < 5 and time.monotonic() < deadline:
            threading.Event().wait(0.005)

    found = sorted(
        (one.request_id, one.method, one.route, one.outcome)
        for one in served.records
    )
    assert found == [
        ("req-0", "CALL", "rpc conductor ping", "ok"),
        ("req-1", "CALL", "rpc conductor ping", "ok"),
        ("req-2", "CALL", "rpc conductor ping", "ok"),
        ("req-3", "CALL", "rpc conductor ping", "failed"),
        ("req-4", "CAST", "rpc conductor forget", "ok"),
    ]
    assert len({one.record_id for one in served.records}) == 5


def test_two_messages_of_one_request_are_not_mixed_up(served):
    """They share its id: a thread without a lane belongs to neither."""
    context = pytest.importorskip("oslo_context.context")
    call = db_api_calls.timed(lambda: 1, KEY_OF_CALL)

    def in_a_thread():
        context.RequestContext(request_id=REQUEST_ID).update_store()
        call()

    def work():
        # Plain threads: the hook that takes lanes along is not installed.
        thread = threading.Thread(target=in_a_thread)
        thread.start()
        thread.join()

    served.server(work=work).serve("ping", CONTEXT)

    assert calls_of(served.record, "db_api") == {}


@pytest.mark.parametrize(
    "ctxt", [None, [], "text", {"request_id": 7, "user_id": {}, KEY: "x"}]
)
def test_a_context_of_any_kind_is_served(served, ctxt):
    """By the server's own rules; the record has what is valid."""
    incoming = served.server().serve("ping", ctxt)

    assert incoming.replies == [None]
    assert served.record.request_id is None
    assert served.record.user_id is None


def test_names_of_users_are_one_line(served):
    """Whatever the sender has put there."""
    served.server().serve("ping", {"user_name": "a\nb\x1b[2J" + "x" * 1000})

    assert served.record.user_name.isprintable()
    assert len(served.record.user_name) <= 300


def test_ten_megabytes_of_arguments_are_not_kept(served):
    """And not looked at."""
    canary = "canary-5e1c"

    served.server().serve("ping", {}, args={canary: canary * 900_000})

    assert canary not in line_of(served.record)


def test_a_fault_of_ours_leaves_the_message_alone(monkeypatch):
    """It is served, and counted once."""
    served = Served()
    monkeypatch.setattr(
        served_messages._Messages, "_begun", lambda *args: 1 / 0
    )

    incoming = served.server().serve()

    served.close()
    assert incoming.replies == [None]
    assert served.records == []
    assert served.profiled.failures.counts() == {"message": 1}


def test_a_fault_at_the_end_leaves_the_reply_alone(monkeypatch):
    """And nothing of the capture is left."""
    served = Served()
    monkeypatch.setattr(served_messages.Serving, "ended", lambda *args: 1 / 0)

    incoming = served.server().serve()

    served.close()
    assert incoming.replies == [None]
    assert served.profiled.failures.counts() == {"message": 1}
    assert active == {}


def test_a_dump_of_a_message_is_found_again(tmp_path):
    """By its route, and with its kind."""
    store = DumpStore(tmp_path, 10, 10, 10)
    served = Served(dump_dir=str(tmp_path), dump_when=("message:all",))

    served.server().serve("ping", CONTEXT)
    path = store.write(served.record)

    served.close()
    assert "CALL-rpc_conductor_ping" in path.name
    again = store.read(next(iter(store.entries())))
    assert (again.kind, again.route) == ("message", "rpc conductor ping")
    assert json.loads(path.read_text())["record_id"] == served.record.record_id


def test_a_message_that_is_on_can_be_described(served):
    """In another thread, by what looks after it."""
    seen = []
    worker = served.profiled.worker

    def work():
        capture = current_lane().capture
        seen.append(worker.describe(capture, time.perf_counter()))

    served.server(work=work).serve("ping", CONTEXT, stopwatch=Waited(0.5))

    (record,) = seen
    assert (record.kind, record.route) == ("message", "rpc conductor ping")
    assert record.request_id == REQUEST_ID
    assert record.wait_ms == 500.0
    assert record.record_id == served.record.record_id


def test_an_engine_chooses_by_the_id_that_all_services_know(served):
    """So that they choose the same requests."""
    seen = []

    def work():
        seen.append(dict(current_lane().capture.served.headers))

    server = served.server(work=work)
    server.serve("ping", CONTEXT)
    server.serve("ping", {"request_id": REQUEST_ID})
    server.serve("ping", {"request_id": 5})

    name = "HTTP_X_OPENSTACK_REQUEST_ID"
    assert seen == [
        {name: CONTEXT["global_request_id"]},
        {name: REQUEST_ID},
        {},
    ]


def test_installing_twice_times_once(served):
    """A driver may be loaded for each notifier."""
    again = served_messages.install(served.profiled.worker)
    try:
        served.server().serve()
    finally:
        again()

    assert len(served.records) == 1


def test_another_release_with_another_method_is_named(caplog, monkeypatch):
    """Its messages are served as before, and have records."""
    dispatcher = sys.modules["oslo_messaging.rpc.dispatcher"].RPCDispatcher
    method = dispatcher.dispatch
    monkeypatch.setattr(
        dispatcher, "dispatch", lambda self, message: method(self, message)
    )
    served = Served()

    incoming = served.server().serve()

    served.close()
    assert "RPCDispatcher.dispatch(incoming): it has no parameter" in (
        caplog.text
    )
    assert incoming.replies == [None]
    assert served.record.route == "rpc conductor ping"
    assert served.record.outcome == "ok"
