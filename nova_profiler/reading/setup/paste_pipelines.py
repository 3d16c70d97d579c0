# SPDX-License-Identifier: Apache-2.0
"""The pipelines of a paste file, as requests reach them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nova_profiler.paste_file import FILTER, FILTER_APP, Sections

# The application that nova-api serves.
ROOT = "osapi_compute"
# Nova's other API, in the same file.
METADATA = "metadata"
# The keys of a composite that hold a pipeline each in most projects.
AUTH_KEYS = ("keystone", "noauth2", "noauth", "keystone_nolimit")

_PIPELINE = "pipeline:"
_COMPOSITES = ("composite:", "composit:")
_APPLICATIONS = (
    _PIPELINE,
    *_COMPOSITES,
    FILTER_APP,
    "app:",
    "application:",
)
# What Paste takes for itself, whatever makes the section.
_PASTES_OWN = ("use", "filter-with", "require", "next")
_PASTES_PREFIXES = ("paste.", "set ", "get ")
# How urlmap writes where an application is mounted.
_MOUNTS = ("/", "http", "domain ")

Walk = Iterator["Pipeline | tuple[str, bool]"]


_UNTIMED = {"version": "version documents", "healthcheck": "health checks"}


class Pipeline(NamedTuple):
    """A line of filters and an application.

    It is covered where a filter of ours stands in a pipeline around it.
    """

    section: str
    key: str
    names: tuple[str, ...]
    is_covered: bool

    @property
    def untimed(self) -> str | None:
        """What it serves that is never timed; None if it is to be timed."""
        for word, what in _UNTIMED.items():
            if word in self.section or word in self.names[-1]:
                return what
        return None


def pipelines_of(
    sections: Sections, ours: Sequence[str], root: str = ROOT
) -> list[Pipeline]:
    """Return the pipelines that *root* leads to, as requests reach them.

    Without such an application in the file, return all its pipelines. *ours*
    are the words of a pipeline that mean our filter. Each section is looked
    at twice at most, however many lead to it.
    """
    named = _by_name(sections)
    is_nova = root in named
    found: dict[tuple[str, str], Pipeline] = {}
    seen: set[tuple[str, bool]] = set()
    roots = [root] if is_nova else _roots(sections, named)
    # What leads in circles has no root of its own.
    for first in [*roots, *([] if is_nova else named)]:
        if (first, True) in seen or (first, False) in seen:
            continue
        for one in _reached(sections, named, ours, first, seen):
            known = found.setdefault((one.section, one.key), one)
            if known.is_covered and not one.is_covered:
                found[one.section, one.key] = one
    return list(found.values())


def _reached(
    sections: Sections,
    named: dict[str, list[str]],
    ours: Sequence[str],
    root: str,
    seen: set[tuple[str, bool]],
) -> Iterator[Pipeline]:
    waiting = [(root, False)]
    while waiting:
        step = waiting.pop()
        if step in seen:
            continue
        seen.add(step)
        inner = []
        for section in named.get(step[0], ()):
            for one in _led_to(sections, section, ours, step[1]):
                if isinstance(one, Pipeline):
                    yield one
                else:
                    inner.append(one)
        waiting += reversed(inner)


def unknown_composites(sections: Sections) -> list[str]:
    """Return sections whose factory alone knows what they lead to."""
    return [
        f"[{name}]"
        for name in sections
        if name.startswith(_COMPOSITES)
        and not any(_mounted(sections[name]))
        and not any(_lines(sections, name, ()))
    ]


def has_application(sections: Sections, name: str) -> bool:
    """Return whether the file has an application of that *name*."""
    return any(start + name in sections for start in _APPLICATIONS)


def has_applications(sections: Sections) -> bool:
    """Return whether the file names anything that serves."""
    return any(name.startswith(_APPLICATIONS) for name in sections)


def lines_of(
    sections: Sections, ours: Sequence[str]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield section, key and words of each line that may be a pipeline."""
    for section, options in sections.items():
        if section.startswith(_PIPELINE):
            names = tuple(options.get("pipeline", "").split())
            if names:
                yield section, "pipeline", names
        elif section.startswith(_COMPOSITES):
            yield from _lines(sections, section, ours)


def _by_name(sections: Sections) -> dict[str, list[str]]:
    """Return the sections of applications by the names that lead there."""
    named: dict[str, list[str]] = {}
    for section in sections:
        if section.startswith(_APPLICATIONS):
            named.setdefault(section.partition(":")[2], []).append(section)
    return named


def _roots(sections: Sections, named: dict[str, list[str]]) -> list[str]:
    """Return what no other section leads to."""
    led_to = {
        word
        for section in sections
        if section.startswith(_APPLICATIONS)
        for key, value in sections[section].items()
        if not key.startswith(_PASTES_PREFIXES)
        for word in value.split()
        if word != section.partition(":")[2]
    }
    return [name for name in named if name not in led_to]


def _led_to(
    sections: Sections, section: str, ours: Sequence[str], is_covered: bool
) -> Walk:
    """Yield the pipelines of *section*, and what it leads to."""
    options = sections[section]
    if options.get("filter-with", "").strip() in ours:
        is_covered = True
    if section.startswith(_PIPELINE):
        yield from _line(
            (section, "pipeline", tuple(options.get("pipeline", "").split())),
            ours,
            is_covered,
        )
        return
    if section.startswith(FILTER_APP):
        following = options.get("next", "").strip()
        # The section itself is a filter, or leads to one.
        used = options.get("use", "")
        own = [one for one in (section, used) if one in ours]
        for one in own[:1]:
            yield Pipeline(section, "next", (one, following), is_covered)
        yield following, is_covered or bool(own)
        return
    used = options.get("use", "").strip()
    if ":" not in used:
        yield used, is_covered
    if section.startswith(_COMPOSITES):
        for line in _lines(sections, section, ours):
            yield from _line(line, ours, is_covered)
        for name in _mounted(options):
            yield name, is_covered


def _line(
    line: tuple[str, str, tuple[str, ...]],
    ours: Sequence[str],
    is_covered: bool,
) -> Walk:
    section, key, names = line
    if not names:
        return
    yield Pipeline(section, key, names, is_covered)
    is_covered = is_covered or any(one in ours for one in names)
    # The application is last, unless our filter stands in its place.
    for one in [one for one in names if one not in ours][-1:]:
        yield one, is_covered


def _lines(
    sections: Sections, section: str, ours: Sequence[str]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the lines of a composite whose factory makes pipelines of them.

    Any project names its keys as it likes: heat has ``default`` and
    ``standalone``. A pipeline ends in an application, behind filters.
    """
    for key, value in sections[section].items():
        if key in _PASTES_OWN or key.startswith(_PASTES_PREFIXES + _MOUNTS):
            continue
        names = tuple(value.split())
        filters = [one for one in names if _is_filter(sections, one, ours)]
        has_application = any(
            start + one in sections
            for one in names[-2:]
            for start in _APPLICATIONS
        )
        if (names and key in AUTH_KEYS) or (filters and has_application):
            yield section, key, names


def _is_filter(sections: Sections, word: str, ours: Sequence[str]) -> bool:
    return word in ours or FILTER + word in sections


def _mounted(options: dict[str, str]) -> Iterator[str]:
    for key, value in options.items():
        if key.startswith(_MOUNTS):
            yield value.strip()
