# SPDX-License-Identifier: Apache-2.0
"""What oslo.messaging sends is timed by topic and method."""

from __future__ import annotations

import threading

import pytest
from messaging import bus, oslo_messaging
from services import RABBIT, broker_here
from serving import (
    Profiled,
    added_up,
    calls_of,
    during,
    recorded,
    set_clock,
)

from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.rpc import sent_messages

CONTEXT = {"request_id": "req-1", "auth_token": "a token"}


@pytest.fixture
def hook():
    undo = sent_messages.install()
    yield
    undo()
    assert sent_messages._serialising == {}


@pytest.fixture
def broker(hook):
    with bus() as started:
        yield started


def test_a_call_waits_for_its_answer(broker):
    """Its time is the broker's and the server's; the answer is what it was."""
    answers = []

    def work():
        answers.append(broker.client().call(CONTEXT, "ping", answer=[1, 2]))

    record = recorded(work)

    assert answers == [[1, 2]]
    assert list(calls_of(record, "rpc")) == ["conductor ping"]
    assert record.groups["rpc"].calls == 1
    # Before it was sent, and when the answer was there.
    assert record.groups["rpc_serialise"].calls == 2
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_each_kind_of_message_has_its_name(broker):
    """The server that it goes to has none."""
    client = broker.client()

    def work():
        client.cast(CONTEXT, "build_instances")
        client.prepare(server="host-1.example").cast(
            CONTEXT, "build_instances"
        )
        client.prepare(fanout=True).cast(CONTEXT, "forget")
        client.prepare(server="host-1.example").call(CONTEXT, "ping")
        broker.notifier().info(CONTEXT, "instance.create.start", {"a": 1})

    calls = calls_of(recorded(work), "rpc")

    assert {name: call.count for name, call in calls.items()} == {
        "conductor build_instances cast": 2,
        "conductor forget fanout": 1,
        "conductor ping": 1,
        "notifications.info instance.create.start notify": 1,
    }


@pytest.mark.services
def test_messages_over_a_broker(hook):
    """RabbitMQ carries them, and the answer back."""
    broker_here()
    answers = []

    with bus(RABBIT) as started:
        client = started.client()

        def work():
            answers.append(client.call(CONTEXT, "ping", answer="pong"))
            client.cast(CONTEXT, "forget")

        record = recorded(work)

    assert answers == ["pong"]
    assert set(calls_of(record, "rpc")) == {
        "conductor ping",
        "conductor forget cast",
    }
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


class Serializer:
    """Takes its time."""

    def __init__(self, spend):
        self.spend = spend

    def serialize_entity(self, ctxt, entity):
        self.spend(2.0)
        return entity

    def deserialize_entity(self, ctxt, entity):
        self.spend(3.0)
        return entity

    def serialize_context(self, ctxt):
        return ctxt

    deserialize_context = serialize_context


def test_serialising_is_named_apart(hook, clock, monkeypatch):
    """Arguments before, the answer after it; the message is the rest."""
    set_clock(monkeypatch, clock)

    class Driver:
        conf = None

        def send(self, *args, **kwargs):
            clock.advance(10.0)
            return "answer"

    def work():
        with bus() as silent, monkeypatch.context() as only_here:
            client = silent.client(serializer=Serializer(clock.advance))
            only_here.setattr(client.transport, "_driver", Driver())
            assert client.call(CONTEXT, "ping", what=1) == "answer"

    record = recorded(work)

    assert record.breakdown_ms["rpc"] == pytest.approx(10_000)
    assert record.breakdown_ms["rpc_serialise"] == pytest.approx(5_000)
    assert calls_of(record, "rpc")["conductor ping"].ms == pytest.approx(
        10_000
    )
    assert record.groups["rpc_serialise"].ms == pytest.approx(5_000)


