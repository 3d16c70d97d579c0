# SPDX-License-Identifier: Apache-2.0
"""nova's three databases as SQLite files, copied for each run."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

from demo.databases import making
from demo.places import STATE


def urls_in(directory: Path) -> dict[str, str]:
    """Return the URLs of three SQLite files in *directory*."""
    return {
        name: f"sqlite:///{directory / f'nova_{name}.sqlite'}"
        for name in making.NAMES
    }


def urls(
    directory: Path, instances: int, progress: making.Progress
) -> dict[str, str]:
    """Return the URLs of new SQLite databases in *directory*.

    Making them takes about 15 s, so that is done once for a number of
    instances; each run gets a copy and may write to it.
    """
    template = STATE / "databases" / f"sqlite-{making.edition(instances)}"
    if not template.exists():
        progress(f"making SQLite databases with {instances} servers, once")
        template.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and then renamed: another run finds it whole or not.
        made = Path(tempfile.mkdtemp(prefix="making-", dir=template.parent))
        making.make(made, urls_in(made), instances)
        try:
            made.rename(template)
        except OSError:
            # Another run has made it meanwhile.
            shutil.rmtree(made)
    copied = urls_in(directory)
    for url in copied.values():
        name = Path(url.removeprefix("sqlite:///")).name
        shutil.copyfile(template / name, directory / name)
    _map_cells(directory, copied)
    return copied


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
