# SPDX-License-Identifier: Apache-2.0
"""The drop-in that lets stacks be read where ptrace_scope is 2."""

from __future__ import annotations

import re
import shutil
import subprocess

from places import ROOT
from services import missing

DROP_IN = ROOT / "etc" / "systemd" / "nova-profiler-ptrace.conf"
UNIT = "[Service]\nType=oneshot\nUser=root\nExecStart=/bin/true\n"


def faults_of(tmp_path, text: str) -> str:
    """Return what systemd finds wrong in a unit with the drop-in *text*."""
    if shutil.which("systemd-analyze") is None:
        missing("no systemd-analyze")
    unit = tmp_path / "a-service.service"
    unit.write_text(UNIT)
    folder = tmp_path / "a-service.service.d"
    folder.mkdir()
    (folder / DROP_IN.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
    )
    return done.stderr


def test_systemd_knows_each_line(tmp_path):
    """As it stands, and with all that a unit may need besides."""
    text = DROP_IN.read_text()
    all_on = re.sub(r"^#(?=\w+=)", "", text, flags=re.M)
    assert all_on.count("\nCapabilityBoundingSet=") == 1

    found = faults_of(tmp_path, all_on)

    assert DROP_IN.name not in found


def test_systemd_would_name_a_wrong_line(tmp_path):
    """What the other test looks for is what systemd prints."""
    found = faults_of(
        tmp_path, "[Service]\nAmbientCapability=CAP_SYS_PTRACE\n"
    )

    assert DROP_IN.name in found
