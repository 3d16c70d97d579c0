# SPDX-License-Identifier: Apache-2.0
"""Profiles added up by several processes are the same as by one."""

from __future__ import annotations

import json

import pytest
from profile_builders import (
    API,
    CONTROLLER,
    ORM,
    WAITING,
    pyspy_session,
    rebuild_samples,
    rebuild_stats,
    stacks_session,
    write_session,
    write_stats,
)

from nova_profiler.profiles import RAN_UNSEEN, WAITED_UNSEEN, stack_tree
from nova_profiler.profiles.session_files import read_session
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.reading.code import adding_up
from nova_profiler.reading.code.adding_up import added_up
from nova_profiler.reading.code.hot_path import figures_of
from nova_profiler.reading.command_line.skipped import Skipped


@pytest.fixture
def paths(tmp_path):
    """Profiles of three engines, and a damaged one, over several parts."""
    name, file, _ = API.split("\x00")
    made = []
    for number in range(30):
        made += [
            write_stats(tmp_path / f"{number}.prof", rebuild_stats()),
            write_session(
                tmp_path / f"{number}.pyisession", *rebuild_samples()
            ),
            tmp_path / f"p{number}.pyisession",
        ]
        text = f"{name}\x00{file}\x00{900 - number}\x01l{900 - number}"
        made[-1].write_text(
            json.dumps(
                pyspy_session(
                    ([CONTROLLER, text], 0.3),
                    ([CONTROLLER, text, ORM, WAITING], 0.1),
                    number=20,
                )
            )
        )
    (tmp_path / "bad.prof").write_bytes(b"bad")
    return [*made, tmp_path / "bad.prof"]


def test_many_processes_add_up_to_the_same(paths, monkeypatch):
    """Sums, lines, callers, first lines and what was skipped."""
    found = []
    for many in (len(paths) + 1, 2):
        monkeypatch.setattr(adding_up, "MANY", many)
        skipped = Skipped()
        profiles = added_up(paths, skipped)
        assert skipped.count == 1
        found.append({one.engine: figures_of(one) for one in profiles.engines})

    one, several = found
    assert one.keys() == {"cprofile", "pyinstrument", "pyspy"}
    assert one == several
    assert one["pyspy"]["hot_path"][-1]["line"] == 871
    assert one["pyinstrument"]["profiles"] == 30


def test_joined_trees_are_bounded(monkeypatch):
    """Past the bound time stays with the caller, none is lost."""
    trees = []
    for number in range(2):
        frames = [f"f{number}{n}\x00/a.py\x001" for n in range(6)]
        content = pyspy_session((frames, 0.5), number=10)
        tree = StackTree("pyspy")
        tree.add(read_session(json.dumps(content).encode()))
        trees.append(tree)
    monkeypatch.setattr(stack_tree, "MOST_NODES", 9)

    trees[0].join(trees[1])

    assert trees[0].totals().total_s == pytest.approx(1.0)
    assert len(trees[0].rows()) == 9
    assert trees[0].cut == 3


@pytest.mark.parametrize("most_at_once", [1, 1000])
def test_what_was_between_looks_has_a_place_once_all_are_there(
    tmp_path, monkeypatch, most_at_once
):
    """By whatever number of processes; and the times say that they guess."""
    monkeypatch.setattr(adding_up, "_AT_ONCE", most_at_once)
    records = [
        ([CONTROLLER, API], 0.5),
        ([CONTROLLER, ORM, WAITING], 0.25),
        ([RAN_UNSEEN], 0.125),
        ([WAITED_UNSEEN], 0.125),
    ]
    content = json.dumps(stacks_session(*records, number=40))
    paths = [tmp_path / f"{number}.pyisession" for number in range(4)]
    for path in paths:
        path.write_text(content)

    (whole,) = added_up(paths, Skipped()).engines
    figures = figures_of(whole)

    times = {row["function"]: row["self_s"] for row in figures["functions"]}
    assert times[whole.frames.frame(API).function.label] == pytest.approx(2.5)
    assert [wait["seconds"] for wait in figures["waits"]] == [1.5]
    assert (
        "500.0 ms of the work and 500.0 ms of the waiting were between "
        "looks, and are shared out by what looks found"
    ) in figures["notes"]
