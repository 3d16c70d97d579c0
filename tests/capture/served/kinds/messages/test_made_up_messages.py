# SPDX-License-Identifier: Apache-2.0
"""Messages that are made up: few routes, and few that are kept for others."""

from __future__ import annotations

import sys
import time
from types import ModuleType, SimpleNamespace

import pytest
from incoming import Incoming, Served
from messaging import oslo_messaging

from nova_profiler.capture.call_names import MOST_NAMES
from nova_profiler.capture.choosing.part_allowance import MOST_AT_ONCE
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.rpc.senders import KEY


@pytest.fixture
def served():
    """Return what times messages, all of which have a record."""
    made = Served()
    before = HOOK_FAILURES.counts()
    yield made
    made.close()
    assert made.profiled.failures.counts() == {}
    assert HOOK_FAILURES.counts() == before


@pytest.mark.parametrize("version", ["1.0", "9.9", "x.y", None])
def test_what_no_endpoint_has_gets_no_route(served, version):
    """Whatever it is refused for."""
    server = served.server()
    message = {"method": "made_up", "version": version, "args": {}}

    server.server._process_incoming([Incoming(message, {})])

    assert served.record.outcome == "failed"
    assert served.record.route == "rpc conductor other"


def test_what_fails_in_an_endpoint_has_its_route(served):
    """Its first call as well, and before its arguments are known."""
    server = served.server()
    server.serve("broken", {})
    server.serve("missing", {})
    server.serve("ping", {}, args=None)

    assert [one.route for one in served.records] == [
        "rpc conductor broken",
        "rpc conductor missing",
        "rpc conductor ping",
    ]


@pytest.mark.parametrize("raises", [LookupError, ValueError])
def test_failed_messages_of_objects_have_few_routes(
    served, monkeypatch, raises
):
    """conductor has any attribute of an object called."""
    names = [f"made_up_{number}" for number in range(MOST_NAMES + 20)]
    made_up = SimpleNamespace(**dict.fromkeys(names))
    module = ModuleType("oslo_versionedobjects.base")
    module.VersionedObjectRegistry = SimpleNamespace(
        obj_classes=lambda: {"Instance": [made_up]}
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)

    @oslo_messaging.expected_exceptions(LookupError)
    def work():
        raise raises

    server = served.server(work=work)
    for name in names:
        args = {"objname": "Instance", "objmethod": name}
        server.serve("object_class_action_versions", {}, args=args)

    routes = {one.route for one in served.records}
    assert len(routes) == MOST_NAMES + 1
    assert "rpc conductor other" in routes
    server.server.dispatcher.endpoints[0].work = lambda: None
    served.records.clear()
    server.serve("ping", {})
    assert served.record.route == "rpc conductor ping"


def test_a_release_without_the_inner_method_is_served(caplog, monkeypatch):
    """It has no line; what fails has few routes, by what is known."""
    oslo = sys.modules["oslo_messaging.rpc.dispatcher"]

    class Other:
        __init__ = oslo.RPCDispatcher.__init__

        def dispatch(self, incoming):
            method = incoming.message["method"]
            for endpoint in self.endpoints:
                if hasattr(endpoint, method):
                    return getattr(endpoint, method)(incoming.ctxt)
            raise oslo.NoSuchMethod(method)

    monkeypatch.setattr(oslo, "RPCDispatcher", Other)
    served = Served()
    server = served.server()

    for method in ("ping", "broken", "missing", "made_up"):
        server.serve(method, {})

    served.close()
    assert "_do_dispatch" not in caplog.text
    assert [(one.route, one.outcome) for one in served.records] == [
        ("rpc conductor ping", "ok"),
        ("rpc conductor broken", "failed"),
        ("rpc conductor missing", "ok"),
        ("rpc conductor other", "failed"),
    ]


def marked(number):
    """Return a context that its sender has marked as part of what is kept."""
    return {KEY: {"id": f"{number:016x}", "sent": time.time(), "kept": True}}


@pytest.mark.parametrize("dumps_all", [False, True])
def test_parts_of_what_is_kept_are_few(tmp_path, dumps_all):
    """Any sender can mark one. Those beyond are added up, and counted."""
    sums = SimpleNamespace(name="sums", added=[], emit=lambda record: None)
    sums.add_up = lambda *added: sums.added.append(added)
    served = Served(
        log_requests=False,
        dump_dir=str(tmp_path),
        dump_when=("message:all",) if dumps_all else ("slow", "failed"),
    )
    served.profiled.worker.recorder._adding += (sums,)
    served.profiled.worker.parts._clock = lambda: 0.0
    served.profiled.worker.parts._at = 0.0
    server = served.server()

    most = int(MOST_AT_ONCE)
    for number in range(most + 7):
        server.serve("ping", marked(number))

    served.close()
    left_out = 0 if dumps_all else 7
    assert len(served.records) == most + 7 - left_out
    assert all(one.timeline is not None for one in served.records)
    assert len(sums.added) == left_out
    assert served.profiled.failures.counts() == (
        {"parts_left_out": 7} if left_out else {}
    )


def test_what_has_failed_is_kept_beyond_that(tmp_path):
    """Not for its sender's sake."""
    served = Served(log_requests=False, dump_dir=str(tmp_path))
    served.profiled.worker.parts.take = lambda: False

    served.server().serve("broken", marked(1))

    served.close()
    assert served.record.is_kept
