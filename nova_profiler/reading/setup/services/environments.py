# SPDX-License-Identifier: Apache-2.0
"""What is installed in a Python environment, looked at from outside."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator
from glob import escape, glob

from nova_profiler.projects import PROJECTS
from nova_profiler.reading.setup.services import SYSTEM_PREFIXES, Python
from nova_profiler.trust.files import FileError, read_regular
from nova_profiler.trust.ini_text import for_configparser

DRIVER_GROUP = "oslo.messaging.notify.drivers"
OURS = "nova-profiler"
# The packages whose versions decide what can be timed.
_LOOKED_AT = frozenset(
    {
        *("nova-profiler", "sqlalchemy", "greenlet", "eventlet"),
        *("oslo-config", "oslo-messaging", "oslo-service"),
        *(one.distribution or one.name for one in PROJECTS),
    }
)
_SITE = re.compile(r"/python(3\.[0-9]+)/")
_INFO = re.compile(
    r"(?P<name>.+?)-(?P<version>[0-9][^-]*)(-py[0-9.]+)?\.(dist|egg)-info"
)


def python_at(prefix: str, root: str = "") -> Python | None:
    """Return what the environment at *prefix* has; None if there is none.

    *root* is put before each path that is looked at.
    """
    folders = list(_folders(prefix, root))
    if not folders:
        return None
    packages: dict[str, str] = {}
    has_driver = False
    for folder in folders:
        for name, version, path in _packages(folder):
            if name not in packages:
                packages[name] = version
                has_driver = has_driver or (name == OURS and _names_us(path))
    site = _SITE.search(folders[0])
    return Python(prefix, site[1] if site else "", packages, has_driver)


def _folders(prefix: str, root: str) -> Iterator[str]:
    """Yield the folders where packages are, the environment's own first."""
    yield from _sites(prefix, root)
    if prefix in SYSTEM_PREFIXES or _has_system_packages(f"{root}{prefix}"):
        for one in SYSTEM_PREFIXES:
            if one != prefix:
                yield from _sites(one, root)
        dist = f"{root}/usr/lib/python3/dist-packages"
        if os.path.isdir(dist):
            yield dist


def _sites(prefix: str, root: str) -> list[str]:
    return [
        path
        for name in ("site-packages", "dist-packages")
        for path in sorted(
            glob(f"{escape(root + prefix)}/lib/python3.*/{name}"),
            reverse=True,
        )
    ]


def _has_system_packages(prefix: str) -> bool:
    try:
        # It may be a pipe: the environment may be another user's.
        text = read_regular(f"{prefix}/pyvenv.cfg", largest=10_000).decode()
    except (OSError, UnicodeError, FileError):
        return False
    found = re.search(r"include-system-site-packages\s*=\s*(\w+)", text)
    return found is not None and found[1].lower() == "true"


def _packages(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and path of what is installed in *folder*.

    The names of the folders have both, so that only ours is looked into.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for entry in names:
        found = _INFO.fullmatch(entry)
        # In the form that all spellings of a package's name share.
        name = re.sub(r"[-_.]+", "-", found["name"]).lower() if found else ""
        if found and name in _LOOKED_AT:
            yield name, found["version"], os.path.join(folder, entry)


def _names_us(path: str) -> bool:
    """Return whether the package installed at *path* brings the driver."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        raw = read_regular(f"{path}/entry_points.txt", largest=100_000)
        parser.read_string(for_configparser(raw.decode()))
    except (OSError, UnicodeError, FileError, configparser.Error):
        return False
    return parser.has_option(DRIVER_GROUP, "nova_profiler")
