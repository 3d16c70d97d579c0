# SPDX-License-Identifier: Apache-2.0
"""nova's three databases for the demo, made once and then copied."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from demo import configuration

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".state"
NAMES = ("api", "cell0", "cell1")

Progress = Callable[[str], None]


class DatabaseError(Exception):
    """There are no databases to be had; one line that says why."""


def sqlite_urls(directory: Path) -> dict[str, str]:
    """Return the URLs of three SQLite files in *directory*."""
    return {
        name: f"sqlite:///{directory / f'nova_{name}.sqlite'}"
        for name in NAMES
    }


def sqlite(
    directory: Path, instances: int, progress: Progress
) -> dict[str, str]:
    """Return the URLs of new SQLite databases in *directory*.

    Making them takes about 15 s, so that is done once for a number of
    instances; each run gets a copy and may write to it.
    """
    template = STATE / "databases" / f"sqlite-{edition(instances)}"
    if not template.exists():
        progress(f"making SQLite databases with {instances} servers, once")
        template.parent.mkdir(parents=True, exist_ok=True)
        # Aside, and whole when it gets its name: another run may need it.
        made = Path(tempfile.mkdtemp(prefix="making-", dir=template.parent))
        make(made, sqlite_urls(made), instances)
        try:
            made.rename(template)
        except OSError:
            # Another run was quicker.
            shutil.rmtree(made)
    urls = sqlite_urls(directory)
    for url in urls.values():
        name = Path(url.removeprefix("sqlite:///")).name
        shutil.copyfile(template / name, directory / name)
    _map_cells(directory, urls)
    return urls


def edition(instances: int) -> str:
    """Return what tells one set of databases from another."""
    recipe = (ROOT / "demo" / "populate.py").read_bytes()
    digest = hashlib.sha256(recipe).hexdigest()[:8]
    return f"nova-{version('nova')}-{instances}-servers-{digest}"


def make(directory: Path, urls: dict[str, str], instances: int) -> None:
    """Have a process of nova's own make schemas, cells and servers."""
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
                "demo.populate",
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


def _map_cells(directory: Path, urls: dict[str, str]) -> None:
    """Point the cell mappings of a copied API database to its own cells."""
    with sqlite3.connect(directory / "nova_api.sqlite") as connection:
        for cell in ("cell0", "cell1"):
            connection.execute(
                "UPDATE cell_mappings SET database_connection = ? "
                "WHERE name = ?",
                (urls[cell], cell),
            )
    connection.close()
