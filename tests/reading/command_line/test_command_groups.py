# SPDX-License-Identifier: Apache-2.0
"""A wrong command gets the nearest; the help has groups."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from nova_profiler.cli import GROUPS, group, main


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["lst"], "No such command 'lst' (did you mean 'list'?); see"),
        (["history", "trned"], "did you mean 'trend'?); see `nova-profiler h"),
        (["xyz"], "No such command 'xyz'; see `nova-profiler --help`"),
    ],
)
def test_a_wrong_name_gets_the_nearest(capsys, args, message):
    """In one line, as for options."""
    assert main(args) == 2

    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_the_help_has_a_heading_for_each_group(capsys):
    """With what stands below it, in its order."""
    assert main(["--help"]) == 0

    shown = capsys.readouterr().out
    places = [
        shown.index(f"\n{heading}:\n")
        if name is None
        else shown.index(f"\n  {name} ")
        for heading, names in GROUPS.items()
        for name in (None, *names)
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_has_a_short_flag(capsys, flag):
    """As most programs have."""
    assert main([flag]) == 0

    assert capsys.readouterr().out.startswith("nova-profiler, version ")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nova-profiler hist", ["history"]),
        ("nova-profiler list --no-p", ["--no-pager"]),
        ("nova-profiler lst --sl", []),
        ("nova-profiler history tr", ["trend"]),
    ],
)
def test_a_shell_completes(words, found):
    """A wrong name is no traceback on the prompt."""
    *before, incomplete = words.split()

    completion = ShellComplete(group, {}, "nova-profiler", "X")
    offered = completion.get_completions(before[1:], incomplete)

    assert [one.value for one in offered] == found
