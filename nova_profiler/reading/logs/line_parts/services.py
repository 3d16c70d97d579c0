# SPDX-License-Identifier: Apache-2.0
"""The service that wrote a line, by its logger, its unit or its file."""

from __future__ import annotations

import re
from functools import lru_cache

from nova_profiler.reading.logs.line_parts.service_names import (
    ALIASES,
    APIS,
    BEFORE,
    DEVSTACK,
    FRONT_WORDS,
    LOGGERS,
    PROJECTS,
    ROLES,
)

UNKNOWN = "unknown"

_ENDINGS = re.compile(
    r"(?:\.(?:log|txt|json|jsonl|ndjson|csv|gz|bz2|xz|zst|old|service|\d+)"
    r"|[._-]\d{4}-?\d\d-?\d\d[\w:.-]*|-cell\d+|@\S*)\Z"
)
# As file systems have it; a name in JSON may be of any length.
_LONGEST_NAME = 255
_LONGEST_PATH = 1_000
# Folders above a file that may name its project.
_FOLDERS = 4
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,200}\Z")
_LONGEST_SHOWN = 60
_WORDS = re.compile(r"[^a-z0-9]+")
_NAMES = re.compile(r"[A-Za-z][\w.@\-]{0,200}")
_TO_WORDS = str.maketrans("_.", "--")


def service_of_logger(logger: str) -> str | None:
    """Return the service that answers requests and logs as *logger*."""
    if "metadata" in logger and logger.startswith("nova."):
        return "nova-metadata"
    return APIS.get(logger.partition(".")[0])


@lru_cache(4096)
def service_that_logs(logger: str) -> str | None:
    """Return the service of which *logger* is own code, None for a library.

    A project's code that several of its services run is none of one.
    """
    known = f"{logger}."
    for start, service in LOGGERS:
        if known.startswith(f"{start}."):
            return service
    return None


@lru_cache(4096)
def service_of_unit(unit: str) -> str | None:
    """Return the service of a unit such as ``devstack@n-api.service``.

    Of a container, a pod or a program as well: ``nova_api``, ``nova-api-0``.
    """
    if len(unit) > _LONGEST_NAME:
        return None
    return _service_in(unit) or _plain(unit)


@lru_cache(4096)
def service_of_file(name: str) -> str | None:
    """Return the service whose log is called *name*.

    ``/var/log/nova/nova-api.log.1.gz`` and ``screen-n-api.txt`` are both
    of ``nova-api``; ``cinder/api.log`` is of ``cinder-api``, as its folder
    names the project.
    """
    parts = name[-_LONGEST_PATH:].replace("\\", "/").split("/")
    file = parts.pop()
    if len(file) > _LONGEST_NAME:
        return None
    found = _service_in(file)
    if found is not None:
        return found
    for folder in reversed(parts[-_FOLDERS:]):
        project = _project_in(_words_of(folder))
        if project is not None:
            words = _words_of(_bare(file))
            if FRONT_WORDS.issuperset(words):
                named = _service_in("-".join([_bare(folder), *words]))
                return named or _plain(file)
            role = _role_of(project, "-".join(words))
            return role or _service_in(folder) or _plain(file)
    return _plain(file)


def service_named_in(text: str) -> str | None:
    """Return the first service that a word of *text* names, None if none."""
    for word in _NAMES.findall(text):
        service = service_of_unit(word)
        if service is not None and is_service(service):
            return service
    return None


def is_service(name: str) -> bool:
    """Return whether *name* is that of a service of OpenStack."""
    return _project_in(name.split("-")) is not None


def _service_in(name: str) -> str | None:
    """Return the service that *name* names by itself, None if it does not."""
    bare = _bare(name)
    if not _PLAIN.match(bare):
        return None
    known = DEVSTACK.get(bare.translate(_TO_WORDS).removesuffix("-access"))
    if known is not None:
        return known
    words = _words_of(bare)
    project = _project_in(words)
    if project is None:
        return None
    if project == "nova" and "placement" in words:
        return "placement"
    after = words[words.index(project) + 1 :]
    role = _role_of(project, "-".join(after))
    if role is not None:
        return role
    if not after or not after[0].isalpha() or after[0] in FRONT_WORDS:
        is_front = after or not FRONT_WORDS.isdisjoint(words)
        if is_front or project in APIS.values():
            return APIS[project]
        return project
    return _plain(bare) if words[0] == project else None


def _role_of(project: str, words: str) -> str | None:
    """Return the service of *project* that *words* with hyphens name."""
    for long, short in ALIASES:
        words = words.replace(long, short)
    known = f"-{words}-"
    found = [
        (known.index(f"-{role}-"), -len(role), role)
        for role in ROLES.get(project, {"api": None})
        if f"-{role}-" in known
    ]
    if not found:
        return None
    role = min(found)[-1]
    return ROLES.get(project, {}).get(role) or APIS[project]


def _project_in(words: list[str]) -> str | None:
    return next((word for word in words if word in PROJECTS), None)


def _words_of(name: str) -> list[str]:
    return [word for word in _WORDS.split(name.lower()) if word]


def _bare(name: str) -> str:
    """Return *name* without what rotation and packaging add to it."""
    name = BEFORE.sub("", name, count=1)
    # A name has few endings; the limit ends a hostile one.
    for _ in range(8):
        shorter = _ENDINGS.sub("", name)
        if shorter == name:
            break
        name = shorter
    return name


def _plain(name: str) -> str | None:
    bare = _bare(name)
    if len(bare) > _LONGEST_SHOWN or not _PLAIN.match(bare):
        return None
    return bare
