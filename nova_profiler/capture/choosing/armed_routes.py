# SPDX-License-Identifier: Apache-2.0
"""Kinds of requests of which the next few are watched, in all workers.

The table is a small file, so that what one worker arms, the others see. It
holds hashes, no names. It has no lock: two that write at once may lose a
count, which costs one watched request more or less.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import weakref
from collections.abc import Callable, Iterator

from nova_profiler.routes import METHODS, OTHER_METHOD, shape_of

# How many requests are watched after a slow one of their kind.
ARMED_REQUESTS = 3
# Kinds that are armed at a time at most; and for how long.
ARMED_KINDS = 64
ARMED_S = 600.0
# How long a kind rests, so that one that is always slow is not always
# watched.
REST_S = 60.0

# The kind, when it was armed, how many requests are left.
_PLACE = struct.Struct("=QdQ")
# Places that a kind may have; who was armed longest ago makes room.
_CHOICES = 4
_FILE = ".armed"
# How often a worker looks at what others have armed.
_LOOK_S = 0.5
_BYTES = ARMED_KINDS * _PLACE.size
# The lowest byte of a kind is what can be told of a request at once.
_TRAIT = 0xFF
_METHOD_NUMBERS = {
    method: 16 * number for number, method in enumerate(sorted(METHODS), 1)
}


class _Table:
    """The open file; closed when nobody uses it any more.

    Not sooner: another thread may be about to read or write by its number.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        weakref.finalize(self, os.close, fd)

    @property
    def is_there(self) -> bool:
        """Return whether nobody has removed the file."""
        return os.fstat(self.fd).st_nlink > 0

    def read(self) -> bytes:
        """Return the places. A new file has nothing in it, nor armed."""
        return os.pread(self.fd, _BYTES, 0).ljust(_BYTES, b"\0")

    def write(self, place: int, kind: int, armed_at: float, left: int) -> None:
        """Fill a place."""
        os.pwrite(self.fd, _PLACE.pack(kind, armed_at, left), place)


class Armed:
    """The kinds that are armed. *clock* is one that all processes share.

    A kind is a method and a path whose ids are gone. Workers that give the
    same *directory* share a table; without one, those that were forked after
    this was made.
    """

    def __init__(
        self, clock: Callable[[], float], directory: str | None = None
    ) -> None:
        self._clock = clock
        self._directory = directory
        self._table: _Table | None = None
        self._look_at = 0.0
        # Of the kinds that are armed: most requests have none of these.
        self._traits: frozenset[int] = frozenset()
        if directory is None:
            self._table = _Table(os.memfd_create("nova_profiler"))

    def arm(self, method: str, path: str) -> None:
        """Arm the kind of this request, unless it was armed just now.

        May raise OSError.
        """
        kind = _kind_of(method, path)
        if kind is None:
            return
        now = self._clock()
        table = self._made()
        places = table.read()
        chosen, chosen_at = -1, now
        for place in _places_of(kind):
            known, armed_at, _ = _PLACE.unpack_from(places, place)
            if known == kind:
                if armed_at and 0 <= now - armed_at < REST_S:
                    return
                chosen = place
                break
            if chosen < 0 or armed_at < chosen_at:
                chosen, chosen_at = place, armed_at
        table.write(chosen, kind, now, ARMED_REQUESTS)
        self._look_at = 0.0

    def take(self, method: str, path: str) -> bool:
        """Return whether this request is one of the next few.

        May raise OSError.
        """
        now = self._clock()
        if not 0 <= self._look_at - now <= _LOOK_S:
            self._look(now)
        traits, table = self._traits, self._table
        if table is None or not traits:
            return False
        if _trait_of(method, path) not in traits:
            return False
        kind = _kind_of(method, path)
        if kind is None:
            return False
        # Anew: others may have taken some.
        places = table.read()
        for place in _places_of(kind):
            known, armed_at, left = _PLACE.unpack_from(places, place)
            if known == kind:
                if not _is_armed(armed_at, left, now):
                    return False
                table.write(place, kind, armed_at, left - 1)
                return True
        return False

    def _look(self, now: float) -> None:
        """Learn what is armed, by whomever."""
        self._look_at = now + _LOOK_S
        self._traits = frozenset()
        table = self._opened(os.O_RDWR)
        if table is not None:
            self._traits = frozenset(
                kind & _TRAIT
                for kind, armed_at, left in _PLACE.iter_unpack(table.read())
                if _is_armed(armed_at, left, now)
            )

    def _made(self) -> _Table:
        """Return the table, whose file is made if it is not there."""
        if self._directory is not None:
            os.makedirs(self._directory, 0o700, exist_ok=True)
        table = self._opened(os.O_RDWR | os.O_CREAT)
        if table is None:
            raise FileNotFoundError(f"{self._directory} was removed")
        return table

    def _opened(self, flags: int) -> _Table | None:
        """Return the table; None if it is not there, nor to be made."""
        if self._directory is None:
            return self._table
        if self._table is None or not self._table.is_there:
            self._table = None
            path = os.path.join(self._directory, _FILE)
            flags |= os.O_NOFOLLOW | os.O_CLOEXEC
            with contextlib.suppress(FileNotFoundError):
                self._table = _Table(os.open(path, flags, 0o600))
        return self._table


def _is_armed(armed_at: float, left: int, now: float) -> bool:
    # Of before the machine was started, it may be to come.
    return left > 0 and 0 <= now - armed_at <= ARMED_S


def _trait_of(method: str, path: str) -> int:
    """Return the method and the number of slashes as 1 to 159."""
    return _METHOD_NUMBERS.get(method, 0) + min(path.count("/") + 1, 15)


def _kind_of(method: str, path: str) -> int | None:
    shape = shape_of(path)
    if shape is None:
        return None
    if method not in METHODS:
        method = OTHER_METHOD
    digest = hashlib.blake2b(f"{method} {shape}".encode(), digest_size=8)
    # Never 0, which is a place that nobody has.
    rest = int.from_bytes(digest.digest(), "big") & ~_TRAIT
    return rest | _trait_of(method, path)


def _places_of(kind: int) -> Iterator[int]:
    """Yield the offsets at which *kind* may be."""
    first = kind >> 8
    for number in range(first, first + _CHOICES):
        yield number % ARMED_KINDS * _PLACE.size
