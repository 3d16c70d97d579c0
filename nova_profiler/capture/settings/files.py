# SPDX-License-Identifier: Apache-2.0
"""The files that hold options, read as they are written there."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping

from oslo_config import cfg, iniparser

from nova_profiler.capture.settings.options import GROUP, ConfigError
from nova_profiler.capture.settings.paste_options import (
    UNREADABLE,
    OwnSections,
    own_sections,
)
from nova_profiler.paste_file import line_of
from nova_profiler.trust.files import FileError, read_regular

# The values of an option, by section and name; the last is in force.
OsloSections = dict[str, dict[str, list[str]]]

# The options in files: by name, the file and the text.
Written = dict[str, tuple[str, str]]


def config_files(conf: cfg.ConfigOpts) -> list[str]:
    """Return the files that *conf* is read from, in order."""
    try:
        files = [str(path) for path in conf.config_file or ()]
        folders = conf.config_dir or ()
    except cfg.Error:
        # The host application has no oslo.config files.
        return []
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        files += [
            os.path.join(folder, name)
            for name in names
            if name.endswith(".conf")
        ]
    return files


def written_in(files: list[str], skip_unreadable: bool = False) -> Written:
    """Return our group's options as written in *files*; the last wins.

    Raises ConfigError for a file that cannot be read, or with
    *skip_unreadable* passes over it.
    """
    written = {}
    for path in files:
        try:
            sections = oslo_sections_of(path)
        except (OSError, UnicodeError, FileError, cfg.ParseError) as exc:
            if skip_unreadable:
                # The host has read it, or failed over it, before us.
                continue
            raise _unreadable(path, exc) from None
        for name, values in sections.get(GROUP, {}).items():
            written[name] = (path, values[-1])
    return written


def oslo_sections_of(path: str) -> OsloSections:
    """Return the sections of the file at *path* as oslo.config reads them.

    A pipe is not waited for. Raises OSError, UnicodeError, FileError for what
    is no regular file, and ParseError.
    """
    # With the encoding and the line ends of open(), as there.
    text = io.TextIOWrapper(io.BytesIO(read_regular(path)))
    sections: OsloSections = {}
    parser = cfg.ConfigParser(path, sections)
    iniparser.BaseParser.parse(parser, text.readlines())
    return sections


def paste_sections(
    path: str, global_conf: Mapping[str, str] | None = None
) -> OwnSections:
    """Return the filters of ours in the paste file at *path*.

    Raises ConfigError for a file that cannot be read.
    """
    try:
        return own_sections(path, global_conf)
    except UNREADABLE as exc:
        raise _unreadable(path, exc) from None


def made_of(
    path: str, global_conf: Mapping[str, str], local_conf: Mapping[str, str]
) -> OwnSections:
    """Return the sections that have just these options, one as a rule.

    Paste passes no section's name. Raises ConfigError.
    """
    given = {name: str(value) for name, value in local_conf.items()}
    # What `set` adds to global_conf is no default of the file.
    for more in ({}, global_conf):
        found = paste_sections(path, more)
        same = {
            place: options
            for place, options in found.options.items()
            if options == given
        }
        if same:
            break
    return found._replace(options=same)


def place(path: str) -> str:
    """Return how errors call our group in the file at *path*."""
    return f"{os.path.basename(path)}, [{GROUP}]"


def _unreadable(path: str, exc: Exception) -> ConfigError:
    """Return the error without the line, which may hold a password."""
    line = line_of(exc)
    reason = getattr(exc, "strerror", None) or "cannot be read"
    if isinstance(exc, FileError):
        reason = str(exc)
    if line:
        reason += f" in line {line}"
    return ConfigError(f"{os.path.basename(path)}: {reason}")
