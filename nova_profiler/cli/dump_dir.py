# SPDX-License-Identifier: Apache-2.0
"""Finds dump_dir in nova's configuration, without nova or oslo."""

from __future__ import annotations

import configparser
import os
import re

import click

CONFIG_FILES = ("/etc/nova/api-paste.ini", "/etc/nova/nova.conf")

_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_REMEDY = "give --dump-dir or set NOVA_PROFILER_DUMP_DIR"


def dump_dir_of(config_file: str | None) -> str:
    """Return the dump_dir that nova-api was given.

    The filter's section of api-paste.ini wins over nova.conf, as it does in
    nova-api. Raises click.ClickException with what to do where none is set.
    """
    files = CONFIG_FILES if config_file is None else (config_file,)
    for file in files:
        if config_file is None and not os.access(file, os.R_OK):
            continue
        found = _option_of(file)
        if found:
            return found
    raise click.ClickException(
        f"no dump_dir in {' or '.join(files)}; {_REMEDY}"
    )


def _option_of(file: str) -> str | None:
    # Neither reader of these files knows %(name)s the way configparser does,
    # and oslo.config lets an option be there twice: the last one counts.
    parser = configparser.ConfigParser(
        strict=False,
        interpolation=None,
        allow_no_value=True,
        default_section="",
    )
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            parser.read_file(lines)
    except (OSError, configparser.Error) as exc:
        reason = " ".join(str(exc).split())
        raise click.ClickException(f"{file}: {reason}; {_REMEDY}") from exc
    for section in parser.sections():
        options = parser[section]
        if section == "nova_profiler" or _is_our_filter(section, options):
            found = options.get("dump_dir")
            if found:
                return _filled_in(found.strip(), parser, file)
    return None


def _is_our_filter(section: str, options: configparser.SectionProxy) -> bool:
    made_by = (
        options.get("paste.filter_factory") or "",
        options.get("use") or "",
    )
    return section.startswith("filter:") and any(
        "nova_profiler" in text or "nova-profiler" in text for text in made_by
    )


def _filled_in(
    value: str, parser: configparser.ConfigParser, file: str
) -> str:
    def option(match: re.Match[str]) -> str:
        found = parser.get("DEFAULT", match[1], fallback=None)
        if found is None:
            raise click.ClickException(
                f"{file}: dump_dir = {value!r}: {match[1]} is not set in "
                f"[DEFAULT]; {_REMEDY}"
            )
        return found

    return _REFERENCE.sub(option, value)
