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
from typing import Any, BinaryIO

from nova_profiler.dump_store.names import COMPANION_SUFFIXES, DUMP_SUFFIX
from nova_profiler.dump_store.opened import ASIDE_FOLDER, Directory, Opened
from nova_profiler.dump_store.reading import read_in_folder
from nova_profiler.dump_store.retention import Retention
from nova_profiler.dump_store.writing import claim, publish, write_new
from nova_profiler.record import RequestRecord

# Suffix, content, the profile that names the file.
_Companion = tuple[str, bytes, "dict[str, Any] | None"]


class Publication:
    """One dump on its way into the folder *day* of *directory*.

    ``stem`` is its name there; another dump may have had the one asked for.
    """

    def __init__(
        self,
        directory: Directory,
        day: str,
        stem: str,
        retention: Retention,
        most_bytes: int,
    ) -> None:
        self._directory = directory
        self._day = day
        self.stem = stem
        self._aside = ""
        self._retention = retention
        self._most_bytes = most_bytes
        self._thread = threading.get_ident()
        self._early: list[_Companion] | None = []
        self._late: list[_Companion] = []
        self._is_published = False

    def publish(self, record: RequestRecord) -> None:
        """Write *record* and what is attached by now. May raise OSError."""
        with self._directory.opened() as opened:
            file, self._aside, self.stem = claim(opened, self._day, self.stem)
            try:
                self._publish(opened, record, file)
            except BaseException:
                self._early = None
                self._remove_all(opened)
                raise
        self._is_published = True
        self._attach_late()

    def _publish(
        self, opened: Opened, record: RequestRecord, file: BinaryIO
    ) -> None:
        with file:
            companions = self._attached(record)
            content = _json_of(record.to_dict())
            if 0 < self._most_bytes < len(content):
                raise OSError(
                    errno.EFBIG,
                    f"a dump of {len(content)} bytes is more than all dumps "
                    f"together may have",
                )
            # Not by its name, which may be another file by now.
            file.write(content)
        for suffix, companion, _ in companions:
            write_new(opened, self._aside + suffix, companion)
        size = len(content) + sum(len(one[1]) for one in companions)
        self._retention.make_room(opened, size, 1 + len(companions))
        # The dump last: what it names is there by then.
        for suffix, _, _ in companions:
            self._move(opened, suffix, suffix)
        self._move(opened)

    def _move(
        self, opened: Opened, suffix: str = "", to: str = DUMP_SUFFIX
    ) -> None:
        publish(opened, self._aside + suffix, self._day, self.stem + to)

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
        profile["file"] = self.stem + suffix
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
        with suppress(FileNotFoundError):
            with self._directory.opened(make=False) as opened:
                before = read_in_folder(
                    opened.folder(self._day), self.stem + DUMP_SUFFIX
                )
                self._add_to(opened, before, suffix, content, profile)

    def _add_to(
        self,
        opened: Opened,
        before: bytes,
        suffix: str,
        content: bytes,
        profile: dict[str, Any] | None,
    ) -> None:
        fields = json.loads(before)
        if profile is None:
            profile = fields.get("profile") or {}
        is_kept = self._named(suffix, content, profile)
        fields["profile"] = profile
        changed = _json_of(fields)
        files: list[tuple[str, str]] = []
        try:
            if is_kept:
                write_new(opened, self._aside + suffix, content)
                files.append((self._aside + suffix, self.stem + suffix))
            write_new(opened, self._aside, changed)
            files.append((self._aside, self.stem + DUMP_SUFFIX))
            size = len(changed) - len(before) + len(content) * is_kept
            self._retention.make_room(opened, size, int(is_kept))
            self._replace(opened, files)
        finally:
            for aside, _ in files:
                with suppress(OSError):
                    opened.remove(ASIDE_FOLDER, aside)

    def _replace(self, opened: Opened, files: list[tuple[str, str]]) -> None:
        aside_folder, day = opened.folder(ASIDE_FOLDER), self._day
        for aside, name in files:
            # Room may have been made by removing this very dump.
            if opened.has(day, self.stem + DUMP_SUFFIX):
                os.rename(
                    aside,
                    name,
                    src_dir_fd=aside_folder,
                    dst_dir_fd=opened.folder(day),
                )
        if not opened.has(day, self.stem + DUMP_SUFFIX):
            for _, name in files:
                with suppress(OSError):
                    opened.remove(day, name)

    def _remove_all(self, opened: Opened) -> None:
        names = [(ASIDE_FOLDER, self._aside)]
        for suffix in COMPANION_SUFFIXES:
            names.append((ASIDE_FOLDER, self._aside + suffix))
            names.append((self._day, self.stem + suffix))
        for folder, name in names:
            with suppress(OSError):
                opened.remove(folder, name)


def _json_of(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), default=str).encode()
