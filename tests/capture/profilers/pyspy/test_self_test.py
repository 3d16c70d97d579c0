# SPDX-License-Identifier: Apache-2.0
"""Tests of trying py-spy out, with stand-ins and the real one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from nova_profiler.capture.profilers.pyspy import self_test


@pytest.fixture
def program(tmp_path):
    """Return what makes a program of *lines* for a shell."""

    def made(*lines):
        path = tmp_path / "py-spy"
        path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
        path.chmod(0o755)
        return str(path)

    return made


def test_a_refusal_is_told_with_what_to_do(program):
    """In one line."""
    refused = program("echo 'Error: Permission Denied' >&2", "exit 1")

    problem = self_test.problem_with(refused)

    assert "CAP_SYS_PTRACE" in problem
    assert "\n" not in problem


def test_a_program_that_is_not_there_is_told(tmp_path):
    """Whatever the shell prints about it."""
    problem = self_test.problem_with(str(tmp_path / "py-spy"))

    assert problem.startswith("py-spy did not begin")


def test_a_py_spy_without_stacks_is_told(program):
    """It begins and ends well, and has seen nothing."""
    blind = program("echo 'Sampling process' >&2", "sleep 0.2")

    assert "no stack" in self_test.problem_with(blind)


def test_a_trial_that_hangs_is_given_up(program):
    """The command does not wait for ever."""
    slow = program("sleep 30")

    assert "overloaded" in self_test.problem_with(slow, longest_s=0.2)


@pytest.mark.services
def test_where_it_may_look_there_is_no_problem(pyspy):
    """The real one, looking into a process of ours."""
    assert self_test.problem_with(pyspy) is None


@pytest.mark.services
@pytest.mark.parametrize("dumpable", [False, True])
def test_a_process_that_changed_its_user_is_tried_out(pyspy, dumpable):
    """The real thing: what the kernel forbids then, and the option allows."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    user = self_test.User("nobody", 65534, 65534)
    if not readable_by_others(pyspy) or not readable_by_others(sys.executable):
        pytest.skip("the programs lie where only root finds them")

    problem = self_test.problem_with(
        pyspy, user=user, changed=True, dumpable=dumpable
    )

    if dumpable:
        assert problem is None
    else:
        assert problem.startswith(
            "py-spy may not look: this process changed its user"
        )


def readable_by_others(path):
    """Return whether each folder above *path* lets other users in."""
    real = Path(path).resolve()
    return all(one.stat().st_mode & 0o001 for one in (real, *real.parents))
