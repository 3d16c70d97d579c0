# SPDX-License-Identifier: Apache-2.0
"""Files that are open in this process already, such as /dev/stdout.

Under a unit, standard output is a socket of the journal, and a socket cannot
be opened by its name. A descriptor is shared with whatever else writes to
it: its flags stay as they are, and yet no write to it may wait.
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
import re
import stat
from collections.abc import Callable
from posix import write

Write = Callable[[int, bytes], int]

STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
# What a server puts anew under the same number is its own log.
FOLLOWED = (1, 2)
_MOST_LINKS = 40
_AGAIN = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC


def own_descriptor(path: str) -> int | None:
    """Return the descriptor of this process that *path* leads to, if any.

    By /dev/stdout, /dev/fd/N, /proc/self/fd/N, or links to one of these.
    """
    own = re.compile(f"/proc/{os.getpid()}(?:/task/[0-9]+)?/fd")
    path = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        if path in STANDARD:
            return STANDARD[path]
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder)
        if name.isdecimal() and own.fullmatch(folder):
            return int(name)
        try:
            path = os.path.join(folder, os.readlink(path))
        except OSError:
            break
    return None


def is_left(number: int, identity: tuple[int, int]) -> bool:
    """Return whether standard descriptor *number* leads elsewhere now.

    Servers put another file there when they rotate their log. A socket that
    has taken the number of a closed one is none of ours; nor is whatever
    has taken another number.
    """
    if number not in FOLLOWED:
        return False
    try:
        found = os.fstat(number)
    except OSError:
        return False
    is_same = (found.st_dev, found.st_ino) == identity
    return not is_same and not stat.S_ISSOCK(found.st_mode)


def taken(number: int) -> tuple[int, Write]:
    """Return a descriptor of what *number* is, and how to write to it.

    No such write waits, not even where eventlet has replaced that of os. The
    descriptor of a socket is good as long as what writes to it is kept. May
    raise OSError.
    """
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        # Opened anew it would have a place of its own to write at, and
        # overwrite what goes through the descriptor.
        return _doubled(number), write
    if stat.S_ISSOCK(mode):
        made = _Socket(number)
        return made.fileno(), made
    try:
        return os.open(f"/proc/self/fd/{number}", _AGAIN), write
    except OSError:
        # It was made before this process changed its user.
        return _doubled(number), _write_at_once


def _doubled(number: int) -> int:
    made: int = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
    return made


def _write_at_once(fd: int, data: bytes) -> int:
    return os.pwritev(fd, [data], -1, os.RWF_NOWAIT)


class _Socket:
    """Writes to the socket *number*, under another number.

    Neither the socket module's class, which eventlet and gevent replace,
    nor a socket made from the descriptor: either would change its flags.
    """

    def __init__(self, number: int) -> None:
        self._own = own = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        own.setblocking(False)
        os.dup2(number, own.fileno(), inheritable=False)
        self.fileno = own.fileno
        self.close = own.close
        domain = own.getsockopt(_socket.SOL_SOCKET, _socket.SO_DOMAIN)
        if domain != _socket.AF_UNIX:
            own.close()
            # Standard output was closed, and a connection has its number.
            reason = "a network connection has taken it"
            raise OSError(errno.EAFNOSUPPORT, reason)

    def __call__(self, fd: int, data: bytes) -> int:
        flags = _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL
        return self._own.send(data, flags)
