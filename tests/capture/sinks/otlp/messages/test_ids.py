# SPDX-License-Identifier: Apache-2.0
"""Ids of traces and spans: the same in all services."""

from __future__ import annotations

from builders import REQUEST_ID, record

from nova_profiler.capture.sinks.otlp.messages.ids import (
    parent_span_of,
    span_id_of,
    span_of_request,
    spans_of_calls,
    trace_id_of,
)

NEUTRON_ID = "req-00000000-0000-4000-8000-0000000000aa"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def test_a_trace_that_came_in_goes_on():
    """Its span is the parent."""
    made = record(trace_id=TRACE, span_id=SPAN, parent_id="0" * 15 + "1")

    assert trace_id_of(made).hex() == TRACE
    assert parent_span_of(made).hex() == SPAN


def test_a_request_id_is_the_trace_without_its_dashes():
    """So that it can be looked for."""
    digits = REQUEST_ID.removeprefix("req-").replace("-", "")

    assert trace_id_of(record()).hex() == digits


def test_services_agree_on_the_trace():
    """What nova sends has its id, or its caller's, as the global one."""
    nova = record()
    conductor = record(kind="message", request_id=REQUEST_ID)
    neutron = record(request_id=NEUTRON_ID, global_request_id=REQUEST_ID)

    assert len({trace_id_of(one) for one in (nova, conductor, neutron)}) == 1
    called = record(global_request_id=NEUTRON_ID)
    assert trace_id_of(called) == trace_id_of(
        record(request_id=SPAN, global_request_id=NEUTRON_ID)
    )


def test_an_id_of_another_form_is_a_trace_as_well():
    """And one of zeros alone, which no trace may have."""
    found = {
        trace_id_of(record(request_id=text))
        for text in ("abc", "req-" + "0" * 32, f"req-{'0' * 8}-0000-0000-"
                     f"0000-{'0' * 12}", "req-1")
    }  # fmt: skip

    assert len(found) == 4
    assert all(len(one) == 16 and any(one) for one in found)


def test_what_has_no_request_has_a_trace_of_its_own():
    """With what it sent in it."""
    own = record(request_id=None, record_id="00000000000000ab")
    sent = record(request_id=None, record_id=SPAN, parent_id=own.record_id)

    assert trace_id_of(own) == trace_id_of(sent)
    assert trace_id_of(own) != trace_id_of(record(request_id=None))


def test_a_records_id_is_its_span():
    """What it sent has that for its parent."""
    sender = record(record_id="00000000000000ab")
    message = record(kind="message", record_id=SPAN, parent_id="0" * 14 + "ab")

    assert parent_span_of(message) == span_id_of(sender)
    assert span_id_of(message).hex() == SPAN
    for other in (None, "0" * 16):
        assert any(span_id_of(record(record_id=other)))


def test_a_request_is_inside_the_call_that_sent_it():
    """By its id, which the answer brought to the caller."""
    neutron = record(request_id=NEUTRON_ID, global_request_id=REQUEST_ID)

    assert parent_span_of(neutron) == span_of_request(NEUTRON_ID)
    assert parent_span_of(record()) == b""


def test_what_is_no_id_is_none():
    """A killed worker's record is read from a file."""
    for text in ("", "x", "0g" * 16, "ab", "ab" * 40):
        odd = record(
            record_id=text, parent_id=text, trace_id=text, span_id=text
        )
        assert trace_id_of(odd) == trace_id_of(record())
        assert len(span_id_of(odd)) == 8
        assert parent_span_of(odd) == b""


def test_calls_have_ids_of_their_own():
    """Those of two records that were begun one after the other, too."""
    own = [n.to_bytes(8, "big") for n in (1, 2, 2**64 - 1)]
    ids = [one for span in own for one in spans_of_calls(span, 2000)]

    assert len({*ids, *own}) == 6003
    assert {len(one) for one in ids} == {8}
    assert spans_of_calls(own[0], 0) == []
    assert spans_of_calls(own[0], 7) == ids[:7]
