# SPDX-License-Identifier: Apache-2.0
"""Adds up the profiles of a command; several processes read many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path

from nova_profiler.errors import NovaProfilerError
from nova_profiler.profiles import ProfileError
from nova_profiler.profiles.loading import Profile, Profiles
from nova_profiler.reading.command_line.progress import with_progress
from nova_profiler.reading.command_line.skipped import Skipped
from nova_profiler.reading.process_pools import process_pool, usable_cores

# From this number on a second process saves more than it costs.
MANY = 200
_AT_ONCE = 25
# More than four gain nothing.
PROCESSES = min(usable_cores(), 4)


def added_up(paths: Sequence[Path], skipped: Skipped) -> Profiles:
    """Return the sum of *paths*; *skipped* notes those that are unreadable.

    Raises NovaProfilerError if all are.
    """
    parts = [
        paths[number : number + _AT_ONCE]
        for number in range(0, len(paths), _AT_ONCE)
    ]
    whole = Profiles()
    unread: list[str] = []
    read = _by_many(parts) if len(paths) >= MANY else map(_read, parts)
    for profiles, errors in with_progress(
        read, "reading profiles", len(parts)
    ):
        whole.join(profiles)
        unread += errors
    whole.share_out_unseen()
    if unread and not whole.engines:
        raise none_read(unread)
    for error in unread:
        skipped.add(error)
    return whole


def one_of(profiles: Profiles, skipped: Skipped) -> Profile:
    """Return the only profile of *profiles*, which must be of one engine.

    Raises NovaProfilerError, once what was *skipped* is printed.
    """
    if len(profiles.engines) == 1:
        return profiles.engines[0]
    skipped.print()
    if profiles.engines:
        engines = " and ".join(profile.engine for profile in profiles.engines)
        raise NovaProfilerError(
            f"these profiles are of {engines}, whose times do not add up; "
            f"name those of one"
        )
    raise NovaProfilerError("no stacks in what was chosen")


def none_read(errors: Sequence[str]) -> NovaProfilerError:
    """Return the error that no profile can be read."""
    if len(errors) == 1:
        return NovaProfilerError(errors[0])
    return NovaProfilerError(
        f"none of these {len(errors)} profiles can be read; the first: "
        f"{errors[0]}"
    )


def _by_many(
    parts: Sequence[Sequence[Path]],
) -> Iterator[tuple[Profiles, list[str]]]:
    """Yield the sum of each part; several processes read them."""
    # A fork is safe: no other thread of a command is at work.
    fork = multiprocessing.get_context("fork")
    with process_pool(PROCESSES, fork) as pool:
        yield from pool.map(_read, parts)


def _read(paths: Sequence[Path]) -> tuple[Profiles, list[str]]:
    profiles = Profiles()
    errors = []
    for path in paths:
        try:
            profiles.add(path)
        except ProfileError as exc:
            errors.append(str(exc))
    return profiles, errors
