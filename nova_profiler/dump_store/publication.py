# SPDX-License-Identifier: Apache-2.0
"""Publishes a dump and the companion files that belong to it.

The stacks of a request may be ready when its dump is written, or only some
time later. Either way each file is whole or absent, counts against the
limits, and the dump names the companion that is there.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from nova_profiler.dump_store.names import COMPANION_SUFFIXES
from nova_profiler.dump_store.reading import bytes_of
from nova_profiler.dump_store.retention import Retention
from nova_profiler.dump_store.writing import publish, write_new
from nova_profiler.record import RequestRecord

# Suffix, content, the profile that names the file.
_Companion = tuple[str, bytes, "dict[str, Any] | None"]


class Publication:
    """One dump on its way from the file *aside* to *path*."""

    def __init__(
        self, aside: Path, path: Path, retention: Retention, most_bytes: int
    ) -> None:
        self._aside = aside
        self._path = path
        self._retention = retention
        self._most_bytes = most_bytes
        self._thread = threading.get_ident()
        self._early: list[_Companion] | None = []
        self._late: list[_Companion] = []
        self._is_published = False

    def publish(self, record: RequestRecord) -> None:
        """Write *record* and what is attached by now. May raise OSError."""
        try:
            companions = self._attached(record)
            content = _json_of(record.to_dict())
            if 0 < self._most_bytes < len(content):
                raise OSError(
                    errno.EFBIG,
                    f"a dump of {len(content)} bytes is more than all dumps "
                    f"together may have",
                )
            # claim() has made sure that no other writer has this name.
            self._aside.write_bytes(content)
            for suffix, companion, _ in companions:
                write_new(self._aside_of(suffix), companion)
            size = len(content) + sum(len(one[1]) for one in companions)
            self._retention.make_room(size, 1 + len(companions))
            # The dump last: what it names is there by then.
            for suffix, _, _ in companions:
                publish(self._aside_of(suffix), self._path_of(suffix))
            publish(self._aside, self._path)
        except BaseException:
            self._early = None
            self._remove_all()
            raise
        self._is_published = True
        self._attach_late()

    def attach(
        self, suffix: str, content: bytes, profile: dict[str, Any] | None
    ) -> None:
        """Keep *content* beside the dump; a *profile* replaces the record's.

        Without content the profile is kept, and there is no companion. At
        once or later, from any thread. May raise OSError.
        """
        if suffix not in COMPANION_SUFFIXES:
            raise ValueError(f"{suffix!r} is not a companion's suffix")
        companion = suffix, content, profile
        early = self._early
        if early is not None and threading.get_ident() == self._thread:
            early.append(companion)
            return
        # Greenthreads and threads could not share a lock: the thread that
        # sees both, the file and the dump, brings them together.
        self._late.append(companion)
        if self._is_published:
            self._attach_late()

    def _attached(self, record: RequestRecord) -> list[_Companion]:
        if record.profiled is not None:
            record.profiled.attach(self.attach)
        companions, self._early = self._early or [], None
        kept = []
        for suffix, content, profile in companions:
            if profile is not None:
                record.profile = profile
            if record.profile is None:
                record.profile = {}
            if self._named(suffix, content, record.profile):
                kept.append((suffix, content, profile))
        return kept

    def _named(
        self, suffix: str, content: bytes, profile: dict[str, Any]
    ) -> bool:
        """Name the file in *profile*; False if there is none to keep."""
        if not content:
            profile["file"] = None
            return False
        if 0 < self._most_bytes < len(content):
            profile["file"] = None
            profile.setdefault("notes", []).append(
                f"The stacks were not kept: {len(content)} bytes are more "
                f"than all dumps together may have."
            )
            return False
        profile["file"] = self._path_of(suffix).name
        return True

    def _attach_late(self) -> None:
        while self._late:
            try:
                suffix, content, profile = self._late.pop(0)
            except IndexError:
                # Another thread was quicker.
                return
            self._add(suffix, content, profile)

    def _add(
        self, suffix: str, content: bytes, profile: dict[str, Any] | None
    ) -> None:
        """Add a companion to the published dump, unless that is gone."""
        try:
            fields = json.loads(bytes_of(self._path))
        except FileNotFoundError:
            return
        if profile is None:
            profile = fields.get("profile") or {}
        is_kept = self._named(suffix, content, profile)
        fields["profile"] = profile
        changed = _json_of(fields)
        files: list[tuple[Path, Path]] = []
        try:
            if is_kept:
                write_new(self._aside_of(suffix), content)
                files.append((self._aside_of(suffix), self._path_of(suffix)))
            write_new(self._aside, changed)
            files.append((self._aside, self._path))
            size = len(changed) - self._path.stat().st_size
            size += len(content) * is_kept
            self._retention.make_room(size, int(is_kept))
            self._replace(files)
        finally:
            for aside, _ in files:
                with suppress(OSError):
                    os.unlink(aside)

    def _replace(self, files: list[tuple[Path, Path]]) -> None:
        for aside, path in files:
            # Room may have been made by removing this very dump.
            if self._path.exists():
                os.rename(aside, path)
        if not self._path.exists():
            for _, path in files:
                with suppress(OSError):
                    os.unlink(path)

    def _remove_all(self) -> None:
        paths = [self._aside]
        for suffix in COMPANION_SUFFIXES:
            paths += [self._aside_of(suffix), self._path_of(suffix)]
        for path in paths:
            with suppress(OSError):
                os.unlink(path)

    def _aside_of(self, suffix: str) -> Path:
        return self._aside.with_name(self._aside.name + suffix)

    def _path_of(self, suffix: str) -> Path:
        return self._path.with_suffix(suffix)


def _json_of(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), default=str).encode()
