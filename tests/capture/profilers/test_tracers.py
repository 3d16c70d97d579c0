# SPDX-License-Identifier: Apache-2.0
"""Whether another process may look into this one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nova_profiler.capture.profilers import tracers


def ended(code):
    """Return what a process of another user printed that ran *code*."""
    # Its user may not read where Python is: imported before.
    code = f"import ctypes, os\nos.setuid(65534)\n{code}"
    text = f"""
import sys
sys.path[:0] = {sys.path!r}
from nova_profiler.capture.profilers import tracers
{code}"""
    return subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def test_a_process_that_keeps_its_user_is_open_to_it():
    """As most servers do, which their unit starts as nova."""
    assert not tracers.has_changed_user()
    assert not tracers.has_changed_user(os.getppid())


def test_a_process_that_is_gone_has_not_changed():
    """And no other is."""
    assert not tracers.has_changed_user(2**30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change")
def test_the_kernel_says_which_process_changed_its_user():
    """And that it may be looked into when it asks for that."""
    printed = ended(
        "print(tracers.has_changed_user())\n"
        "tracers.be_dumpable(True)\n"
        "print(tracers.has_changed_user())\n"
        "tracers.be_dumpable(False)\n"
        "print(tracers.has_changed_user())\n"
    )

    assert printed.split() == ["True", "False", "True"]


@pytest.mark.parametrize(
    ("scope", "asked"), [(None, []), ("0", []), ("1", [7]), ("2", [])]
)
def test_a_tracer_is_named_where_yama_wants_it(
    tmp_path, monkeypatch, scope, asked
):
    """At 0 the same user may, at 2 only root."""
    path = tmp_path / "ptrace_scope"
    if scope is not None:
        path.write_text(f"{scope}\n")
    monkeypatch.setattr(tracers, "_SCOPE", str(path))
    found = []
    monkeypatch.setattr(
        tracers, "_prctl", lambda option, value: found.append(value)
    )

    tracers.allow_tracer(7)

    assert found == asked
