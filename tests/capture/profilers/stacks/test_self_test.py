# SPDX-License-Identifier: Apache-2.0
"""The reader tried out on a process made for that."""

from __future__ import annotations

import pytest

from nova_profiler.capture.profilers.stacks import self_test

pytestmark = pytest.mark.services


def test_where_it_may_look_there_is_no_problem():
    """As in the worker itself."""
    assert self_test.problem_with() is None


def test_what_is_in_its_way_is_printed_in_one_line(monkeypatch, capsys):
    """And the process fails."""

    def refused(slots):
        raise self_test.StacksError("Operation not permitted", is_final=True)

    monkeypatch.setattr(self_test, "started", refused)

    assert self_test.main() == 1
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "Operation not permitted" in printed
    assert "pyinstrument" in printed


def test_a_trial_that_takes_too_long_is_given_up():
    """The command does not wait for ever."""
    assert "overloaded" in self_test.problem_with(longest_s=0.001)


def test_a_process_that_breaks_off_is_a_problem(monkeypatch):
    """It prints nothing, and fails."""
    monkeypatch.setattr(self_test, "_CODE", "sys.exit(2)")

    assert "broke off" in self_test.problem_with()
