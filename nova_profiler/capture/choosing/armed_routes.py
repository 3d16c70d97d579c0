# SPDX-License-Identifier: Apache-2.0
"""Kinds of requests of which the next few are watched, in all workers.

The table is a small JSON file, ``{digest: [armed at, left, user]}``, so that
one worker arms for all. It has digests, no names. It has no lock: two workers
that write at once may lose a count, which costs one watched request more or
less.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from nova_profiler.dump_store.opened import Directory
from nova_profiler.dump_store.writing import publish, write_new
from nova_profiler.routes import METHODS, OTHER_METHOD, shape_of
from nova_profiler.trust.files import FileError, read_regular
from nova_profiler.trust.folders import UntrustedFolder

# How many requests are watched after a slow one of their kind.
ARMED_REQUESTS = 3
# Kinds that are armed at a time at most, and how many of them one user has
# armed without being the first to lose one; and for how long.
ARMED_KINDS = 64
ARMED_SHARE = ARMED_KINDS // 4
ARMED_S = 600.0
# How long a kind rests, so that one that is always slow is not always
# watched.
REST_S = 60.0

_FILE = ".armed"
# How often a worker looks at what others have armed.
_LOOK_S = 0.5
# A table of 64 kinds has some 3000.
_LARGEST_BYTES = 65_536
_LONGEST_ROUTE = 200

# By digest: when the kind was armed, how many requests are left, and for whose
# request it was armed.
Kinds = dict[str, tuple[float, int, str]]


class Armed:
    """The kinds that are armed. *clock* is one that all processes share.

    A kind is a method and a path whose ids are gone. Workers that give the
    same *directory* share a table. Without one each process has its own:
    then there are no dumps either, which the stacks would be kept beside.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        directory: str | os.PathLike[str] | None = None,
    ) -> None:
        self._clock = clock
        self._directory = None if directory is None else Directory(directory)
        self._kinds: Kinds = {}
        # Of the file that was read last: when it was written, its number.
        self._stamp: tuple[int, int] | None = None
        self._look_at = 0.0
        # Digests of the kinds that have requests left.
        self._live: frozenset[str] = frozenset()

    def arm(self, method: str, path: str, user: str = "") -> None:
        """Arm the kind of this request, unless it was armed just now.

        *user* is a digest of whose it was. May raise OSError.
        """
        kind = _kind_of(method, path)
        if kind is None:
            return
        now = self._clock()
        kinds = {
            known: row
            for known, row in self._read().items()
            # A time in the future was written before the last reboot.
            if 0 <= now - row[0] <= ARMED_S
        }
        if kind in kinds and now - kinds[kind][0] < REST_S:
            return
        kinds[kind] = now, ARMED_REQUESTS, user
        while len(kinds) > ARMED_KINDS:
            del kinds[_next_to_go(kinds)]
        self._write(kinds, now)

    def take(self, method: str, path: str) -> bool:
        """Return whether this request is one of the next few.

        May raise OSError.
        """
        now = self._clock()
        if not 0 <= self._look_at - now <= _LOOK_S:
            self._look_at = now + _LOOK_S
            self._live = frozenset()
            self._live = _live_of(self._read(), now)
        if not self._live:
            return False
        kind = _kind_of(method, path)
        if kind is None or kind not in self._live:
            return False
        # Anew: others may have taken some.
        kinds = self._read()
        if kind not in _live_of(kinds, now):
            return False
        armed_at, left, user = kinds[kind]
        self._write({**kinds, kind: (armed_at, left - 1, user)}, now)
        return True

    def _read(self) -> Kinds:
        """Return the table, read again only if its file is another one."""
        if self._directory is None:
            return self._kinds
        try:
            with self._directory.opened(make=False) as opened:
                self._look_at_file(opened.fd)
        except UntrustedFolder:
            # No dumps either, and so no stacks: its own table is enough.
            return self._kinds
        except (FileNotFoundError, FileError):
            # None, or none of ours: the next slow request writes one.
            self._kinds, self._stamp = {}, None
        return self._kinds

    def _look_at_file(self, fd: int) -> None:
        status = os.stat(_FILE, dir_fd=fd, follow_symlinks=False)
        stamp = status.st_mtime_ns, status.st_ino
        if stamp != self._stamp:
            content = read_regular(
                _FILE, "a table has", _LARGEST_BYTES, os.O_NOFOLLOW, fd
            )
            self._kinds, self._stamp = _kinds_in(content), stamp

    def _write(self, kinds: Kinds, now: float) -> None:
        if self._directory is not None:
            # What a failure leaves there goes when dumps are pruned.
            aside = f"{_FILE}-{secrets.token_hex(8)}"
            with suppress(UntrustedFolder):
                with self._directory.opened() as opened:
                    write_new(opened, aside, json.dumps(kinds).encode())
                    publish(opened, aside, "", _FILE)
        self._kinds, self._stamp = kinds, None
        self._live = _live_of(kinds, now)


def _kinds_in(content: bytes) -> Kinds:
    """Return the table in *content*, empty if that is no table."""
    try:
        return {
            # Tables of before have no user.
            kind: (armed_at, left, str(user[0]) if user else "")
            for kind, (armed_at, left, *user) in json.loads(content).items()
            if type(armed_at) is float and type(left) is int
        }
    except (AttributeError, RecursionError, TypeError, ValueError):
        return {}


def _live_of(kinds: Kinds, now: float) -> frozenset[str]:
    """Return the digests of the kinds that have requests left."""
    return frozenset(
        kind
        for kind, (armed_at, left, _) in kinds.items()
        if left > 0 and 0 <= now - armed_at <= ARMED_S
    )


def _next_to_go(kinds: Kinds) -> str:
    """Return the oldest of the user who has most, if that is a share.

    Else the oldest of all, so that no client drives out all others.
    """
    users = Counter(user for _, _, user in kinds.values())
    user, count = users.most_common(1)[0]
    of_user = [
        kind
        for kind, row in kinds.items()
        if row[2] == user or count <= ARMED_SHARE
    ]
    return min(of_user, key=lambda kind: kinds[kind])


def _kind_of(method: str, path: str) -> str | None:
    """Return the digest of a request's kind, None for a path of no shape.

    What is no request has its route there, whose names are bounded.
    """
    if path.startswith("/"):
        shape = shape_of(path)
        if method not in METHODS:
            method = OTHER_METHOD
    else:
        shape = path if len(path) <= _LONGEST_ROUTE else None
    if shape is None:
        return None
    return hashlib.blake2b(
        f"{method} {shape}".encode(), digest_size=8
    ).hexdigest()
