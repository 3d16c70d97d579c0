# SPDX-License-Identifier: Apache-2.0
"""Which line of the application made a slow call."""

from __future__ import annotations

import functools
import types

import pytest
from executing import executed
from serving import Profiled, during, set_clock

from nova_profiler.capture.calls import CallKey
from nova_profiler.capture.captures import MAX_LINES
from nova_profiler.capture.current import current_lane
from nova_profiler.capture.frames import callers
from nova_profiler.capture.hooks.database.db_api_calls import timed
from nova_profiler.capture.timing import add_wait, call_timed
from nova_profiler.groups import DB_API, HTTP, LOCK

REQUEST = CallKey(HTTP.name, "network GET /v2.0/ports")
FUNCTION = CallKey(DB_API.name, "instance_get")
A_LOCK = CallKey(LOCK.name, "a_lock")


def through(module, call, file="api.py"):
    """Return a function of *module* that makes *call* in its third line."""
    namespace = {"__name__": module, "call": call}
    text = "def made(*args):\n    if args:\n        return call(*args[1:])\n"
    exec(compile(text, f"/opt/{file}", "exec"), namespace)
    # No frame of this file.
    return functools.partial(namespace["made"], None)


@pytest.mark.parametrize(
    ("modules", "line"),
    [
        (["nova.network.neutron"], "nova/network/neutron.py:3 made"),
        (
            ["nova.network.neutron", "neutronclient.client", "requests.api"],
            "nova/network/neutron.py:3 made",
        ),
        # A client of nova's own is called from where the reason is.
        (
            ["nova.api.x", "nova.compute.api", "oslo_x", "nova.image"],
            "nova/image.py:3 made, from nova/compute/api.py:3 made",
        ),
        (
            ["nova.compute.api", "nova.image", "requests", "nova.image"],
            "nova/image.py:3 made, from nova/compute/api.py:3 made",
        ),
        # The nearest of another project, nova's own before it.
        (["nova.api.x", "plugin.of_ours"], "nova/api/x.py:3 made"),
        (["neutron.api.x", "plugin.of_ours"], "plugin/of_ours.py:3 made"),
        (["neutron.api.x", "oslo_db.api"], "neutron/api/x.py:3 made"),
        # nova as the start of a name is no nova.
        (["novatools.x", "nova_profiler.x"], "novatools/x.py:3 made"),
    ],
)
def test_the_nearest_line_of_nova_is_named(modules, line):
    call = callers.calling_line
    for module in reversed(modules):
        call = through(module, call)

    assert call() == line


def test_a_package_is_named_by_its_file():
    call = through("nova.objects", callers.calling_line, "objects/__init__.py")

    assert call() == "nova/objects/__init__.py:3 made"


@pytest.mark.parametrize("name", [None, 7, b"nova"])
def test_a_frame_without_a_module_is_passed(name):
    """Templates and exec() leave such frames."""
    call = through("nova.x", through(name, callers.calling_line))

    assert call() == "nova/x.py:3 made"


def test_a_long_stack_ends_the_walk(monkeypatch):
    monkeypatch.setattr(callers, "_MAX_WALKED", 3)
    call = callers.calling_line
    for module in ["oslo_db.x"] * 9:
        call = through(module, call)

    assert through("nova.x", call)() is None


@pytest.fixture
def clock(monkeypatch):
    """Return what spends a time; the clocks stand still else."""
    made = types.SimpleNamespace(now=1000.0)
    set_clock(monkeypatch, lambda: made.now)
    set_clock(monkeypatch, lambda: 1.0, "thread_time")

    def spend(seconds):
        made.now += seconds

    return spend


def made_by(work, tmp_path, **options):
    """Return what made each call of the timeline, by its name."""
    options = {"dump_dir": str(tmp_path), "dump_when": ("all",), **options}
    profiled = Profiled(during(work), **options)
    profiled.worker.lookout = None
    profiled.get()
    assert profiled.failures.counts() == {}
    return [(one.name, one.made_by) for one in profiled.record.timeline or ()]


def test_each_kind_of_call_has_its_line(clock, tmp_path):
    """Of the database, of others, and of waits that are named afterwards."""

    def driver():
        clock(0.06)

    def waited():
        lane = current_lane()
        add_wait(lane, A_LOCK, 900.0, 901.0)

    def fails():
        clock(0.06)
        raise LookupError

    asks = through(
        "nova.a", timed(lambda: executed("SELECT", driver), FUNCTION)
    )
    sends = through(
        "nova.b",
        lambda: call_timed(current_lane(), REQUEST, clock, (0.06,), {}),
    )
    breaks = through("nova.c", lambda: executed("UPDATE t", fails))
    waits = through("nova.d", waited)

    def work():
        asks()
        sends()
        with pytest.raises(LookupError):
            breaks()
        waits()

    assert sorted(made_by(work, tmp_path)) == [
        ("SELECT", "nova/a.py:3 made"),
        ("UPDATE t", "nova/c.py:3 made"),
        ("a_lock", "nova/d.py:3 made"),
        ("instance_get", "nova/a.py:3 made"),
        ("network GET /v2.0/ports", "nova/b.py:3 made"),
    ]


def test_only_slow_calls_of_dumps_are_looked_at(clock, tmp_path, monkeypatch):
    """A walk costs as much as ten calls that are quick."""
    monkeypatch.setattr(
        "nova_profiler.capture.calls.calling_line", lambda: "here"
    )

    def work():
        for seconds in (0.04, 0.05, 0.06):
            call_timed(current_lane(), REQUEST, clock, (seconds,), {})

    named = REQUEST.name
    assert made_by(work, tmp_path, slow_call_ms=50.5) == [
        (named, None),
        (named, None),
        (named, "here"),
    ]
    monkeypatch.setattr(
        "nova_profiler.capture.calls.calling_line", lambda: pytest.fail("walk")
    )
    assert made_by(work, tmp_path, dump_dir=None) == []


def test_lines_are_bounded(clock, tmp_path, monkeypatch):
    walks = []
    monkeypatch.setattr(
        "nova_profiler.capture.calls.calling_line",
        lambda: walks.append(1) or "here",
    )

    def work():
        for _ in range(MAX_LINES + 100):
            call_timed(current_lane(), REQUEST, clock, (0.06,), {})

    lines = [line for _, line in made_by(work, tmp_path)]

    assert len(walks) == lines.count("here") == MAX_LINES
    assert lines.count(None) == 100
