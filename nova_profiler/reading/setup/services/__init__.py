# SPDX-License-Identifier: Apache-2.0
"""The services of a host: which are switched on, by what, and what they lack.

``known`` has the services, ``processes`` those that run, ``environments``
what their Python has, ``configuration`` and ``uwsgi_files`` what their files
say; ``finding`` puts that together, ``points`` judges it.
"""

from __future__ import annotations

from typing import NamedTuple

# The ways to switch a service on.
FILTER = "filter"
DRIVER = "driver"
WRAPPED = "wsgi"

# The prefixes of the system's own Python.
SYSTEM_PREFIXES = ("/usr", "/usr/local")


class Kind(NamedTuple):
    """A service that can be timed, and how it is found and switched on."""

    service: str
    project: str
    way: str
    # What its process may be called, and the modules that WSGI servers load.
    programs: tuple[str, ...]
    modules: tuple[str, ...] = ()
    # The application of a paste file that it serves; empty: all of the file.
    root: str = ""


class Python(NamedTuple):
    """What is installed beside a service; versions by package."""

    prefix: str
    version: str = ""
    packages: dict[str, str] = {}
    has_driver: bool = False


class Running(NamedTuple):
    """The processes of one service that have the same configuration."""

    pids: tuple[int, ...] = ()
    # Workers that multiprocessing spawned: they have not read any file.
    spawned: tuple[int, ...] = ()
    # The environment that they name, where others may change it: any process
    # can call itself a service.
    unseen: str = ""


class Service(NamedTuple):
    """One service of this host.

    ``on`` is None where a file cannot be read. ``by`` are the ways by which
    it is on; ``where`` are the files in which they stand.
    """

    kind: Kind
    on: bool | None
    by: tuple[str, ...]
    where: tuple[str, ...]
    # The configuration that it reads, and those files that this user may not.
    files: tuple[str, ...]
    unreadable: tuple[str, ...]
    # Values that mean our driver and are none, such as two names in one line.
    slips: tuple[str, ...]
    enabled: bool
    running: Running
    python: Python | None
