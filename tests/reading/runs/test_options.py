# SPDX-License-Identifier: Apache-2.0
"""What the commands about kept runs share."""

from __future__ import annotations

import sys

import pytest

from nova_profiler.cli import main

STORE = "nova_profiler.reading.runs.kept.buckets"
COMPARISON = "nova_profiler.reading.runs.compare.comparison"


@pytest.mark.parametrize(
    ("args", "needed"),
    [
        (["history", "add", "night", "-"], STORE),
        (["history", "list"], STORE),
        (["history", "remove", "night"], STORE),
        (["history", "trend"], STORE),
        (["compare", "a", "b"], COMPARISON),
    ],
)
def test_without_its_packages_a_command_names_the_extra(
    monkeypatch, capsys, args, needed
):
    """In one line with what is missing, and exit code 2."""
    # None in place of a module: as if it were not installed.
    monkeypatch.setitem(sys.modules, needed, None)

    assert main(args) == 2

    err = capsys.readouterr().err
    assert err.startswith(f"nova-profiler: import of {needed} halted")
    assert err.endswith(": pip install 'nova-profiler[history]'\n")
    assert err.count("\n") == 1
