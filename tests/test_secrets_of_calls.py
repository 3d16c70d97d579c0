# SPDX-License-Identifier: Apache-2.0
"""Secrets that calls carry are in nothing that the filter writes."""

from __future__ import annotations

import concurrent.futures
import gc
import itertools
import logging
import types
from contextlib import suppress

import pytest
from imported import imported
from messaging import bus
from oslo_config import cfg
from serving import during, served, set_clock

from nova_profiler import factory, groups
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.sinks.statsd_udp import Transport

daemon = imported("oslo_privsep.daemon")
lockutils = imported("oslo_concurrency.lockutils")
processutils = imported("oslo_concurrency.processutils")
rootwrap = imported("oslo_rootwrap.client")

SECRETS = ("Tr0ub4dor", "hunter2", "gAAAAABmQ2x1c3Rlcl9zZWNyZXQ")
CANARY = "-".join(SECRETS)
GROUPS = {"rpc", "rpc_serialise", "process", "lock", "log", "gc", "pool"}


def send_messages():
    """Tokens in contexts, passwords in arguments, odd names of methods."""
    ctxt = {"auth_token": CANARY, "service_catalog": [CANARY]}
    instance = {
        "nova_object.name": CANARY,
        "nova_object.data": {"admin_pass": CANARY},
    }
    with bus() as started:
        client = started.client()
        client.call(ctxt, "rebuild", new_pass=CANARY, answer=CANARY)
        client.cast(ctxt, "object_action", objinst=instance, objmethod=CANARY)
        client.cast(ctxt, CANARY)
        client.prepare(topic=f"topic.{CANARY}").cast(ctxt, "ping")
        started.notifier().info(ctxt, "instance.create", {"pass": CANARY})
        with suppress(LookupError):
            client.call(ctxt, "rebuild", fails=CANARY)


def execute_programs(monkeypatch):
    """Passwords in arguments, in the environment and in a shell's line."""
    processutils.execute("env", f"PASSWORD={CANARY}", "true", CANARY)
    processutils.execute("true", env_variables={"PASSWORD": CANARY})
    processutils.execute(f"PASSWORD='{CANARY} x' true", shell=True)
    with suppress(processutils.ProcessExecutionError):
        processutils.execute("false", CANARY)
    with suppress(OSError):
        processutils.execute(f"/opt/{CANARY}/{CANARY}")
    with suppress(AttributeError):
        processutils.ssh_execute(None, f"login {CANARY}")
    channel = daemon._ClientChannel.__new__(daemon._ClientChannel)
    monkeypatch.setattr(
        daemon._ClientChannel,
        "send_recv",
        lambda *args: (daemon.comm.Message.RET, None),
    )
    channel.remote_call("nova.privsep.x", (CANARY,), {CANARY: CANARY}, None)
    channel.remote_call(CANARY, (), {}, None)
    client = rootwrap.Client([CANARY])
    client._initialized = True
    client._proxy = types.SimpleNamespace(
        run_one_command=lambda cmd, stdin: (0, CANARY, CANARY)
    )
    client.execute(["tee", CANARY], CANARY)
    client.execute([CANARY])


def wait_and_log():
    """Names of locks and pools, and messages."""
    with lockutils.lock(f"nova-{CANARY}"), lockutils.lock(CANARY):
        pass
    log = logging.Logger("of_the_service")
    log.addHandler(type(CANARY, (logging.NullHandler,), {})())
    log.addHandler(type(CANARY, (logging.Handler,), {"emit": _emit})())
    log.warning("password %s", CANARY)
    with concurrent.futures.ThreadPoolExecutor(1, CANARY) as pool:
        pool.submit(str, CANARY).result(60)
    gc.collect()


def _emit(handler, record):
    record.getMessage()


@pytest.fixture
def workers(monkeypatch):
    made: dict = {}
    monkeypatch.setattr(factory, "_workers", made)
    yield made
    for worker, _ in made.values():
        worker.undo()


@pytest.fixture
def long_waits(monkeypatch):
    """Let every wait be a long one, which has a name."""
    ticks = itertools.count()
    set_clock(monkeypatch, lambda: next(ticks) * 0.001)


@pytest.fixture
def own_lines():
    """Return what our own loggers have in their records."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(
        f"{record.getMessage()} {vars(record)}"
    )
    log = logging.getLogger("nova_profiler")
    level = log.level
    log.addHandler(handler)
    log.setLevel("DEBUG")
    yield lines
    log.setLevel(level)
    log.removeHandler(handler)


def test_no_secret_is_in_any_output(
    tmp_path, workers, long_waits, own_lines, monkeypatch
):
    """One request with every kind of call, to every kind of destination."""
    monkeypatch.setattr(HOOK_FAILURES, "_counts", {})
    outputs = []
    monkeypatch.setattr(
        Transport, "send", lambda self, data: outputs.append(data)
    )
    hooks = [hook.name for hook in groups.HOOKS if hook.is_choice]
    hooks.remove("db_api")
    options = {
        "dump_dir": str(tmp_path / "dumps"),
        "dump_when": "all",
        "log_file": str(tmp_path / "requests.json"),
        "log_calls": "true",
        "statsd_host": "127.0.0.1",
        "hooks": ",".join(hooks),
    }

    def work():
        send_messages()
        execute_programs(monkeypatch)
        wait_and_log()

    made = factory.make_filter(cfg.ConfigOpts(), {}, options)(during(work))
    assert served(made).body == b"ok"
    outputs += [path.read_text() for path in tmp_path.rglob("*.json")]
    outputs += own_lines

    text = "\n".join(outputs)
    assert len(list(tmp_path.rglob("*.json"))) == 2
    # What the test is about was really there.
    for group in GROUPS:
        assert f'"{group}"' in text
    assert ".rpc.conductor.rebuild:" in text
    assert ".lock.nova-_id:" in text
    assert "GET /v2.1/servers" in text
    for secret in SECRETS:
        assert secret not in text
    assert HOOK_FAILURES.counts() == {}
