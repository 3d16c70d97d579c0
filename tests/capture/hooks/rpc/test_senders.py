# SPDX-License-Identifier: Apache-2.0
"""What travels with a message, and what of it is believed on arrival."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging import bus
from serving import Profiled, during

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.contracts import NothingServed
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.hooks.rpc import sent_messages
from nova_profiler.capture.hooks.rpc.senders import (
    KEY,
    UNKNOWN,
    Sender,
    sender_of,
    with_sender,
)

NOW = 1_800_000_000.0
ID = "0123456789abcdef"


@pytest.fixture
def nova(monkeypatch):
    """Make this the process of a service whose context takes more keys."""
    monkeypatch.setitem(
        sys.modules, "nova.context", ModuleType("nova.context")
    )


def test_the_sender_stands_in_a_copy_of_the_context(nova):
    """The dict is the caller's, which may send it again."""
    capture = Capture(NothingServed(), 10)
    ctxt = {"request_id": "req-1"}

    sent = with_sender(ctxt, capture)

    assert ctxt == {"request_id": "req-1"}
    assert sent["request_id"] == "req-1"
    assert sent[KEY]["id"] == capture.record_id
    assert type(sent[KEY]["sent"]) is float
    assert "kept" not in sent[KEY]


def test_what_a_kept_record_sends_has_a_mark(nova):
    """So that what becomes of it is kept, too."""
    capture = Capture(NothingServed(), 10)
    capture.is_kept = True

    assert with_sender({}, capture)[KEY]["kept"] is True


@pytest.mark.parametrize("fields", [{"chosen": "signed"}, {"slow_s": 0.0}])
def test_a_profiled_or_slow_record_is_kept(nova, fields):
    """A rebuild may be slow before it sends anything."""
    capture = Capture(NothingServed(), 10)
    for name, value in fields.items():
        setattr(capture, name, value)

    assert with_sender({}, capture)[KEY]["kept"] is True


def test_the_trace_of_a_request_goes_on(nova):
    """What came in as traceparent, checked, and nothing else of it."""
    sent: list = []
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    def work():
        sent.append(with_sender({}, current_lane().capture)[KEY])

    profiled = Profiled(during(work))
    for text in (f"00-{trace}-00f067aa0ba902b7-01", "a secret", None):
        more = {} if text is None else {"HTTP_TRACEPARENT": text}
        profiled.get(**more)

    assert [mark.get("trace") for mark in sent] == [trace, None, None]


@pytest.mark.parametrize("odd", ["0" * 32, "x" * 32, "ab", 7, [], "A" * 32])
def test_what_is_no_trace_is_not_believed(odd):
    """The rest is."""
    assert sender_of({KEY: {"id": ID, "trace": odd}}, NOW) == Sender(ID)


def test_other_services_get_no_key_that_they_do_not_know(monkeypatch):
    """Some make their context with the keys as arguments, and would raise."""
    monkeypatch.delitem(sys.modules, "nova.context", raising=False)
    ctxt = {"request_id": "req-1"}

    assert with_sender(ctxt, Capture(NothingServed(), 10)) is ctxt


@pytest.mark.parametrize("ctxt", [None, object(), [], "text"])
def test_what_is_no_dict_goes_on_as_it_is(nova, ctxt):
    """Then the service has its own idea of a context."""
    assert with_sender(ctxt, Capture(NothingServed(), 10)) is ctxt


def test_what_came_is_the_sender():
    """Its record, and when it sent."""
    mark = {"id": ID, "sent": NOW - 0.5, "kept": True}

    assert sender_of({KEY: mark}, NOW) == Sender(ID, NOW - 0.5, True)
    assert sender_of({KEY: {"id": ID}}, NOW) == Sender(ID, None, False)


@pytest.mark.parametrize(
    "mark",
    [
        None,
        "text",
        [],
        {},
        {"id": None},
        {"id": ID[:-1]},
        {"id": ID.upper()},
        {"id": ID + "\n"},
        {"id": ["0"] * 16},
        {"id": int(ID, 16)},
    ],
)
def test_a_forged_id_is_no_parent(mark):
    """The broker is less trusted than the code."""
    assert sender_of({KEY: mark}, NOW) == UNKNOWN


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "1.0",
        True,
        float("nan"),
        float("inf"),
        -1.0,
        0.0,
        NOW + 86400,
        NOW - 100 * 86400,
        10**400,
    ],
)
def test_a_forged_time_is_none(sent):
    """No clock of a sender shows it."""
    assert sender_of({KEY: {"id": ID, "sent": sent}}, NOW).sent is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_anything_may_arrive(value):
    """Whatever JSON holds is read or ignored."""
    for ctxt in (value, {KEY: value}, {KEY: {"id": value, "sent": value}}):
        sender_of(ctxt, NOW)


def test_a_call_carries_the_record_it_was_sent_from(nova):
    """Calls and casts, and no message that no record sends."""
    undo = sent_messages.install()
    try:
        with bus() as started:
            client = started.client()

            def work():
                client.call({"request_id": "req-1"}, "ping")
                client.cast({"request_id": "req-1"}, "forget")

            profiled = Profiled(during(work))
            profiled.get()
            client.call({"request_id": "req-1"}, "alone")
            seen = {
                name: sender_of(ctxt, ctxt.get(KEY, {}).get("sent", NOW))
                for name, ctxt in started.endpoint.contexts
            }
    finally:
        undo()

    record_id = profiled.record.record_id
    assert seen["ping"].record_id == record_id
    assert seen["forget"].record_id == record_id
    assert seen["alone"] == UNKNOWN


def test_a_message_is_sent_within_the_call_that_sends_it(nova, monkeypatch):
    """The call has begun, so that it is found again by that moment."""
    order: list[str] = []

    class Timing(sent_messages.Timing):
        def __init__(self, *args, **kwargs):
            order.append("begun")
            super().__init__(*args, **kwargs)

    def sender(ctxt, capture):
        order.append("sent")
        return with_sender(ctxt, capture)

    monkeypatch.setattr(sent_messages, "Timing", Timing)
    monkeypatch.setattr(sent_messages, "with_sender", sender)
    undo = sent_messages.install()
    try:
        with bus() as made:
            profiled = Profiled(during(lambda: made.client().call({}, "one")))
            profiled.get()
    finally:
        undo()

    # The first is of the serialising before.
    assert order[:3] == ["begun", "begun", "sent"]
