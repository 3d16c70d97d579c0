# SPDX-License-Identifier: Apache-2.0
"""Makes nova's three databases in a process of nova's own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from demo.places import ROOT
from demo.server import configuration

NAMES = ("api", "cell0", "cell1")

Progress = Callable[[str], None]


class DatabaseError(Exception):
    """The databases cannot be made; one line with the reason."""


def edition(instances: int) -> str:
    """Return a name that differs where the databases would differ."""
    recipe = Path(__file__).with_name("populate.py").read_bytes()
    digest = hashlib.sha256(recipe).hexdigest()[:8]
    return f"nova-{version('nova')}-{instances}-servers-{digest}"


def make(directory: Path, urls: dict[str, str], instances: int) -> None:
    """Make schemas, cells and servers, in a process of nova's own."""
    directory.chmod(0o700)
    (directory / "nova.conf").write_text(
        configuration.nova_conf_text(directory, urls, "http://127.0.0.1:1")
    )
    log = directory / "populate.log"
    with log.open("w") as output:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "demo.databases.populate",
                str(directory),
                urls["cell0"],
                urls["cell1"],
                str(instances),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise DatabaseError(f"the databases could not be made; see {log}")
