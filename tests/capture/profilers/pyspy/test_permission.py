# SPDX-License-Identifier: Apache-2.0
"""Whether py-spy may look, and the reason where it may not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nova_profiler.capture.profilers.pyspy import engine as engine_module
from nova_profiler.capture.profilers.pyspy import permission
from nova_profiler.capture.profilers.pyspy.engine import PyspyEngine

REFUSED = b"Error: Permission Denied: Try running again with elevated\n"


@pytest.fixture
def changed(monkeypatch):
    """Be a process that changed its user; return what it asks of prctl."""
    asked = []
    for module in (permission, engine_module):
        monkeypatch.setattr(module, "has_changed_user", lambda: True)
    monkeypatch.setattr(engine_module, "be_dumpable", asked.append)
    monkeypatch.setattr(engine_module, "allow_tracer", lambda pid: None)
    monkeypatch.setattr(
        engine_module, "Recording", lambda *arguments: "a recording"
    )
    return asked


def ended(code):
    """Return what a process of another user printed that ran *code*."""
    # Its user may not read where Python is: imported before.
    code = f"import ctypes, os\nos.setuid(65534)\n{code}"
    text = f"""
import sys
sys.path[:0] = {sys.path!r}
from nova_profiler.capture.profilers.pyspy import permission
{code}"""
    return subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def test_a_process_that_keeps_its_user_is_open_to_it():
    """As most servers do, which their unit starts as nova."""
    assert not permission.has_changed_user()
    assert not permission.has_changed_user(os.getppid())


def test_a_process_that_is_gone_has_not_changed():
    """And no other is."""
    assert not permission.has_changed_user(2**30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change")
def test_the_kernel_says_which_process_changed_its_user():
    """And that it may be looked into when it asks for that."""
    printed = ended(
        "print(permission.has_changed_user())\n"
        "permission.be_dumpable(True)\n"
        "print(permission.has_changed_user())\n"
        "permission.be_dumpable(False)\n"
        "print(permission.has_changed_user())\n"
    )

    assert printed.split() == ["True", "False", "True"]


def test_the_reason_is_the_change_of_user(changed):
    """Not what is the case already: yama's setting, or one user."""
    advice = permission.advice_on(REFUSED)

    assert advice == (
        "py-spy may not look: this process changed its user after it had "
        "started, so that the kernel lets no process of that user look into "
        "it: start the server as that user, or set profiler_dumpable = true"
    )


def test_without_a_change_the_reason_is_another():
    """A container, or yama."""
    assert "CAP_SYS_PTRACE" in permission.advice_on(REFUSED)


def test_a_worker_is_open_only_where_the_option_says_so(changed):
    """It holds what its former user could read."""
    engine = PyspyEngine("py-spy", lambda *noted: None)

    assert engine._recording(10) == "a recording"
    engine._forbid()

    assert changed == []


def test_a_worker_is_open_while_py_spy_records(changed):
    """And no longer."""
    engine = PyspyEngine("py-spy", lambda *noted: None, True)

    engine._recording(10)
    engine._recording(10)
    assert changed[-1] is True
    engine._forbid()
    engine._forbid()

    assert changed == [True, True, False]


def test_a_worker_that_kept_its_user_stays_as_it_is(changed, monkeypatch):
    """The option changes nothing there."""
    monkeypatch.setattr(engine_module, "has_changed_user", lambda: False)
    engine = PyspyEngine("py-spy", lambda *noted: None, True)

    engine._recording(10)
    engine._forbid()

    assert changed == []
