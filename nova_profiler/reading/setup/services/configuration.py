# SPDX-License-Identifier: Apache-2.0
"""Which files a service reads, by the rules of oslo.config, and what they say.

Nothing is registered and nothing loaded: the files of any service of a host
can be looked at, whatever is installed here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from glob import escape, glob
from typing import NamedTuple

from nova_profiler.errors import NovaProfilerError

# What reads a file: all values of each option, by section. It raises OSError
# or NovaProfilerError.
SectionsOf = Callable[[str], dict[str, dict[str, list[str]]]]

GROUP = "nova_profiler"
NOTIFICATIONS = "oslo_messaging_notifications"
_OFF = ("0", "false", "off", "no")


class Configuration(NamedTuple):
    """What the files of one service say about us."""

    files: tuple[str, ...]
    unreadable: tuple[str, ...]
    # The files that name our driver.
    named_in: tuple[str, ...]
    slips: tuple[str, ...]
    enabled: bool


def files_read(
    etc: str,
    project: str,
    program: str,
    files: Sequence[str] = (),
    folders: Sequence[str] = (),
    root: str = "",
) -> list[str]:
    """Return the files that *program* of *project* reads, in their order.

    *files* and *folders* are what its command line names with --config-file
    and --config-dir; the standard places below *etc* stand in for what it
    does not name. *root* is put before a name of the command line: the root
    of the process's own files.
    """
    found = [f"{root}{path}" for path in files]
    if not files:
        found = _first(etc, project, program, ".conf", os.path.isfile)
    places = [f"{root}{path}" for path in folders]
    if not folders:
        places = _first(etc, project, program, ".conf.d", os.path.isdir)
    for place in places:
        try:
            names = sorted(os.listdir(place))
        except OSError:
            # It is named below as what cannot be read.
            found.append(place)
            continue
        found += [
            os.path.join(place, name)
            for name in names
            if name.endswith(".conf")
        ]
    return found


def paste_files(folder: str) -> list[str]:
    """Return the paste files in *folder*, nova's being its only one."""
    return sorted(glob(os.path.join(escape(folder), "*paste*.ini")))


def _first(
    etc: str,
    project: str,
    program: str,
    ending: str,
    is_there: Callable[[str], bool],
) -> list[str]:
    """Return the project's and the program's own, each where it is first."""
    own = os.path.join(etc, project)
    if os.path.isdir(own) and not os.access(own, os.R_OK | os.X_OK):
        # Named as what cannot be read: what is in it is not known.
        return [own]
    found = []
    for name in dict.fromkeys((project, program)):
        for folder in (own, etc):
            path = os.path.join(folder, name + ending)
            if is_there(path):
                found.append(path)
                break
    return found


def read(paths: Sequence[str], sections_of: SectionsOf) -> Configuration:
    """Return what the files at *paths* say, read with *sections_of*.

    An option with several values adds up over all files, one of a single
    value is the last one's.
    """
    unreadable = []
    named_in = []
    slips = []
    enabled = True
    for path in paths:
        try:
            sections = sections_of(path)
        except (OSError, NovaProfilerError):
            unreadable.append(path)
            continue
        drivers = [
            value.strip()
            for value in sections.get(NOTIFICATIONS, {}).get("driver", [])
        ]
        if GROUP in drivers:
            named_in.append(path)
        slips += [f"driver = {one}" for one in _slips(drivers)]
        for value in sections.get(GROUP, {}).get("enabled", [])[-1:]:
            enabled = value.strip().lower() not in _OFF
    return Configuration(
        tuple(paths), tuple(unreadable), tuple(named_in), tuple(slips), enabled
    )


def _slips(drivers: Sequence[str]) -> Iterator[str]:
    """Yield values in which our name is, and which name no driver."""
    for value in drivers:
        words = value.replace(",", " ").replace("-", "_").split()
        if value != GROUP and GROUP in words:
            yield value
