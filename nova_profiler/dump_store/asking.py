# SPDX-License-Identifier: Apache-2.0
"""Asks the workers of this host what they are serving, by their sockets.

A worker listens on a Unix socket in a folder of its user alone, writes what
is on to each process that connects, and closes. Both sides speak to sockets
of the system: the sockets of eventlet and gevent would wait on their hub.
"""

from __future__ import annotations

import _socket
import os
import selectors
import socket
import stat
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

# What one worker's answer may have; more is cut off, and so no answer.
LARGEST_ANSWER = 16 * 1024 * 1024

_BACKLOG = 16
# An asker that does not read is left alone after this.
_SEND_S = 0.5
# Askers served between two looks of a worker at its own requests.
_MOST_ASKERS = 20
_CHUNK = 256 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_ITSELF = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_CREDENTIALS = struct.Struct("3i")


class Listener:
    """A worker's socket: what may see its folder may ask."""

    def __init__(self, folder: Path, name: str) -> None:
        """Listen on *folder*/*name*. Raises OSError."""
        self.name = name
        # Its file is removed from the folder in which it was made.
        self._folder = os.open(folder, _FOLDER)
        self._pid = os.getpid()
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            with _address(folder, name) as address:
                self._socket.bind(address)
                os.chmod(address, 0o600)
            self._socket.listen(_BACKLOG)
        except BaseException:
            self.close()
            raise

    def serve(self, seconds: float, answer: Callable[[], bytes]) -> None:
        """Write what *answer* returns to those that ask within *seconds*.

        May raise OSError when the socket is not one any more.
        """
        until = monotonic() + seconds
        for _ in range(_MOST_ASKERS):
            left = until - monotonic()
            if left <= 0:
                return
            self._socket.settimeout(left)
            try:
                # Of the class that socket.socket is made of; not in typeshed.
                fd, _ = self._socket._accept()  # type: ignore[attr-defined]
            except TimeoutError:
                return
            asker = _socket.socket(
                _socket.AF_UNIX, _socket.SOCK_STREAM, fileno=fd
            )
            try:
                if _may_ask(asker):
                    asker.settimeout(_SEND_S)
                    asker.sendall(answer())
            except OSError:
                # Gone, or it does not read.
                continue
            finally:
                asker.close()

    def is_in(self, folder: Path) -> bool:
        """Return whether askers find the socket in *folder*."""
        return (folder / self.name).is_socket()

    def let_go(self) -> None:
        """Close it and leave its file, as a forked process must."""
        self._socket.close()
        folder, self._folder = self._folder, -1
        if folder >= 0:
            os.close(folder)

    def close(self) -> None:
        """Close it and remove its file, which a fork leaves to its parent."""
        if self._pid == os.getpid() and self._folder >= 0:
            with suppress(OSError):
                os.unlink(self.name, dir_fd=self._folder)
        self.let_go()


def _may_ask(asker: _socket.socket) -> bool:
    """Return whether the process at the other end is ours or root's.

    The folder lets no other in, unless its mode was changed.
    """
    found = asker.getsockopt(
        _socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS.size
    )
    uid = _CREDENTIALS.unpack(found)[1]
    return uid in (0, os.geteuid())


class NoSocketError(OSError):
    """What has the name of a socket is none: a link, or a file."""


class Asked(NamedTuple):
    """What came back: answers by socket, and the sockets without one.

    ``ended`` are sockets at which no process listens.
    """

    answers: dict[str, bytes]
    silent: list[str]
    ended: list[str]


def is_listening(folder: Path, name: str) -> bool:
    """Return whether a process of this host listens on the socket *name*."""
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    asker.setblocking(False)
    try:
        with _socket_in(folder, name) as address:
            asker.connect(address)
    except (ConnectionRefusedError, FileNotFoundError, NoSocketError):
        return False
    except OSError:
        # Busy, or not to be asked by this user: there.
        return True
    finally:
        asker.close()
    return True


def ask(folder: Path, names: Sequence[str], seconds: float) -> Asked:
    """Return the answers of the sockets *names*, all asked at once.

    Waits *seconds* at most. Raises PermissionError where this user may not
    ask.
    """
    asked = Asked({}, [], [])
    with selectors.DefaultSelector() as selector:
        for name in names:
            _connect(selector, folder, name, asked)
        until = monotonic() + seconds
        while selector.get_map() and (left := until - monotonic()) > 0:
            for key, _ in selector.select(left):
                _read(selector, key, asked)
        for key in list(selector.get_map().values()):
            asked.silent.append(key.data[0])
            _closed(selector, key)
    return asked


def _connect(
    selector: selectors.BaseSelector, folder: Path, name: str, asked: Asked
) -> None:
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    asker.setblocking(False)
    try:
        with _socket_in(folder, name) as address:
            asker.connect(address)
    except PermissionError:
        asker.close()
        raise
    except BlockingIOError:
        # Many ask, and it answers none of them.
        asker.close()
        asked.silent.append(name)
    except OSError:
        asker.close()
        asked.ended.append(name)
    else:
        what = name, bytearray(), asker
        selector.register(asker, selectors.EVENT_READ, what)


def _read(
    selector: selectors.BaseSelector, key: selectors.SelectorKey, asked: Asked
) -> None:
    name, content, _ = key.data
    try:
        more = os.read(key.fd, _CHUNK)
    except BlockingIOError:
        return
    except OSError:
        more = b""
    content += more
    if more and len(content) <= LARGEST_ANSWER:
        return
    _closed(selector, key)
    if content and not more:
        asked.answers[name] = bytes(content)
    else:
        asked.silent.append(name)


def _closed(
    selector: selectors.BaseSelector, key: selectors.SelectorKey
) -> None:
    selector.unregister(key.fileobj)
    key.data[2].close()


@contextmanager
def _address(folder: Path, name: str) -> Iterator[str]:
    """Yield an address of *name* that is short whatever *folder* is.

    The system takes 107 bytes, which the path of a directory may exceed.
    """
    fd = os.open(folder, _FOLDER)
    try:
        yield f"/proc/self/fd/{fd}/{name}"
    finally:
        os.close(fd)


@contextmanager
def _socket_in(folder: Path, name: str) -> Iterator[str]:
    """Yield a short address of the socket *name* itself.

    In a folder that came from elsewhere a link of that name may lead to any
    socket of this host. Raises NoSocketError, or another OSError.
    """
    with _address(folder, name) as path:
        fd = os.open(path, _ITSELF)
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise NoSocketError(f"{name} is no socket")
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)