def test_serialising_that_sends_messages_itself(hook, clock, monkeypatch):
    """As an object does that is loaded while it is serialised."""
    set_clock(monkeypatch, clock)

    with bus() as started:
        inner = started.client()

        class Lazy(Serializer):
            def serialize_entity(self, ctxt, entity):
                clock.advance(1.0)
                inner.call(CONTEXT, "object_action")
                clock.advance(1.0)
                return entity

        client = started.client(serializer=Lazy(lambda seconds: None))
        record = recorded(lambda: client.call(CONTEXT, "ping", what=1))

    assert set(calls_of(record, "rpc")) == {
        "conductor ping",
        "conductor object_action.other",
    }
    assert record.breakdown_ms["rpc_serialise"] == pytest.approx(2_000)
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_an_error_of_the_far_side_passes_and_is_counted(broker):
    def work():
        with pytest.raises(LookupError):
            broker.client().call(CONTEXT, "ping", fails=True)

    record = recorded(work)

    assert calls_of(record, "rpc")["conductor ping"].errors == 1


def test_what_is_wrong_with_a_call_is_for_the_library_to_say(broker):
    """It comes as without us."""

    def work():
        client = broker.client()
        with pytest.raises(oslo_messaging.InvalidTarget, match="fanout"):
            client.prepare(fanout=True).call(CONTEXT, "ping")
        with pytest.raises(oslo_messaging.InvalidTarget, match="topic"):
            client.transport._send(oslo_messaging.Target(), CONTEXT, {})

    record = recorded(work)

    assert calls_of(record, "rpc")["other other cast"].errors == 1


def test_messages_that_are_none_are_other(hook):
    """A library that changes what it hands over costs a name, no more."""

    def send(target, message):
        transport = oslo_messaging.transport.Transport.__new__(
            oslo_messaging.transport.Transport
        )
        transport._driver = type(
            "Driver", (), {"send": lambda *args, **kwargs: "sent"}
        )()
        assert transport._send(target, CONTEXT, message) == "sent"

    class Target:
        topic = "compute"

        @property
        def fanout(self):
            raise RuntimeError("later releases have none")

    before = HOOK_FAILURES.counts().get("rpc_hook", 0)
    record = recorded(lambda: send(Target(), {"method": "ping"}))

    assert list(calls_of(record, "rpc")) == ["other"]
    assert HOOK_FAILURES.counts()["rpc_hook"] == before + 1


def test_outside_a_request_nothing_is_kept(broker):
    assert broker.client().call(CONTEXT, "ping", answer=5) == 5


def test_calls_of_many_requests_stay_with_them(broker):
    """Marked methods of 16 requests at once: each has its own alone."""
    client = broker.client()
    names = [f"of_request_{chr(97 + number)}" for number in range(16)]
    here = threading.local()
    profiled = Profiled(during(lambda: ask(here.name)))

    def ask(name):
        for _ in range(5):
            client.call(CONTEXT, name)

    def serve(name):
        here.name = name
        profiled.get(f"/{name}")

    threads = [threading.Thread(target=serve, args=(n,)) for n in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(record.path for record in profiled.records) == [
        f"/{name}" for name in names
    ]
    for record in profiled.records:
        calls = calls_of(record, "rpc")
        assert {name: call.count for name, call in calls.items()} == {
            f"conductor {record.path[1:]}": 5
        }


def test_undo_puts_all_back():
    places = (
        (oslo_messaging.transport.Transport, "_send"),
        (oslo_messaging.transport.Transport, "_send_notification"),
        (oslo_messaging.rpc.client._BaseCallContext, "call"),
        (oslo_messaging.rpc.client._BaseCallContext, "cast"),
        (oslo_messaging.notify.notifier.Notifier, "_notify"),
    )
    before = [vars(owner)[name] for owner, name in places]

    undos = [sent_messages.install(), sent_messages.install()]
    during_it = [vars(owner)[name] for owner, name in places]
    for undo in undos:
        undo()

    assert not any(map(lambda a, b: a is b, before, during_it))
    assert [vars(owner)[name] for owner, name in places] == before
