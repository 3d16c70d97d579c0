# SPDX-License-Identifier: Apache-2.0
"""Secrets that calls carry are in nothing that the filter writes."""

from __future__ import annotations

import concurrent.futures
import gc
import itertools
import logging
import sys
import types
from contextlib import suppress

import pytest
import sqlalchemy
from imported import imported
from messaging import bus
from oslo_config import cfg
from secret_requests import answer_with, ask_with, headers_with, path_with
from serving import during, served, set_clock
from stub_service import stub_service

from nova_profiler import factory, groups
from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.http import request_names
from nova_profiler.capture.sinks.statsd_udp import Transport
from nova_profiler.cli import main

daemon = imported("oslo_privsep.daemon")
dogpile = imported("dogpile.cache")
lockutils = imported("oslo_concurrency.lockutils")
processutils = imported("oslo_concurrency.processutils")
policy = imported("oslo_policy.policy")
requests = imported("requests")
rootwrap = imported("oslo_rootwrap.client")
urllib3 = imported("urllib3")

SECRETS = ("Tr0ub4dor", "hunter2", "gAAAAABmQ2x1c3Rlcl9zZWNyZXQ")
CANARY = "-".join(SECRETS)
# A metric's name and a slug have their own spelling of it.
WRITTEN = tuple(secret.lower() for secret in SECRETS)
# But the ones that only a full pool or a lost connection shows.
GROUPS = {group.name for group in groups.GROUPS} - {"ping"}
DB_API = "a_db_api_with_secrets"
# What prints the dumps.
COMMANDS = ("show --last --full", "show --last --json", "calls", "list")


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


def ask_services(url):
    """Users, paths, queries, headers, bodies, in requests and replies."""
    path = path_with(CANARY)
    headers = headers_with(CANARY)
    ask_with(CANARY, url)
    with suppress(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:1/{CANARY}", timeout=9)
    urllib3.PoolManager().request("GET", f"{url}{path}", headers=headers)


def use_caches(folder):
    """Keys and values, and a name of a file."""
    region = dogpile.make_region(key_mangler=str)
    region.configure(
        "dogpile.cache.dbm", arguments={"filename": str(folder / CANARY)}
    )
    region.set(CANARY, CANARY)
    region.get(CANARY)
    memory = dogpile.make_region()
    memory.configure("dogpile.cache.memory")
    memory.set(CANARY, CANARY)


class InstanceEvent:
    name = f"network-vif-plugged-{CANARY}"

    def wait(self, timeout):
        return CANARY


def db_api_of(engine):
    """Return a DB API of one function, whose values are secrets."""

    def find(context, name):
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (a)")
            insert = sqlalchemy.text("INSERT INTO t VALUES (:a)")
            connection.execute(insert, {"a": name})
            connection.execute(insert, [{"a": name}, {"a": name}])
            text = f"SELECT a FROM t WHERE a = '{CANARY}' -- {CANARY}"
            return connection.exec_driver_sql(text).fetchall()

    find.__module__ = DB_API
    module = types.ModuleType(DB_API)
    module.find = find
    return module


def named(*args):
    """Be timed, whatever it is given."""
    return args


def count():
    """Rules, targets and options, which are only counted."""
    with suppress(cfg.NoSuchOptError):
        cfg.ConfigOpts()._get(CANARY)
    with suppress(Exception):
        policy.Enforcer(cfg.ConfigOpts()).enforce(CANARY, {CANARY: CANARY}, {})


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


@pytest.fixture
def modules(monkeypatch, tmp_path):
    """Have a DB API, something to time, and what nova waits for events by."""
    engine = sqlalchemy.create_engine(
        f"sqlite:///{tmp_path / 'db'}", poolclass=sqlalchemy.pool.QueuePool
    )
    monkeypatch.setitem(sys.modules, DB_API, db_api_of(engine))
    manager = types.ModuleType("nova.compute.manager")
    manager.ComputeVirtAPI = type(
        "ComputeVirtAPI", (), {"_InstanceEvent": InstanceEvent}
    )
    monkeypatch.setitem(sys.modules, "nova.compute.manager", manager)
    monkeypatch.setattr(request_names, "_keys", {})
    monkeypatch.setattr(request_names, "_hosts", set())
    yield
    engine.dispose()


def test_no_secret_is_in_any_output(
    tmp_path, workers, modules, long_waits, own_lines, monkeypatch, capsys
):
    """One request with every kind of call, to every kind of destination."""
    monkeypatch.setattr(HOOK_FAILURES, "_counts", {})
    outputs = []
    monkeypatch.setattr(
        Transport, "send", lambda self, data: outputs.append(data)
    )
    dumps = tmp_path / "dumps"
    options = {
        "dump_dir": str(dumps),
        "dump_when": "all",
        # Each call is slow by these clocks, and its line is looked for.
        "slow_call_ms": "1",
        "log_file": str(tmp_path / "requests.json"),
        "log_calls": "true",
        "statsd_host": "127.0.0.1",
        "db_api_modules": DB_API,
        "timed_callables": f"{__name__}:named",
    }

    def work():
        send_messages()
        execute_programs(monkeypatch)
        wait_and_log()
        ask_services(service.url)
        use_caches(tmp_path)
        InstanceEvent().wait(CANARY)
        sys.modules[DB_API].find(None, CANARY)
        sys.modules[__name__].named(CANARY)
        count()

    with stub_service() as service:
        answer_with(CANARY, service)
        made = factory.make_filter(cfg.ConfigOpts(), {}, options)
        assert served(made(during(work))).body == b"ok"
    files = [*dumps.rglob("*.json"), tmp_path / "requests.json"]
    outputs += [path.read_text() for path in files]
    outputs += own_lines
    for command in COMMANDS:
        assert main([*command.split(), "--dump-dir", str(dumps)]) == 0
    assert main(["report", str(tmp_path / "requests.json")]) == 0
    outputs.append(capsys.readouterr().out)

    text = "\n".join(outputs)
    assert len(files) == 2
    # What the test is about was really there.
    assert {one for one in GROUPS if f'"{one}"' not in text} == set()
    for counted in groups.COUNTS:
        assert f'"{counted.name}"' in text
    assert '"made_by"' in text
    assert ".rpc.conductor.rebuild:" in text
    assert ".lock.nova-_id:" in text
    assert "GET /v2.1/servers" in text
    for secret in WRITTEN:
        assert secret not in text.lower()
    assert HOOK_FAILURES.counts() == {}
