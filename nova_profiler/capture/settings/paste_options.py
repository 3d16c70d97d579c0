# SPDX-License-Identifier: Apache-2.0
"""The options that Paste gives our filter, worked out anew from its files.

Paste passes no section's name, and loading a section again by Paste would
import what others' sections name. So this reads the files by Paste's rules:
``use`` of another section or file, ``set`` and ``get``, [DEFAULT], %(name)s.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from nova_profiler.paste_file import FILTER, FILTER_APP, is_ours
from nova_profiler.trust.files import FileError, read_regular
from nova_profiler.trust.ini_text import for_configparser

# The factories of a section, in the order in which Paste looks for them.
_FACTORIES = ("paste.filter_factory", "paste.filter_app_factory")
# What Paste takes for itself.
_PASTES_OWN = ("filter-with", "require")
_MOST_FILES = 16
_LARGEST_BYTES = 1024 * 1024
_LONGEST_CHAIN = 16
_ABSOLUTE = re.compile(r"[a-zA-Z]+:")
_CONFIG = "config:"
_EGG = "egg:"

Options = dict[str, str]
# A path may hold what no path can.
UNREADABLE = (OSError, ValueError, configparser.Error, FileError)


class Place(NamedTuple):
    """A section of a file; without a name, a pipeline's own ``egg:``."""

    path: str
    section: str

    def __str__(self) -> str:
        name = f"[{self.section}]" if self.section else "egg: in a pipeline"
        return f"{os.path.basename(self.path)}, {name}"


class OwnSections(NamedTuple):
    """What may have made a filter of ours, and the files that were read."""

    options: dict[Place, Options]
    files: tuple[str, ...]


def own_sections(
    path: str, global_conf: Mapping[str, str] | None = None
) -> OwnSections:
    """Return the options of each filter of ours that *path* leads to.

    *global_conf* is what the application gave Paste besides. Raises one of
    UNREADABLE where *path* cannot be read.
    """
    first = _File(path, global_conf or {})
    files = {first.path: first}
    waiting = [first]
    while waiting:
        parent = waiting.pop()
        for one in parent.included():
            if len(files) >= _MOST_FILES or one in files:
                continue
            try:
                made = _File(one, parent.defaults())
            except UNREADABLE:
                # Perhaps none that the application loads.
                continue
            files[one] = made
            waiting.append(made)
    found: dict[Place, Options] = {}
    for file in files.values():
        for place in file.places():
            try:
                options = _options_of(files, place, 0)
            except configparser.Error:
                # Paste could not load it, either.
                continue
            if options is not None:
                found[place] = options
        if file.has_bare_egg():
            found[Place(file.path, "")] = {}
    return OwnSections(found, tuple(files))


class _Parser(configparser.ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


class _File:
    """One file as Paste reads it."""

    def __init__(self, path: str, global_conf: Mapping[str, str]) -> None:
        self.path = os.path.abspath(path)
        self._local: dict[str, Options | None] = {}
        self.parser = _Parser(
            {
                **global_conf,
                "here": os.path.dirname(self.path),
                "__file__": self.path,
            }
        )
        content = read_regular(self.path, "a paste file has", _LARGEST_BYTES)
        text = content.decode("utf-8", "replace")
        self.parser.read_string(for_configparser(text))

    def places(self) -> Iterator[Place]:
        """Yield the sections that may be a filter of ours."""
        for section in self.parser.sections():
            if section.startswith((FILTER, FILTER_APP)):
                yield Place(self.path, section)

    def included(self) -> Iterator[str]:
        """Yield the paths of files that a value names with ``config:``."""
        for _, _, word in self._words(_CONFIG):
            name = word.removeprefix(_CONFIG).partition("#")[0]
            yield self.included_path(name)

    def included_path(self, name: str) -> str:
        """Return the path that Paste opens for ``config:name``."""
        folder = os.path.dirname(self.path)
        return os.path.abspath(os.path.join(folder, unquote(name)))

    def has_bare_egg(self) -> bool:
        """Return whether a filter of ours is named without a section."""
        return any(
            is_ours(word)
            for section, key, word in self._words(_EGG)
            if key != "use"
        )

    def local_options(self, section: str) -> Options | None:
        """Return what Paste passes of *section*, by its own rules.

        None for what it would fail over.
        """
        if section not in self._local:
            self._local[section] = self._worked_out(section)
        local = self._local[section]
        return None if local is None else dict(local)

    def _worked_out(self, section: str) -> Options | None:
        known = self.defaults()
        defaults = frozenset(known)
        local, got = {}, {}
        for key in self.parser.options(section):
            if key.startswith("set "):
                known[key[4:].strip()] = self.parser.get(section, key)
            elif key.startswith("get "):
                got[key[4:].strip()] = self.parser.get(section, key)
            elif key not in defaults:
                local[key] = self.parser.get(section, key)
        for key, name in got.items():
            if name not in known:
                return None
            local[key] = known[name]
        for key in _PASTES_OWN:
            local.pop(key, None)
        if section.startswith(FILTER_APP):
            local.pop("next", None)
        return local

    def defaults(self) -> Options:
        """Return what the whole file knows, as Paste hands it on."""
        return {
            name: self.parser.get(configparser.DEFAULTSECT, name)
            for name in self.parser.defaults()
        }

    def _words(self, start: str) -> Iterator[tuple[str, str, str]]:
        for section in self.parser.sections():
            for key, raw in self.parser.items(section, raw=True):
                if start not in raw:
                    continue
                try:
                    text = self.parser.get(section, key)
                except configparser.Error:
                    continue
                for word in text.split():
                    if word.startswith(start):
                        yield section, key, word


def _options_of(
    files: Mapping[str, _File], place: Place, depth: int
) -> Options | None:
    """Return the options of the filter at *place*, None if not one of ours."""
    file = files.get(place.path)
    if (
        file is None
        or depth > _LONGEST_CHAIN
        or not file.parser.has_section(place.section)
    ):
        return None
    local = file.local_options(place.section)
    if local is None:
        return None
    used = local.pop("use", None)
    if used is None:
        factories = [name for name in _FACTORIES if name in local][:1]
        is_own = any(is_ours(local.pop(name)) for name in factories)
        return local if is_own else None
    if used.startswith(_CONFIG):
        path, _, name = used.removeprefix(_CONFIG).partition("#")
        base = Place(file.included_path(path), f"{FILTER}{name or 'main'}")
    elif _ABSOLUTE.match(used):
        return local if is_ours(used) else None
    else:
        base = Place(place.path, f"{FILTER}{used}")
    inherited = _options_of(files, base, depth + 1)
    return None if inherited is None else {**inherited, **local}
