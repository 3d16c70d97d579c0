# SPDX-License-Identifier: Apache-2.0
"""Kept runs: the manifest, and the Parquet that an engine reads."""

from __future__ import annotations

from pathlib import Path

from fuzz.inputs.seeds import HISTORY, contents, copied
from fuzz.readers.contracts import Reader, command
from nova_profiler.reading.runs.kept.store import History

_PART = "part-00000.parquet"
_MANIFEST = "_run.json"


def read_manifest(data: bytes, folder: Path) -> None:
    """Read *data* as the manifest of a run beside a sound one."""
    history = copied(HISTORY, folder)
    run = history / "run=odd"
    if not run.exists():
        copied(history / "run=night", folder).rename(run)
    (run / _MANIFEST).write_bytes(data)
    unreadable: list[str] = []
    for one in History(history).runs(unreadable):
        one.sort_key  # noqa: B018  # must not raise
    command("history", "list", "--history", history)
    command("history", "list", "--history", history, "--json")


def read_part(data: bytes, folder: Path) -> None:
    """Read *data* as the Parquet of a run."""
    history = copied(HISTORY, folder)
    (history / "run=night" / _PART).write_bytes(data)
    command("history", "trend", "--history", history, "--json")
    command("compare", "night", "night", "--history", history, "--json")


# Numbers that are none, or that no float can hold.
_FINDS = (
    b'{"schema": Infinity}',
    b'{"schema": 1e999}',
    *(
        contents(_MANIFEST)[0].replace(b'"requests": ', number)
        for number in (b'"requests": 1e999, "-": ', b'"requests": NaN, "-": ')
    ),
    contents(_MANIFEST)[0].replace(
        b'"bytes": ', b'"bytes": 1' + 400 * b"0" + b', "-": '
    ),
    # A name that no file can have.
    contents(_MANIFEST)[0].replace(b"part-00000", 5_000 * b"x"),
)

MANIFEST = Reader(
    read_manifest, contents(_MANIFEST), finds=_FINDS, is_json=True
)
PART = Reader(read_part, contents(_PART), (b"PAR1",))
