# SPDX-License-Identifier: Apache-2.0
"""Which function started a thread that works for a request."""

from __future__ import annotations

from nova_profiler.capture.hooks.spawns import thread_spawns
from nova_profiler.capture.profilers.spawners import spawner


def test_it_is_who_calls():
    """With the line that it had come to."""

    def starts_a_thread():
        return spawner()

    frame = starts_a_thread()

    assert frame.f_code is starts_a_thread.__code__


def test_our_own_functions_are_passed_over():
    """Hooks stand between nova and the thread's start."""
    own = compile(
        "def hook(function): return function()", thread_spawns.__file__, "exec"
    )
    names = {}
    exec(own, names)

    frame = names["hook"](spawner)

    assert frame.f_code is test_our_own_functions_are_passed_over.__code__
