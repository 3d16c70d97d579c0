# SPDX-License-Identifier: Apache-2.0
"""The cloud's processes, for which small programs stand in."""

from __future__ import annotations

import pytest

from demo.cloud.processes import CloudError, Processes, answers, free_port

WAIT_S = 60


def test_all_end_with_the_block(tmp_path):
    """Also when it is left by an error."""
    with pytest.raises(LookupError, match="left"):
        with Processes(tmp_path / "output") as processes:
            processes.start("one", ["sleep", "1000"])
            processes.start("two", ["sh", "-c", "sleep 1000 & wait"])
            started = list(processes._running.values())
            raise LookupError("left")

    assert [process.poll() is not None for process in started] == [True, True]


def test_one_that_ends_early_is_named_with_its_last_lines(tmp_path):
    """The log file may say more; these lines mostly do."""
    with Processes(tmp_path) as processes:
        processes.start("one", ["sh", "-c", "echo no such option; exit 3"])

        with pytest.raises(CloudError, match="one: has ended, status 3") as no:
            processes.wait("one", "not up", lambda: False, WAIT_S)

    assert str(no.value).endswith("no such option")


def test_one_that_does_not_come_up_is_named(tmp_path):
    """No wait is without an end."""
    with Processes(tmp_path) as processes:
        processes.start("one", ["sleep", "1000"])

        with pytest.raises(CloudError, match="one: not up after 0 s"):
            processes.wait("one", "not up", lambda: False, 0)


def test_configuration_from_outside_stays_outside(tmp_path, monkeypatch):
    """A variable of oslo.config's would change what a service reads."""
    for name in ("OS_DEFAULT__HOST", "RABBITMQ_NODENAME", "NOVA_PROFILER_X"):
        monkeypatch.setenv(name, "theirs")
    with Processes(tmp_path) as processes:
        processes.start("one", ["env"], {"OS_MINE": "ours"})
        processes._running["one"].wait(WAIT_S)
        seen = processes.output("one")

    assert "theirs" not in seen
    assert "OS_MINE=ours" in seen


def test_nothing_answers_on_a_free_port():
    """Until something listens there."""
    assert not answers(free_port())
