# SPDX-License-Identifier: Apache-2.0
"""Locks of hooks: no fork and no finalizer meets one that stays held."""

from __future__ import annotations

import gc
import os
import re
import threading
import types
from pathlib import Path

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.hooks import HookLock, attribute_patches
from nova_profiler.capture.hooks.attribute_patches import patch


def test_a_forked_process_finds_it_free():
    """Its holder, another thread, does not come along."""
    lock = HookLock()
    held, ended = threading.Event(), threading.Event()

    def hold():
        with lock.now:
            held.set()
            assert ended.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if lock.now.acquire(blocking=False) else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    ended.set()
    thread.join()

    assert code == 0


def test_a_fork_by_its_holder_leaves_it_free_in_both():
    lock = HookLock()

    with lock.now:
        pid = os.fork()
    if pid == 0:
        os._exit(0 if lock.now.acquire(blocking=False) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert lock.now.acquire(blocking=False)


def test_a_finalizer_may_patch_while_its_thread_does():
    """One that opens a connection does: its dialect is wrapped then."""
    host = types.SimpleNamespace(one=lambda: 1, two=lambda: 2)

    class AtItsEnd:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            if not is_free():
                raise AssertionError("would wait for itself for ever")
            undos.append(patch(host, "two", lambda found: lambda: 4))

    def is_free():
        found = attribute_patches._lock.now.acquire(blocking=False)
        if found:
            attribute_patches._lock.now.release()
        return found

    def wrap(found):
        AtItsEnd()
        gc.collect()
        return lambda: 3

    undos = []
    undos.append(patch(host, "one", wrap))

    assert (host.one(), host.two()) == (3, 4)
    for undo in undos:
        undo()
    assert (host.one(), host.two()) == (1, 2)


def test_no_module_of_the_filter_keeps_a_lock_that_a_fork_would_copy_held():
    """What its modules share is locked by a HookLock."""
    folder = Path(OWN_FOLDER)
    plain = re.compile(
        r"^\w+(?:: .+)? = (?:threading\.)?(?:R?Lock|Condition)\(", re.M
    )
    found = [
        f"{path.name}: {line}"
        for path in [folder / "factory.py", *folder.glob("capture/**/*.py")]
        for line in plain.findall(path.read_text())
    ]

    assert found == []
