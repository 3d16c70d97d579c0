# SPDX-License-Identifier: Apache-2.0
"""Each hook has a price, and what is measured is really timed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("sqlalchemy", minversion="2.0")

from benchmarks.cli import main
from benchmarks.price.hooks import measuring
from benchmarks.price.hooks.cases import CASES, ELSEWHERE
from nova_profiler.groups import HOOKS

ALL = [
    pytest.param(hook, case, id=f"{hook.name}, {case.label}")
    for hook in HOOKS
    for case in CASES.get(hook.name, ())
]


def test_no_hook_is_without_a_price():
    """A new row of groups.HOOKS needs a case."""
    assert measuring.unmeasured() == []
    assert {*CASES, *ELSEWHERE} == {hook.name for hook in HOOKS}


def test_a_hook_without_a_case_is_shown(monkeypatch):
    monkeypatch.delitem(CASES, "lock")

    labels = {one.label: one.met for one in measuring.figures([])}

    assert labels == {"lock: no case": None}


@pytest.mark.parametrize(("hook", "case"), ALL)
def test_what_is_measured_is_in_the_request(hook, case, caplog):
    """A hook that is not in place would cost nothing."""
    taken = measuring._taken(hook, case)

    with case.make() as call, measuring._installed(case.needs):
        call()
        with (
            measuring._installed(hook.name, *taken),
            measuring._request() as capture,
        ):
            call()
            lanes = capture.lanes[:]

    calls = [key.group for lane in lanes for key in lane.calls]
    groups = {group.name for group in hook.groups}
    if hook.name == "threads":
        assert len(lanes) == 2
    elif hook.name == "lock" or not groups & {*calls}:
        assert any(sum(lane.counts) for lane in lanes)
    assert caplog.messages == []


def test_the_command_prints_a_row_a_hook(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "_CALLS", 1)
    path = tmp_path / "prices.json"

    done = CliRunner().invoke(main, ["hooks", "--quick", "--json", str(path)])

    assert done.exit_code == 0, done.output
    found = json.loads(path.read_text())["hooks"]
    assert [one["hook"] for one in found] == [
        hook.name for hook in HOOKS for _ in CASES.get(hook.name, ())
    ]
