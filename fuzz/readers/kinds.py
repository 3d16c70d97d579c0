# SPDX-License-Identifier: Apache-2.0
"""What is no regular file, in the place of each file that is read."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path

from fuzz.inputs.seeds import DUMPS, HISTORY, copied
from fuzz.readers.contracts import BrokenPromiseError, Reader, command
from nova_profiler.capture.settings.files import written_in
from nova_profiler.capture.settings.options import ConfigError
from nova_profiler.capture.settings.route_files import read_routes

_CANARY = "canary-4f1d"
_PRIVATE = "private.log"
_DAY = DUMPS / "2026-11-28"
_RUN = HISTORY / "run=night"


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        # Its own path may be longer than an address.
        folder = os.open(path.parent, os.O_RDONLY)
        one.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


def _no_rights(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)


def _private(path: Path) -> Path:
    """Return the private file, above the bundle that *path* is in."""
    return next(
        one / _PRIVATE for one in path.parents if (one / _PRIVATE).exists()
    )


# What is put there.
KINDS: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "socket": _socket,
    "folder": os.mkdir,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "full device": lambda path: path.symlink_to("/dev/full"),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link out": lambda path: path.symlink_to(_private(path)),
    "memory of this process": lambda path: path.symlink_to("/proc/self/mem"),
    "empty file": Path.touch,
    "file without rights": _no_rights,
}


def _places() -> dict[str, str]:
    """Return the paths below a bundle that are read, by what they are."""
    dump = next(_DAY.glob("*.pyisession")).with_suffix(".json")
    calls = next(_DAY.glob("*.prof"))
    return {
        "dump": f"dumps/{_DAY.name}/{dump.name}",
        "session": f"dumps/{_DAY.name}/{dump.stem}.pyisession",
        "calls": f"dumps/{_DAY.name}/{calls.name}",
        "day": f"dumps/{_DAY.name}",
        "running": "dumps/.running",
        "writing": "dumps/.writing",
        "lock": "dumps/.lock",
        "manifest": f"history/{_RUN.name}/_run.json",
        "part": f"history/{_RUN.name}/part-00000.parquet",
        "run": f"history/{_RUN.name}",
        "log": "logs/nova-api.log",
        "archive": "logs/nova-api.log.gz",
        "options": "nova.conf",
        "paste": "api-paste.ini",
        "routes": "routes",
    }


PLACES = _places()


def read_bundle(data: bytes, folder: Path) -> None:
    """Read a bundle in which one file is of another kind; *data* has both."""
    place, kind = data.decode().split("\0")
    bundle = folder / "bundle"
    (folder / _PRIVATE).write_text(
        f'{_CANARY} 2026-11-21 10:35:01 "GET /{_CANARY} HTTP/1.1" status: 1\n'
    )
    bundle.mkdir()
    try:
        _fill(bundle)
        path = bundle / PLACES[place]
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        KINDS[kind](path)
        printed = _read_all(bundle)
    finally:
        shutil.rmtree(bundle)
    if _CANARY in printed:
        raise BrokenPromiseError("a file out of the bundle is shown")


def _fill(bundle: Path) -> None:
    copied(DUMPS, bundle)
    copied(HISTORY, bundle)
    (bundle / "logs").mkdir()
    for name in ("logs/nova-api.log", "nova.conf", "api-paste.ini", "routes"):
        (bundle / name).write_text("\n")


def _read_all(bundle: Path) -> str:
    """Return what all commands print that read something of *bundle*."""
    dumps = "--dump-dir", bundle / "dumps"
    kept = "--history", bundle / "history"
    dump = bundle / PLACES["dump"]
    printed = [
        command("list", *dumps),
        command("show", dump),
        command("show", "6ec84648", bundle),
        command("calls", *dumps),
        command("running", *dumps),
        command("prune", *dumps, "--dry-run"),
        command("top", *dumps),
        command("top", dump),
        command("export", dump, "-o", bundle / "out.html"),
        command("history", "list", *kept),
        command("compare", "night", "night", *kept),
        command("report", bundle / "logs"),
        command("report", bundle / "logs" / "*"),
        command("follow", "req-6ec84648", bundle / "logs"),
        command("calls", bundle / "logs"),
        command("check", "--config-file", bundle / "nova.conf"),
    ]
    # The operator named these: what they lead to is read.
    for read in (_options_in, read_routes):
        with suppress(ConfigError):
            read(str(bundle / PLACES["options"]))
        with suppress(ConfigError):
            read(str(bundle / PLACES["routes"]))
    return "".join(printed)


def _options_in(path: str) -> None:
    written_in([path])


_PAIRS = tuple(
    f"{place}\0{kind}".encode() for place, kind in product(PLACES, KINDS)
)

BUNDLE = Reader(
    read_bundle, _PAIRS, maker=lambda chance: chance.choice(_PAIRS)
)
