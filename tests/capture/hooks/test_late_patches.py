# SPDX-License-Identifier: Apache-2.0
"""Libraries are hooked once something else has loaded them."""

from __future__ import annotations

import logging
import sys
import threading
import types
from contextlib import suppress

import pytest
from faults import failing, places_in
from serving import Profiled, during

from nova_profiler.capture.hooks import late_patches
from nova_profiler.capture.hooks.late_patches import (
    Point,
    look_again,
    missing_points,
    patch_when_loaded,
    waiting_modules,
)

NAME = "a_library_of_others"


def waiting_here():
    """Return the modules of these tests that hooks wait for.

    A filter that another test of this process has made may wait for nova's.
    """
    return {name for name in waiting_modules() if not name.startswith("nova")}


def wrap(function):
    def wrapped(*args, **kwargs):
        return "wrapped", function(*args, **kwargs)

    return wrapped


def library():
    module = types.ModuleType(NAME)

    class Client:
        def call(self, method, *, timeout=1):
            return method

        number = 5

    module.Client = Client
    module.send = lambda url, method: method
    module.anything = lambda *args, **kwargs: args
    return module


def point(path="send", takes=("method",), module=NAME):
    return Point("http", module, path, wrap, takes)


@pytest.fixture
def load(monkeypatch):
    """Return what loads the library; what was logged is logged again."""
    monkeypatch.setattr(late_patches, "_logged", set())

    def load(module=None):
        module = module or library()
        monkeypatch.setitem(sys.modules, NAME, module)
        return module

    return load


@pytest.fixture
def install():
    undos = []

    def install(*points):
        undos.append(patch_when_loaded(points))
        return undos[-1]

    yield install
    for undo in undos:
        undo()


def test_what_is_loaded_is_replaced_at_once(load, install):
    module = load()

    install(point(), point("Client.call"))

    assert module.send("u", "GET") == ("wrapped", "GET")
    assert module.Client().call("GET") == ("wrapped", "GET")
    assert waiting_here() == set()


def test_nothing_is_imported(install):
    """Not even what could be."""
    name = "this.module"
    sys.modules.pop(name, None)

    install(point(module=name))
    look_again()

    assert name not in sys.modules
    assert waiting_here() == {name}
    assert missing_points() == []


@pytest.mark.parametrize("by", ["the first request", "a look at the settings"])
def test_what_is_loaded_later_is_replaced_then(load, install, by):
    profiled = Profiled(during(int))
    if by != "the first request":
        profiled.get()
    install(point())
    module = load()

    if by == "the first request":
        profiled.get()
    else:
        profiled.live.check = lambda now: None
        profiled.worker.check_settings(0.0)

    assert module.send("u", "GET") == ("wrapped", "GET")


def test_a_module_that_is_being_imported_is_left_alone(load, install):
    """Half of it is not there yet."""
    module = load(types.ModuleType(NAME))
    module.__spec__ = types.SimpleNamespace(_initializing=True)
    install(point())
    assert missing_points() == []

    vars(module).update(vars(library()))
    module.__spec__ = types.SimpleNamespace(_initializing=False)
    look_again()

    assert module.send("u", "GET") == ("wrapped", "GET")


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (point("receive"), "no attribute 'receive'"),
        (point("Server.call"), "no attribute 'Server'"),
        (point("Client.call", ("self", "topic")), "no parameter topic"),
        (point("Client.number"), "not a callable"),
    ],
    ids=str,
)
def test_what_is_not_as_it_was_is_named_once(
    load, install, caplog, missing, reason
):
    """The rest is replaced as ever."""
    caplog.set_level(logging.WARNING, "nova_profiler")
    module = load()

    install(missing, point())
    install(missing)
    look_again()

    (line,) = missing_points()
    assert line.startswith(f"hook http: no {NAME}:{missing.path}")
    assert reason in line
    assert [line in text for text in caplog.messages] == [True]
    assert module.send("u", "GET") == ("wrapped", "GET")


def test_a_wrapper_of_others_may_take_anything(load, install):
    """Another agent's wrapper hides the parameters."""
    module = load()

    install(point("anything"))

    assert module.anything(1) == ("wrapped", (1,))


def test_undo_puts_back_and_forgets(load, install):
    original = load().send
    undo = install(point(), point("receive"), point(module="not.loaded"))

    undo()
    undo()

    assert sys.modules[NAME].send is original
    assert waiting_here() == set()
    assert missing_points() == []


def test_two_installers_wrap_once(load, install):
    first = install(point())
    install(point())
    module = load()
    look_again()
    assert module.send("u", "GET") == ("wrapped", "GET")

    first()

    assert module.send("u", "GET") == ("wrapped", "GET")


def test_a_broken_log_is_no_reason_to_fail(load, install, monkeypatch):
    def broken(*args):
        raise RuntimeError("disk full")

    monkeypatch.setattr(late_patches.LOG, "warning", broken)
    load()

    install(point("receive"))

    assert len(missing_points()) == 1


def test_a_look_while_another_thread_looks_does_not_wait(
    load, install, monkeypatch
):
    """A request must not stand still for it."""
    install(point())
    module = load()

    looking, ended = threading.Event(), threading.Event()

    class Slow:
        waiting = ()

        def look(self):
            looking.set()
            assert ended.wait(30)

    monkeypatch.setattr(
        late_patches, "_installed", [Slow(), *late_patches._installed]
    )
    thread = threading.Thread(target=look_again)
    thread.start()
    assert looking.wait(30)

    look_again()
    seen = module.send("u", "GET")
    ended.set()
    thread.join()

    assert seen == "GET"
    assert late_patches._look.under is None


def test_a_finalizer_may_look_while_its_thread_does(
    load, install, monkeypatch
):
    """Each point is replaced once, and none is called missing."""
    install(point())
    module = load()
    patched = late_patches._patched

    def nested(module, one):
        late_patches._look.under = None
        look_again()
        return patched(module, one)

    monkeypatch.setattr(late_patches, "_patched", nested)

    look_again()

    assert module.send("u", "GET") == ("wrapped", "GET")
    assert missing_points() == []


@pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="from 3.12 on tracing misses instructions",
)
def test_no_fault_leaves_the_lock_held(monkeypatch):
    """A thread that comes later would wait for good."""
    monkeypatch.setattr(late_patches, "_installed", [])

    def free():
        found = []
        lock = late_patches._lock.now

        def take():
            found.append(lock.acquire(timeout=5))
            if found[0]:
                lock.release()

        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
        return found[0]

    def look():
        late_patches._installed[:] = [late_patches._Patches([point()])]
        with suppress(MemoryError):
            look_again()

    for place in places_in(look, lambda code: False):
        with suppress(MemoryError):
            failing(place, look)
        assert free(), place
