# SPDX-License-Identifier: Apache-2.0
"""Finds dump_dir in nova's configuration, without nova or oslo."""

from __future__ import annotations

import errno
import os
import re

from nova_profiler.errors import NovaProfilerError
from nova_profiler.paste_file import PasteFileError, own_filters, sections_of
from nova_profiler.trust.files import FileError

CONFIG_FILES = ("/etc/nova/api-paste.ini", "/etc/nova/nova.conf")

_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_ABSENT = os.strerror(errno.ENOENT)
_REMEDY = "give --dump-dir or set NOVA_PROFILER_DUMP_DIR"


def dump_dir_of(config_file: str | None) -> str:
    """Return the dump_dir that nova-api uses.

    The filter's section of api-paste.ini wins over nova.conf, as it does in
    nova-api. Raises NovaProfilerError, with the remedy, where none is set.
    """
    files = CONFIG_FILES if config_file is None else (config_file,)
    unread: dict[str, str] = {}
    for file in files:
        if config_file is None and not os.access(file, os.R_OK):
            unread[file] = _why_unread(file)
            continue
        found = _option_of(file)
        if found:
            return found
    read = " or ".join(file for file in files if file not in unread)
    in_them = f"no dump_dir in {read}" if read else "no dump_dir"
    for why in dict.fromkeys(unread.values()):
        named = [one for one in unread if unread[one] == why]
        verb = "is" if len(named) == 1 else "are"
        words = f" {verb} not there" if why == _ABSENT else f": {why}"
        in_them += f"; {' and '.join(named)}{words}"
    raise NovaProfilerError(f"{in_them}; {_REMEDY}")


def _why_unread(file: str) -> str:
    try:
        os.stat(file)
    except OSError as exc:
        return exc.strerror or str(exc)
    return os.strerror(errno.EACCES)


def _option_of(file: str) -> str | None:
    try:
        sections = sections_of(file)
    except OSError as exc:
        raise NovaProfilerError(f"{file}: {exc.strerror}; {_REMEDY}") from exc
    except FileError as exc:
        raise NovaProfilerError(f"{file}: {exc}; {_REMEDY}") from exc
    except PasteFileError as exc:
        raise NovaProfilerError(f"{exc}; {_REMEDY}") from exc
    ours = own_filters(sections)
    for section, options in sections.items():
        found = options.get("dump_dir")
        if found and (section == "nova_profiler" or section in ours):
            return _filled_in(found, sections.get("DEFAULT", {}), file)
    return None


def _filled_in(value: str, defaults: dict[str, str], file: str) -> str:
    def option(match: re.Match[str]) -> str:
        if match[1] not in defaults:
            raise NovaProfilerError(
                f"{file}: dump_dir = {value!r}: {match[1]} is not set in "
                f"[DEFAULT]; {_REMEDY}"
            )
        return defaults[match[1]]

    return _REFERENCE.sub(option, value)
