# SPDX-License-Identifier: Apache-2.0
"""Child processes are timed by program, privsep's calls by function."""

from __future__ import annotations

import json
import subprocess
import sys
import types

import pytest
from imported import imported
from places import PROGRAMS, PYTHONPATH
from serving import added_up, calls_of, recorded, set_clock

from nova_profiler.capture.failures import HOOK_FAILURES
from nova_profiler.capture.hooks.processes import child_processes

processutils = imported("oslo_concurrency.processutils")
daemon = imported("oslo_privsep.daemon")
priv_context = imported("oslo_privsep.priv_context")
rootwrap = imported("oslo_rootwrap.client")


@pytest.fixture(autouse=True)
def hook():
    undo = child_processes.install()
    yield
    undo()
    assert child_processes._queueing == {}


def test_a_program_is_timed_by_its_name():
    """What it prints goes back to the caller."""
    printed = []

    def work():
        printed.append(
            processutils.execute("env", "A=secret", "echo", "hello")
        )
        printed.append(
            processutils.execute("echo $0 secret", shell=True)[0].strip()
        )

    record = recorded(work)

    assert printed == [("hello\n", ""), "/bin/sh secret"]
    calls = calls_of(record, "process")
    assert {name: call.count for name, call in calls.items()} == {
        "echo": 1,
        "sh": 1,
    }
    assert record.breakdown_ms["process"] == pytest.approx(
        record.groups["process"].ms
    )
    assert added_up(record) == pytest.approx(record.duration_ms, abs=0.001)


def test_a_program_that_fails_is_an_error():
    def work():
        with pytest.raises(processutils.ProcessExecutionError):
            processutils.execute("false")
        with pytest.raises(FileNotFoundError):
            processutils.execute("no-such-program")

    calls = calls_of(recorded(work), "process")

    assert {name: call.errors for name, call in calls.items()} == {
        "false": 1,
        "no-such-program": 1,
    }


def test_what_is_wrong_with_a_call_is_for_the_library_to_say():
    def work():
        # Releases differ in which of them it is.
        with pytest.raises((TypeError, processutils.UnknownArgumentError)):
            processutils.execute("true", no_such_argument=1)
        with pytest.raises(IndexError):
            processutils.execute(cwd="/")

    assert set(calls_of(recorded(work), "process")) <= {"true", "other"}


def test_ssh_has_one_name():
    """The command is a line for a shell of another host."""

    class Ssh:
        def exec_command(self, command, **kwargs):
            raise ConnectionError("gone")

    def work():
        with pytest.raises(ConnectionError):
            processutils.ssh_execute(Ssh(), "cat secret")

    calls = calls_of(recorded(work), "process")

    assert calls["ssh_execute"].errors == 1


def test_outside_a_request_nothing_is_kept():
    assert processutils.execute("echo", "hello") == ("hello\n", "")


def test_a_name_that_cannot_be_found_costs_the_name_alone(monkeypatch):
    def fails(*args):
        raise RuntimeError("never")

    monkeypatch.setattr(child_processes, "program_of", fails)
    before = HOOK_FAILURES.counts().get("process_hook", 0)

    record = recorded(lambda: processutils.execute("true"))

    assert list(calls_of(record, "process")) == ["other"]
    assert HOOK_FAILURES.counts()["process_hook"] == before + 1


def test_privsep_is_timed_by_function(clock, monkeypatch):
    """Of the call alone, whose name the client sends."""
    set_clock(monkeypatch, clock)

    def answers(self, message, timeout=None):
        clock.advance(2.0)
        return (daemon.comm.Message.RET, message[2][0])

    monkeypatch.setattr(daemon._ClientChannel, "send_recv", answers)
    channel = daemon._ClientChannel.__new__(daemon._ClientChannel)

    def work():
        args = "nova.privsep.fs.mount", ("/mnt",), {"secret": 1}, None
        assert channel.remote_call(*args) == "/mnt"
        assert channel.remote_call(name="a name", args=[5], kwargs={},
                                   timeout=1) == 5  # fmt: skip

    calls = calls_of(recorded(work), "process")

    assert {name: call.ms for name, call in calls.items()} == pytest.approx(
        {"nova.privsep.fs.mount": 2000, "other": 2000}
    )


def test_the_daemon_that_privsep_forks_has_nothing_of_ours():
    """Its start and its calls are timed, on this side of the fork."""
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / "privsep_daemon.py"), "0"],
        env={"PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["daemon"]["pid"] != seen["pid"]
    assert not seen["daemon"]["has_lane"]
    assert seen["daemon"]["active"] == 0
    assert {name: count for name, (count, _) in seen["calls"].items()} == {
        "privsep-daemon": 1,
        "__main__.facts": 1,
        "__main__.slow": 1,
    }
    assert seen["failures"] == {}


class Turn:
    """The lock of rootwrap's client, which takes its time."""

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds

    def __enter__(self):
        self.clock.advance(self.seconds)

    def __exit__(self, *exc_info):
        return None


def rootwrap_client(clock, waits_s, takes_s):
    """Return a client whose daemon has started."""
    client = rootwrap.Client(["no-daemon"])
    client._exec_sem = Turn(clock, waits_s)
    client._initialized = True

    def run_one_command(cmd, stdin):
        clock.advance(takes_s)
        return 0, "out", ""

    client._proxy = types.SimpleNamespace(run_one_command=run_one_command)
    return client


@pytest.mark.parametrize(
    ("waits_s", "lock"), [(3.0, {"rootwrap-daemon": 3000}), (0.00005, {})]
)
def test_waiting_for_rootwrap_s_daemon_is_a_lock_s(
    clock, monkeypatch, waits_s, lock
):
    """It runs one command at a time; the program is the rest."""
    set_clock(monkeypatch, clock)
    client = rootwrap_client(clock, waits_s, 2.0)

    def work():
        found = client.execute(["ip", "netns", "exec", "secret"])
        assert found == (0, "out", "")

    record = recorded(work)

    waits = {name: call.ms for name, call in calls_of(record, "lock").items()}
    assert waits == pytest.approx(lock)
    assert list(calls_of(record, "process")) == ["ip"]
    assert record.breakdown_ms["process"] == pytest.approx(
        2000 if lock else 2000 + waits_s * 1000
    )


def test_rootwrap_s_client_outside_a_request(clock):
    client = rootwrap_client(clock, 0.0, 0.0)

    assert client.execute(cmd=["ip"]) == (0, "out", "")


def test_undo_puts_all_back(hook):
    """As found: the fixture has one more installer."""
    places = (
        (processutils, "execute"),
        (processutils, "ssh_execute"),
        (daemon._ClientChannel, "remote_call"),
        (priv_context.PrivContext, "start"),
        (rootwrap.Client, "execute"),
        (rootwrap.Client, "_ensure_initialized"),
    )
    during = [vars(owner)[name] for owner, name in places]

    child_processes.install()()

    assert [vars(owner)[name] for owner, name in places] == during
