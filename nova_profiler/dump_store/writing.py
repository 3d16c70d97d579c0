# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or absent: written aside, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from nova_profiler.dump_store.names import DUMP_SUFFIX
from nova_profiler.dump_store.retention import ASIDE_FOLDER

_TRIES = 20


def claim(directory: Path, day: str, stem: str) -> tuple[Path, Path]:
    """Return an empty file aside and where it is to be published.

    The writer that makes the file aside owns its name. A name that exists
    there, or is published already, is not taken: nothing is overwritten.
    """
    name = stem
    for _ in range(_TRIES):
        aside = directory / ASIDE_FOLDER / f"{day}T{name}"
        path = directory / day / (name + DUMP_SUFFIX)
        if not path.exists():
            with suppress(FileExistsError):
                write_new(aside, b"")
                if not path.exists():
                    return aside, path
                os.unlink(aside)
        name = f"{stem}--{secrets.token_hex(4)}"
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), stem)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist; raises FileExistsError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_private(path.parent)
        fd = os.open(path, flags, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(content)
    except BaseException:
        os.unlink(path)
        raise


def publish(aside: Path, path: Path) -> None:
    """Move a file that is written to where readers see it."""
    for _ in range(_TRIES):
        try:
            os.rename(aside, path)
        except FileNotFoundError:
            # The first of its day, or the day was pruned empty just now.
            make_private(path.parent)
        else:
            return
    os.rename(aside, path)


def make_private(folder: Path) -> None:
    """Make *folder* and what is missing above it, for this user alone."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Not pathlib's exist_ok: it raises where a pruner takes the folder away
    # just after it was found to exist. publish() tries again.
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
