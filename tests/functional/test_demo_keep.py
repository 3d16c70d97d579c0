# SPDX-License-Identifier: Apache-2.0
"""``make demo KEEP=1``: all that the demo says, then what serves on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from places import ROOT

from demo.places import STATE
from nova_profiler.dump_store import DumpStore

pytestmark = [pytest.mark.functional, pytest.mark.slow]

PAGES = "pages of its dumps: http://"
# Whole, however narrow the screen: they are for copying.
COMMANDS = ("nova-profiler ", "curl ", "tail ")
REQUESTS = 2


def _may_be_interrupted() -> None:
    """Take SIGINT, which a shell's job in the background ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_answer_stands_before_the_address_of_the_pages() -> None:
    """On 80 columns, and each request of the load has its dump."""
    with subprocess.Popen(
        [sys.executable, "-m", "demo", "--keep", "--requests", str(REQUESTS)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_may_be_interrupted,
    ) as process:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line.rstrip("\n"))
            if line.startswith(PAGES):
                break
        dumps = list(DumpStore(STATE / "demo" / "dumps").entries())
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().splitlines()

    assert process.returncode == 0
    assert printed[-1].startswith(PAGES), printed
    (answer,) = [i for i, line in enumerate(printed) if " takes " in line]
    assert ", the slowest " in printed[answer]
    assert " show " in printed[answer + 2]
    assert rest == ["stopping nova-api and the pages"]
    # Two paths, three clients.
    assert len(dumps) == 2 * 3 * REQUESTS
    for line in printed:
        if not any(command in line for command in COMMANDS):
            assert len(line) <= 80, line
