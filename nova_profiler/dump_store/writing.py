# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or absent: written aside, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from typing import BinaryIO

from nova_profiler.dump_store.names import DUMP_SUFFIX, name_aside
from nova_profiler.dump_store.opened import ASIDE_FOLDER, NEW_FILE, Opened

_TRIES = 20


def claim(directory: Opened, day: str, stem: str) -> tuple[BinaryIO, str, str]:
    """Return an empty file aside, its name, and the stem to publish it by.

    The writer that makes the file aside owns its name. A name that exists
    there, or is published already, is not taken: nothing is overwritten.
    Raises FileExistsError where no name is free.
    """
    name = stem
    for _ in range(_TRIES):
        aside = name_aside(day, name)
        if not directory.has(day, name + DUMP_SUFFIX):
            try:
                file = make_new(directory, aside)
            except FileExistsError:
                pass
            else:
                if not directory.has(day, name + DUMP_SUFFIX):
                    return file, aside, name
                file.close()
                directory.remove(ASIDE_FOLDER, aside)
        name = f"{stem}--{secrets.token_hex(4)}"
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), stem)


def make_new(directory: Opened, aside: str) -> BinaryIO:
    """Return a file *aside* that was not there, to be written.

    Raises FileExistsError where it was.
    """
    for _ in range(_TRIES):
        folder = directory.folder(ASIDE_FOLDER, make=True)
        try:
            fd = os.open(aside, NEW_FILE, 0o600, dir_fd=folder)
            return open(fd, "wb")
        except FileNotFoundError:
            # Another process took the folder away.
            directory.forget(ASIDE_FOLDER)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), aside)


def write_new(directory: Opened, aside: str, content: bytes) -> None:
    """Write a file that must not exist; raises FileExistsError."""
    file = make_new(directory, aside)
    try:
        with file:
            file.write(content)
    except BaseException:
        directory.remove(ASIDE_FOLDER, aside)
        raise


def publish(directory: Opened, aside: str, folder: str, name: str) -> None:
    """Move a file that is written to where readers see it.

    An empty *folder* is the directory itself.
    """
    source = directory.folder(ASIDE_FOLDER)
    for tries_left in reversed(range(_TRIES)):
        try:
            target = _target(directory, folder)
            os.rename(aside, name, src_dir_fd=source, dst_dir_fd=target)
            return
        except FileNotFoundError:
            # The first of its day, or the day was pruned empty just now.
            if not tries_left:
                raise
            directory.forget(folder)


def _target(directory: Opened, folder: str) -> int:
    return directory.folder(folder, make=True) if folder else directory.fd
