# SPDX-License-Identifier: Apache-2.0
"""Messages that time a DB API call or log a step of RPC."""

from __future__ import annotations

import pytest
from followed import MESSAGE, NEUTRON
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.reading.follow.search import messages as follow_kinds
from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.search.messages import (
    DbCall,
    RpcStep,
    db_call_of,
    ids_named_by,
    requests_named_in,
    rpc_step_of,
)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        (
            "nova.db.main.api.instance_get_by_uuid 0.120 sec",
            DbCall("nova.db.main.api.instance_get_by_uuid", 120.0),
        ),
        (
            "nova.db.api.quota_usage_get_all 1 seconds",
            DbCall("nova.db.api.quota_usage_get_all", 1000.0),
        ),
        ("nova.db.api.service_get", None),
        ("Took 0.70 seconds to spawn the instance", None),
        ("mariadb.slow.query 3 sec", None),
    ],
)
def test_db_api_calls(message, call):
    """Our log_calls lines, and the older form of nova.db.api."""
    assert db_call_of(message) == call


@pytest.mark.parametrize(
    ("message", "step"),
    [
        (
            f"CALL msg_id: {MESSAGE} exchange 'nova' topic 'conductor'",
            RpcStep("call", MESSAGE, "conductor"),
        ),
        (
            f"CAST unique_id: {MESSAGE} FANOUT topic 'scheduler'",
            RpcStep("cast", MESSAGE, "scheduler"),
        ),
        (
            f"CAST unique_id: {MESSAGE} NOTIFY exchange 'nova' topic 'n.info'",
            RpcStep("cast", MESSAGE, "n.info"),
        ),
        (
            f"received message msg_id: {MESSAGE} reply to reply_7",
            RpcStep("received", MESSAGE),
        ),
        (
            f"received message with unique_id: {MESSAGE}",
            RpcStep("received", MESSAGE),
        ),
        (
            f"sending reply msg_id: {MESSAGE} reply queue: reply_7 "
            "time elapsed: 0.01s",
            RpcStep("reply", MESSAGE),
        ),
        (f"received reply msg_id: {MESSAGE}", RpcStep("answered", MESSAGE)),
        (f"MSG_ID is {MESSAGE}", RpcStep("call", MESSAGE)),
        (
            f"received {{u'args': {{}}, u'_msg_id': u'{MESSAGE}'}}",
            RpcStep("received", MESSAGE),
        ),
        (
            "Making asynchronous cast on compute.host1...",
            RpcStep("cast", "", "compute.host1"),
        ),
        (
            "Making synchronous call on conductor ...",
            RpcStep("call", "", "conductor"),
        ),
        ("received a message", None),
    ],
)
def test_steps_of_rpc(message, step):
    """oslo.messaging's debug lines, and nova's own before it."""
    assert rpc_step_of(message) == step


@pytest.mark.parametrize(
    "message",
    [
        f"GET call to network for http://n/ports used request id {NEUTRON}",
        f"Neutron server returns request_ids: ['{NEUTRON}']",
        f"RESP: [200] x-openstack-request-id: {NEUTRON}",
        f"No such port (HTTP 404) (Request-ID: {NEUTRON})",
    ],
)
def test_requests_that_others_answered(message):
    """Each service tells under which id it worked."""
    assert requests_named_in(message) == [NEUTRON]


@pytest.mark.parametrize("odd", ["\ud800", "a b", "?", "x" * 65, "req-1\n"])
def test_what_no_line_has_for_an_id_leads_nowhere(odd):
    """JSON may hold half a character, or a text that many lines have."""
    line = LogLine(1.0, "nova-api", "", request_id=odd, global_request_id="g")

    assert ids_named_by([line], ["g"]) == []


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read(message):
    """Whatever is logged, nothing fails."""
    db_call_of(message)
    requests_named_in(message)
    step = rpc_step_of(message)

    assert step is None or step.step in {
        follow_kinds.CALL,
        follow_kinds.CAST,
        follow_kinds.RECEIVED,
        follow_kinds.REPLY,
        follow_kinds.ANSWERED,
    }
