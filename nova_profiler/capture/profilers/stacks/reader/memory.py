# SPDX-License-Identifier: Apache-2.0
"""Another process's memory: many places of it in one system call.

The other process is neither stopped nor slowed down. The order of the places
is the order in which they are copied, and nothing else is certain: what lies
in one of them may change before the next is copied.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

_readv = ctypes.CDLL(None, use_errno=True).process_vm_readv
_readv.restype = ctypes.c_ssize_t
_readv.argtypes = [
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_ulong,
]
_WORD = struct.Struct("<Q").unpack_from
_MOST_SINGLE = 1 << 20
_MOST_BYTES = 2 << 20
# An address of a user's process is below this.
MOST_ADDRESS = 1 << 47
# An address or a length that cannot be: a pointer was torn.
_NOT_MAPPED = (errno.EFAULT, errno.EINVAL)


class Gone(Exception):
    """The process has ended."""


class Refused(Exception):
    """The kernel does not let this process look."""


def _unused_bytes(size: int) -> ctypes.Array[ctypes.c_char]:
    """Return *size* bytes, of which pages never used take no memory.

    Those of create_string_buffer() do: it writes them.
    """
    own = mmap(-1, size, flags=MAP_PRIVATE | MAP_ANONYMOUS)
    return (ctypes.c_char * size).from_buffer(own)


class Places:
    """Places of a process, each with its place in one local buffer."""

    def __init__(
        self,
        pid: int,
        size: int,
        most: int,
        buffer: ctypes.Array[ctypes.c_char] | None = None,
    ) -> None:
        """*buffer* may be shared: what is in it is used before the next."""
        self._pid = pid
        self._buffer = buffer or _unused_bytes(size)
        self._base = ctypes.addressof(self._buffer)
        self.view = memoryview(self._buffer).cast("B")
        # Pairs of address and length, as the kernel wants them.
        self._here = (ctypes.c_uint64 * (2 * most))()
        self._there = (ctypes.c_uint64 * (2 * most))()
        self._here_at = ctypes.addressof(self._here)
        self._there_at = ctypes.addressof(self._there)
        self._size, self._most = size, most
        self.count = self.total = 0

    def clear(self) -> None:
        """Ask for no place any more."""
        self.count = self.total = 0

    def add(self, address: int, size: int, to: int) -> bool:
        """Ask for *size* bytes at *address*, to be put at *to*.

        Returns False where there is no room for them.
        """
        if self.count >= self._most or to + size > self._size:
            return False
        n = 2 * self.count
        self._here[n] = self._base + to
        self._here[n + 1] = self._there[n + 1] = size
        self._there[n] = address
        self.count += 1
        self.total += size
        return True

    def move(self, number: int, address: int) -> None:
        """Have place *number* be at *address* from now on."""
        self._there[2 * number] = address

    def read(self) -> int:
        """Copy; return how many bytes came, fewer where a place is gone.

        Raises Gone or Refused.
        """
        got: int = _readv(
            self._pid,
            self._here_at,
            self.count,
            self._there_at,
            self.count,
            0,
        )
        if got >= 0:
            return got
        code = ctypes.get_errno()
        if code in _NOT_MAPPED:
            return 0
        if code == errno.ESRCH:
            raise Gone
        raise Refused(os.strerror(code))

    def first_missing(self, got: int) -> int:
        """Return the start of the place where a copy of *got* ended."""
        n = 1
        while got >= self._there[n]:
            got -= self._there[n]
            n += 2
        return int(self._there[n - 1])


class Memory:
    """Single reads, for what is needed seldom."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        # For copies of stacks as well.
        self.buffer = _unused_bytes(_MOST_BYTES)
        self._place = Places(pid, _MOST_SINGLE, 1)
        self._word = Places(pid, 8, 1)
        self._word.add(0, 8, 0)

    def content(self, address: int, size: int) -> bytes:
        """Return *size* bytes at *address*, fewer where they are not."""
        if not 0 < address < MOST_ADDRESS or size <= 0:
            return b""
        place = self._place
        place.clear()
        if not place.add(address, size, 0):
            return b""
        return bytes(place.view[: place.read()])

    def word(self, address: int) -> int:
        """Return the word at *address*, 0 where there is none."""
        if not 0 < address < MOST_ADDRESS:
            return 0
        place = self._word
        place.move(0, address)
        return int(_WORD(place.view)[0]) if place.read() == 8 else 0
