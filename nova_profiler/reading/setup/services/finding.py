# SPDX-License-Identifier: Apache-2.0
"""The services of a host, from its configuration and its processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from glob import escape, glob

from nova_profiler.errors import NovaProfilerError
from nova_profiler.paste_file import own_filters, sections_of
from nova_profiler.reading.setup.paste_pipelines import ROOT, pipelines_of
from nova_profiler.reading.setup.pipelines import words_of_ours
from nova_profiler.reading.setup.services import (
    DRIVER,
    FILTER,
    WRAPPED,
    Kind,
    Python,
    Running,
    Service,
)
from nova_profiler.reading.setup.services import configuration as conf
from nova_profiler.reading.setup.services.environments import python_at
from nova_profiler.reading.setup.services.known import (
    KINDS,
    kind_of_module,
    kind_of_program,
)
from nova_profiler.reading.setup.services.processes import (
    Found,
    Process,
    found_in,
    spawned_of,
)
from nova_profiler.reading.setup.services.uwsgi_files import (
    UwsgiFile,
    uwsgi_file,
)
from nova_profiler.trust.folders import is_in_safe_hands


def services_of(
    etc: str,
    running: Sequence[Process],
    options_of: conf.SectionsOf,
    prefix: str = "",
) -> list[Service]:
    """Return the services of a host, in the order of ``KINDS``.

    *etc* is where their configuration is, *running* are the host's processes,
    *options_of* reads a file of oslo.config. *prefix* is the environment of a
    service that does not run. Where a process of a project runs, its services
    that do not are left out: their configuration is there on every host.
    """
    found = found_in(running)
    projects = {one.kind.project for one in found}
    services: list[Service] = []
    for kind in KINDS:
        own = [one for one in found if one.kind == kind]
        for alike in _alike(own):
            services.append(_running(alike, etc, running, options_of))
        if kind.project not in projects and _is_configured(kind, etc):
            files = conf.files_read(etc, kind.project, kind.programs[0])
            read = conf.read(files, options_of)
            python = python_at(prefix) if prefix else None
            services.append(_judged(kind, etc, read, "", Running(), python))
    return services


def _is_configured(kind: Kind, etc: str) -> bool:
    """Return whether *etc* has what the service would be started with."""
    folder = os.path.join(etc, kind.project)
    if kind.way == FILTER:
        return any(_serves(path, kind) for path in conf.paste_files(folder))
    return bool(conf.files_read(etc, kind.project, kind.programs[0]))


def _alike(found: Sequence[Found]) -> list[list[Found]]:
    """Return processes of one kind, those of the same files together."""
    groups: dict[tuple[object, ...], list[Found]] = {}
    for one in found:
        key = (one.files, one.folders, one.uwsgi, one.process.root)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _running(
    alike: Sequence[Found],
    etc: str,
    running: Sequence[Process],
    options_of: conf.SectionsOf,
) -> Service:
    first = alike[0]
    root = first.process.root
    pids = tuple(sorted(one.process.pid for one in alike))
    spawned = tuple(sorted(spawned_of(running, pids)))
    here = f"{root}{etc}"
    files = conf.files_read(
        here,
        first.kind.project,
        first.program,
        first.files,
        first.folders,
        root,
    )
    read = conf.read(files, options_of)
    uwsgi = f"{root}{first.uwsgi}" if first.uwsgi else ""
    served = next(_uwsgi_files(first.kind, here, uwsgi), None)
    prefix = (served.venv if served else "") or first.prefix
    if not prefix.startswith("/"):
        # Relative to a folder that only the process knows.
        prefix = ""
    is_seen = _is_to_be_seen(prefix, root)
    python = python_at(prefix, root) if prefix and is_seen else None
    processes = Running(pids, spawned, "" if is_seen else prefix)
    return _judged(first.kind, here, read, uwsgi, processes, python)


def _is_to_be_seen(prefix: str, root: str) -> bool:
    """Return whether the environment of a command line can be believed."""
    try:
        return is_in_safe_hands(prefix, root)
    except OSError:
        # Nothing is there.
        return True


def _judged(
    kind: Kind,
    etc: str,
    read: conf.Configuration,
    uwsgi: str,
    running: Running,
    python: Python | None,
) -> Service:
    """Return the service with the ways by which it is on."""
    by: list[str] = []
    where: list[str] = []
    unreadable = list(read.unreadable)
    if kind.way == FILTER:
        for path in conf.paste_files(os.path.join(etc, kind.project)):
            try:
                if _has_filter(path, kind):
                    by.append(FILTER)
                    where.append(path)
            except (OSError, NovaProfilerError):
                unreadable.append(path)
    if kind.way == WRAPPED:
        for one in _uwsgi_files(kind, etc, uwsgi):
            if one.is_wrapped:
                by.append(WRAPPED)
                where.append(one.path)
    if read.named_in and kind.way in (FILTER, DRIVER):
        by.append(DRIVER)
        where += read.named_in
    if running.pids and not read.files:
        # In a container, or another user's: "off" would be a guess.
        unreadable.append(os.path.join(etc, kind.project))
    on: bool | None = kind.way in by
    if not on and unreadable:
        on = None
    return Service(
        kind,
        on,
        tuple(dict.fromkeys(by)),
        tuple(where),
        read.files,
        tuple(unreadable),
        read.slips,
        read.enabled,
        running,
        python,
    )


def _serves(path: str, kind: Kind) -> bool:
    """Return whether the paste file at *path* has what *kind* serves."""
    try:
        sections = sections_of(path)
    except (OSError, NovaProfilerError):
        return True
    return not kind.root or any(
        name.partition(":")[2] == kind.root for name in sections
    )


def _has_filter(path: str, kind: Kind) -> bool:
    """Return whether a pipeline that *kind* serves has our filter.

    Raises OSError or NovaProfilerError for what cannot be read.
    """
    sections = sections_of(path)
    words = words_of_ours(sections)
    if not words and not own_filters(sections):
        return False
    return any(
        one.is_covered or any(name in words for name in one.names)
        for one in pipelines_of(sections, words, kind.root or ROOT)
    )


def _uwsgi_files(kind: Kind, etc: str, given: str) -> Iterator[UwsgiFile]:
    """Yield the files by which uWSGI serves *kind*."""
    folder = os.path.join(etc, kind.project)
    paths = [given]
    if not given:
        paths = sorted(glob(os.path.join(escape(folder), "*.ini")))
    for path in paths:
        try:
            one = uwsgi_file(path)
        except OSError:
            continue
        if one is not None and (
            given
            or kind_of_module(one.application) == kind
            or kind_of_program(one.application) == kind
        ):
            yield one
