# SPDX-License-Identifier: Apache-2.0
"""nova's and placement's schemas and cells, made by their own commands."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from demo.cloud.processes import CloudError
from demo.databases.making import Progress

_LAST_LINES = 8


def edition() -> str:
    """Return a name that differs where the schemas would differ."""
    recipe = Path(__file__).read_bytes()
    packages = (version("nova") + version("openstack-placement")).encode()
    return f"edition_{hashlib.sha256(recipe + packages).hexdigest()[:8]}"


def make(urls: Mapping[str, str], progress: Progress) -> None:
    """Fill the empty databases ``api``, ``cell`` and ``placement``.

    Each command takes seconds to start; those that do not need each other run
    side by side.
    """
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "nova.conf").write_text(
            f"[DEFAULT]\nstate_path = {folder}\ntransport_url = fake://\n"
            f"[api_database]\nconnection = {urls['api']}\n"
            f"[database]\nconnection = {urls['cell']}\n"
        )
        (folder / "placement.conf").write_text(
            f"[placement_database]\nconnection = {urls['placement']}\n"
        )
        with ThreadPoolExecutor() as at_once:
            steps = [
                at_once.submit(_api, folder, urls["cell"], progress),
                at_once.submit(_nova, folder, progress, *_LOCAL_SYNC),
                at_once.submit(
                    _run, folder, progress, "placement", "db", "sync"
                ),
            ]
        for step in steps:
            step.result()


_LOCAL_SYNC = ("db", "sync", "--local_cell")


def _api(folder: Path, cell_url: str, progress: Progress) -> None:
    """Make the API database with two cells; a run gives them their URLs."""
    _nova(folder, progress, "api_db", "sync")
    database = ("--database_connection", cell_url)
    _nova(folder, progress, "cell_v2", "map_cell0", *database)
    names = ("--name", "cell1", "--transport-url", "fake://")
    # Two cells of one database would be refused.
    database = ("--database_connection", f"{cell_url}1")
    _nova(folder, progress, "cell_v2", "create_cell", *names, *database)


def _nova(folder: Path, progress: Progress, *words: str) -> None:
    _run(folder, progress, "nova", *words)


def _run(folder: Path, progress: Progress, project: str, *words: str) -> None:
    """Run nova-manage or placement-manage."""
    program = Path(sys.executable).with_name(f"{project}-manage")
    configuration = ("--config-file", str(folder / f"{project}.conf"))
    done = subprocess.run(
        [sys.executable, str(program), *configuration, *words],
        env={**os.environ, "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    command = " ".join((program.name, *words[:2]))
    if done.returncode:
        lines = done.stdout.splitlines()[-_LAST_LINES:]
        raise CloudError("\n".join([f"{command} has failed:", *lines]))
    progress(f"{command}: done")
