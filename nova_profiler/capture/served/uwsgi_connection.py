# SPDX-License-Identifier: Apache-2.0
"""Whether the client of uWSGI's current request is there to the end.

uWSGI sends a file by itself, and closes it afterwards in the same way whether
the client has taken it or not. The connection is still open then.
"""

from __future__ import annotations

# Not socket: what replaces it there would change the connection.
import _socket
import sys

# Of the kernel's tcp_states.h: neither side can send any more.
_TCP_CLOSE = 7


def is_cut() -> bool:
    """Return whether the client is known to have gone.

    False where nothing is known, as under another server.
    """
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is None:
        return False
    try:
        return _is_cut(uwsgi.connection_fd())
    except (AttributeError, OSError, ValueError):
        # No request, no socket, or another operating system.
        return False


def _is_cut(number: int) -> bool:
    connection = _socket.socket(fileno=number)
    try:
        if connection.family == _socket.AF_UNIX:
            # The other side was closed before it had read all. Closed
            # afterwards, it looks like one whose client went away early.
            unread = connection.getsockopt(
                _socket.SOL_SOCKET, _socket.SO_ERROR
            )
            return unread != 0
        # A client that has read all and closes leaves this side open.
        state = connection.getsockopt(_socket.IPPROTO_TCP, _socket.TCP_INFO, 1)
        return state[0] == _TCP_CLOSE
    finally:
        # The connection stays uWSGI's.
        connection.detach()
