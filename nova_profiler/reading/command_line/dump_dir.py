# SPDX-License-Identifier: Apache-2.0
"""Finds dump_dir in nova's configuration, without nova or oslo."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import click

CONFIG_FILES = ("/etc/nova/api-paste.ini", "/etc/nova/nova.conf")

_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_OPTION = re.compile(r"([^=:]+?)\s*[=:]\s*(.*)")
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
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            sections = _sections_of(lines)
    except OSError as exc:
        raise click.ClickException(
            f"{file}: {exc.strerror}; {_REMEDY}"
        ) from exc
    for section, options in sections.items():
        found = options.get("dump_dir")
        if found and (
            section == "nova_profiler" or _is_our_filter(section, options)
        ):
            return _filled_in(found, sections.get("DEFAULT", {}), file)
    return None


def _sections_of(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what oslo.config and paste read alike.

    Of an option that is there twice the last one counts, and an indented
    line goes on with the value above. What neither would take is passed
    over: it is not for us to judge nova's configuration.
    """
    sections: dict[str, dict[str, str]] = {}
    options: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.strip()
        if not text or text[0] in "#;":
            name = ""
        elif text.startswith("[") and text.endswith("]"):
            options = sections.setdefault(text[1:-1].strip(), {})
            name = ""
        elif line[0].isspace() and name:
            options[name] = f"{options[name]} {text}".strip()
        elif match := _OPTION.fullmatch(text):
            name = match[1]
            options[name] = match[2]
        else:
            name = ""
    return sections


def _is_our_filter(section: str, options: dict[str, str]) -> bool:
    made_by = options.get("paste.filter_factory", "") + options.get("use", "")
    return section.startswith("filter:") and (
        "nova_profiler" in made_by or "nova-profiler" in made_by
    )


def _filled_in(value: str, defaults: dict[str, str], file: str) -> str:
    def option(match: re.Match[str]) -> str:
        if match[1] not in defaults:
            raise click.ClickException(
                f"{file}: dump_dir = {value!r}: {match[1]} is not set in "
                f"[DEFAULT]; {_REMEDY}"
            )
        return defaults[match[1]]

    return _REFERENCE.sub(option, value)
