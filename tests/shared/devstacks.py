# SPDX-License-Identifier: Apache-2.0
"""A devstack of stand-ins in a folder, with our plugin in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "programs"
ALL = "n-api,n-api-meta,n-cond,n-sch,n-cpu,placement-api"


class Devstack:
    """Folders, files and the runs of the scripts.

    The configuration is in ~/.nova and ~/.placement of a home of its own, the
    first places where oslo.config looks, before /etc.
    """

    def __init__(self, folder: Path, paste: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.nova = self.home / ".nova"
        self.placement = self.home / ".placement"
        self.data = folder / "data"
        self.paste = self.nova / "api-paste.ini"
        self.uwsgi = self.placement / "placement-uwsgi.ini"
        self.drop_in = self.nova / "nova.conf.d" / "nova-profiler.conf"
        self.placement_drop_in = (
            self.placement / "placement.conf.d" / "nova-profiler.conf"
        )
        self.calls = folder / "calls"
        self.localrc = folder / "localrc"
        self.localrc.write_text("")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CALLS": str(self.calls),
            "LOCALRC": str(self.localrc),
            "DEST": str(folder),
            "DATA_DIR": str(self.data),
            "STACK_USER": str(os.geteuid()),
            "ENABLED_SERVICES": ALL,
            "NOVA_BIN_DIR": os.path.dirname(sys.executable),
            "NOVA_CONF_DIR": str(self.nova),
            "PLACEMENT_CONF_DIR": str(self.placement),
            "PASTE_OF_NOVA": str(paste),
        }

    def run(
        self, script: str, enabled: str = ALL
    ) -> subprocess.CompletedProcess[str]:
        """Run stack, unstack or clean; return what it printed."""
        return subprocess.run(
            [
                "bash",
                str(PROGRAMS / "devstack_run.sh"),
                str(ROOT / "devstack"),
                script,
            ],
            env={**self.environment, "ENABLED_SERVICES": enabled},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def ran(self, script: str, enabled: str = ALL) -> None:
        """Run a script that has to end well, and to its end."""
        done = self.run(script, enabled)
        assert done.returncode == 0, done.stderr
        assert self.calls.read_text().splitlines()[-1] == "done"

    def files(self) -> dict[str, bytes]:
        """Return the content of each file of the configuration."""
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in sorted(self.home.rglob("*"))
            if path.is_file()
        }
