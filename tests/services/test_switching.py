# SPDX-License-Identifier: Apache-2.0
"""A service is switched on by its configuration, once, or says why not."""

from __future__ import annotations

import gc
import sys

import pytest
from imported import imported
from incoming import Server
from messaging import options

from nova_profiler.capture.current import active
from nova_profiler.factory import make_filter
from nova_profiler.record import KINDS
from nova_profiler.services import switching

server = imported("oslo_messaging.rpc.server")
transport = imported("oslo_messaging.transport")


@pytest.fixture
def conf(tmp_path):
    """Return the options of a nova-conductor; ``write`` adds ours."""
    path = tmp_path / "nova.conf"
    path.write_text("[nova_profiler]\n")
    made = options()

    def write(**values):
        lines = [f"{name} = {value}" for name, value in values.items()]
        path.write_text("[nova_profiler]\n" + "\n".join(lines) + "\n")
        made(
            ["--config-file", str(path)],
            project="nova",
            prog="nova-conductor",
        )

    write()
    made.write = write
    yield made
    switching.switch_off(made)


@pytest.fixture(autouse=True)
def only_messages(monkeypatch):
    """Serve messages alone: what other kinds wrap is for their tests."""
    kept = [kind for kind in KINDS if kind.name in ("request", "message")]
    monkeypatch.setattr(switching, "KINDS", kept)
    # A test of the command check may have begun to import it.
    monkeypatch.delitem(sys.modules, "nova", raising=False)


def served(method="ping", **more):
    """Serve one message; return what was asked and answered."""
    made = Server()
    try:
        return made.serve(method, **more)
    finally:
        made.bus.stop()


def test_messages_are_recorded_under_the_programs_name(conf, tmp_path):
    """Though the option has its default."""
    log = tmp_path / "records.json"
    conf.write(log_file=log, log_requests="message:all")

    switching.switch_on(conf)
    served()

    assert '"service":"nova-conductor"' in log.read_text()
    assert '"kind":"message"' in log.read_text()


def test_a_name_that_is_set_is_the_services(conf, tmp_path):
    """An operator knows better."""
    log = tmp_path / "records.json"
    conf.write(log_file=log, log_requests="message:all", service_name="cell7")

    switching.switch_on(conf)
    served()

    assert '"service":"cell7"' in log.read_text()


def test_another_projects_db_api_is_timed_under_the_programs_name(conf):
    """As in its API; the name there is the API's alone."""
    conf([], project="cinder", prog="cinder-volume")
    switching.switch_on(conf)

    group = conf.nova_profiler
    assert "cinder.db.api" in group.db_api_modules
    assert group.service_name == "nova-api"


def test_twice_is_once(conf, tmp_path):
    """nova makes two notifiers."""
    log = tmp_path / "records.json"
    conf.write(log_file=log, log_requests="message:all")

    switching.switch_on(conf)
    switching.switch_on(conf)
    served()

    assert len(log.read_text().splitlines()) == 1


def test_beside_the_filter_hooks_are_there_once(conf, tmp_path):
    """In nova-api both stand in one process."""
    conf.write(log_file=tmp_path / "records.json")
    bare = transport.Transport._send
    made = make_filter(conf, {}, {})(lambda environ, start_response: [])
    try:
        switching.switch_on(conf)
        hooked = transport.Transport._send
    finally:
        made.worker.undo()

    assert hooked.__wrapped__ is bare
    assert transport.Transport._send is hooked
    switching.switch_off(conf)
    assert transport.Transport._send is bare


def test_a_wrong_option_is_one_line_and_the_service_runs(conf, caplog):
    """With the place and what is expected."""
    conf.write(slow_ms="soon")

    switching.switch_on(conf)
    incoming = served()

    assert incoming.replies == [None]
    assert caplog.messages == [
        "nova-profiler is off in this process: nova.conf, [nova_profiler]: "
        "slow_ms = 'soon': expected a number, 0 or more"
    ]


def test_notifiers_answer_as_before_even_then(conf):
    """The driver is loaded, whatever becomes of the rest."""
    conf.write(slow_ms="soon")
    notifier = imported("oslo_messaging.notify.notifier").Notifier
    bare = notifier.is_enabled

    switching.switch_on(conf)
    wrapped = notifier.is_enabled
    switching.switch_off(conf)

    assert wrapped.__wrapped__ is bare
    assert notifier.is_enabled is bare


def test_an_error_of_others_is_named_by_its_class(conf, caplog, monkeypatch):
    """Its text may hold anything."""

    def fail(*args):
        raise RuntimeError("a secret")

    monkeypatch.setattr(switching, "LiveSettings", fail)

    switching.switch_on(conf)

    assert caplog.messages == [
        "nova-profiler is off in this process: RuntimeError"
    ]


def test_a_kind_that_cannot_be_served_leaves_the_others(
    conf, caplog, monkeypatch, tmp_path
):
    """Said once, at the first message."""
    log = tmp_path / "records.json"
    conf.write(log_file=log, log_requests="message:all")
    missing = KINDS[1]._replace(name="missing", module="missing")
    monkeypatch.setattr(switching, "KINDS", [missing, KINDS[1]])

    switching.switch_on(conf)
    before = caplog.messages[:]
    served()

    assert before == []
    assert "serving_missing failed (ModuleNotFoundError)" in caplog.text
    assert len(log.read_text().splitlines()) == 1


def test_the_first_message_brings_what_is_no_attribute(conf, tmp_path):
    """The collector's callback waits for it, as commands serve none."""
    conf.write(log_file=tmp_path / "log", log_requests="message:all")
    bare = len(gc.callbacks)

    switching.switch_on(conf)
    before = len(gc.callbacks)
    served()
    after = len(gc.callbacks)
    switching.switch_off(conf)

    assert before == bare
    assert after > bare
    assert active == {}


def test_options_change_while_it_serves(conf, tmp_path):
    """Without a restart, as in nova-api."""
    log = tmp_path / "records.json"
    conf.write(log_file=log, log_requests="false")
    switching.switch_on(conf)
    served()
    before = log.exists()

    (tmp_path / "nova.conf").write_text(
        f"[nova_profiler]\nlog_file = {log}\nlog_requests = message:all\n"
    )
    found = server.RPCServer._process_incoming.__closure__
    for cell in found:
        worker = getattr(cell.cell_contents, "_worker", None)
        if worker is not None:
            worker.live.check_at = 0.0
    served()

    assert before is False
    assert '"service":"nova-conductor"' in log.read_text()
