# SPDX-License-Identifier: Apache-2.0
"""Opens a folder of our own, in which no other user can do anything.

A folder is ours if it belongs to the user of this process and only that user
may write to it. The folders above it belong to that user or to root, and a
folder above that everybody may write to has the sticky bit, as /tmp does:
what is ours in there stays ours. Links on the way are followed where they
belong to that user or to root.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections import deque
from contextlib import suppress

# A link to a folder is none.
FOLDER_ITSELF = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ROOT = 0
_MOST_LINKS = 40


class UntrustedFolder(OSError):
    """A folder is not ours; ``strerror`` has the reason and the remedy."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.EPERM, text)


def opened_folder(
    path: str | os.PathLike[str],
    *,
    make: bool = False,
    root_for_others: bool = False,
) -> int:
    """Return a descriptor of the folder *path*, which is ours.

    With *make* it is made where it is missing. With *root_for_others* root
    may use the folder of another user, who takes our place then. Raises
    OSError, and an UntrustedFolder for a folder that is not ours.
    """
    path = os.path.abspath(path)
    owner = _owner_of(path, root_for_others)
    return opened_place(_place_of(path, owner, make), owner)


def safe_place(path: str, *, make: bool = False) -> str:
    """Return *path* without links; what is above it is in safe hands.

    What is missing is made with *make*. Raises OSError.
    """
    return _place_of(os.path.abspath(path), os.geteuid(), make)


def opened_place(place: str, owner: int) -> int:
    """Return a descriptor of a folder whose path safe_place() has checked.

    Raises OSError, and an UntrustedFolder if it is not *owner*'s alone.
    """
    # Between the look and this a writer of the folder above may have swapped
    # it: what counts is what was opened.
    fd = os.open(place, FOLDER_ITSELF)
    try:
        _check_ours(os.fstat(fd), place, owner)
    except BaseException:
        os.close(fd)
        raise
    return fd


def opened_subfolder(fd: int, name: str, *, make: bool = False) -> int:
    """Return a descriptor of the folder *name* in the folder *fd*.

    It has the same owner. Raises OSError as opened_folder() does.
    """
    try:
        found = os.open(name, FOLDER_ITSELF, dir_fd=fd)
    except FileNotFoundError:
        if not make:
            raise
        # Another worker may be quicker.
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=fd)
        found = os.open(name, FOLDER_ITSELF, dir_fd=fd)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENOTDIR):
            raise UntrustedFolder(
                f"{name} in it is no folder; take it away"
            ) from None
        raise
    try:
        _check_ours(os.fstat(found), name, os.fstat(fd).st_uid)
    except BaseException:
        os.close(found)
        raise
    return found


def fault_of(path: str | os.PathLike[str]) -> str | None:
    """Return why the folder *path* is not ours, None if it is.

    None as well where it is missing. Root looks on behalf of its owner: a
    service may give up root's rights later.
    """
    try:
        os.close(opened_folder(path, root_for_others=True))
    except UntrustedFolder as exc:
        return exc.strerror
    except OSError:
        # Missing, or closed to this user: those are faults of other kinds.
        return None
    return None


def is_in_safe_hands(path: str, root: str = "") -> bool:
    """Return whether only root and this user can change what *path* is.

    It is absolute, and *root* the root of the process that has it so. Raises
    OSError where it is missing.
    """
    user = os.geteuid()
    try:
        place = _place_of(path, user, False, root or "/")
    except UntrustedFolder:
        return False
    status = os.lstat(place)
    # A user's own group, which umask 002 lets write, is that user.
    is_open = status.st_mode & stat.S_IWOTH or (
        status.st_mode & stat.S_IWGRP
        and status.st_gid not in (_ROOT, os.getegid())
    )
    return status.st_uid in (_ROOT, user) and not is_open


def _place_of(path: str, owner: int, make: bool, root: str = "/") -> str:
    """Return *path* below *root* without links.

    Raises UntrustedFolder where others could put another folder there.
    """
    here = root
    # That of another process is a link of the kernel's.
    status = os.stat(here)
    rest = deque(path.split("/"))
    links = 0
    while rest:
        name = rest.popleft()
        if name in ("", "."):
            continue
        if name == "..":
            here = here if here == root else os.path.dirname(here)
            status = os.stat(here) if here == root else os.lstat(here)
            continue
        _check_above(status, here, owner)
        below = os.path.join(here, name)
        found = _looked_at(below, make)
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if found.st_uid not in (_ROOT, owner):
                raise UntrustedFolder(
                    f"{below} is a link of {user_name(found.st_uid)}"
                )
            target = os.readlink(below)
            rest.extendleft(reversed(target.split("/")))
            if target.startswith("/"):
                here, status = root, os.stat(root)
            continue
        here, status = below, found
    return here


def _owner_of(path: str, root_for_others: bool) -> int:
    """Return the user that is to own *path*."""
    user = os.geteuid()
    if user == _ROOT and root_for_others:
        try:
            user = os.stat(path).st_uid
        except OSError:
            # Missing: it is made as root's.
            return user
    return user


def _looked_at(path: str, make: bool) -> os.stat_result:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        if not make:
            raise
    # Another worker may be quicker.
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
    return os.lstat(path)


def _check_above(status: os.stat_result, path: str, owner: int) -> None:
    """Raise UntrustedFolder where others could swap what is in *path*."""
    if status.st_uid not in (_ROOT, owner):
        raise UntrustedFolder(
            f"{path}, above it, is {user_name(status.st_uid)}'s; choose "
            f"another place"
        )
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        raise UntrustedFolder(
            f"everybody may write to {path}, above it: chmod o-w {path}, or "
            f"choose another place"
        )


def _check_ours(status: os.stat_result, path: str, owner: int) -> None:
    if status.st_uid != owner:
        raise UntrustedFolder(
            f"{path} is {user_name(status.st_uid)}'s, not "
            f"{user_name(owner)}'s: chown it, or choose another place"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UntrustedFolder(f"others may write to {path}: chmod go-w {path}")


def user_name(uid: int) -> str:
    """Return the name of the user *uid*."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
