# SPDX-License-Identifier: Apache-2.0
"""Where settings come from, and how they change while the service runs."""

from __future__ import annotations

import configparser
import logging
import os
from collections.abc import Mapping
from time import monotonic
from typing import Any

from oslo_config import cfg

from nova_profiler.settings import (
    GROUP,
    MUTABLE,
    OPTIONS,
    ConfigError,
    Settings,
    parsed,
    parsed_all,
)

LOG = logging.getLogger(__name__)

# How often, in seconds, a request looks whether a file has changed.
CHECK_S = 2.0
_PASTE_KEYS = frozenset(("paste.filter_factory", "paste.filter_app_factory"))

Signature = tuple[tuple[int, int, int] | None, ...]


class LiveSettings:
    """The settings in force; ``current`` is replaced when a file changes."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        global_conf: Mapping[str, str],
        local_conf: Mapping[str, str],
    ) -> None:
        """Read everything once. Raises ConfigError for what is wrong."""
        self._paste_file = global_conf.get("__file__")
        self._local_conf = dict(local_conf)
        self._section = _section_of(self._paste_file, self._local_conf)
        self._files = config_files(conf)
        self._where_paste = (
            f"{_name(self._paste_file)}, nova_profiler filter"
            if self._paste_file
            else "nova_profiler filter"
        )
        self._signature = self._signed()
        from_paste = parsed_all(self._local_conf, self._where_paste)
        self._started = Settings().changed(_from_conf(conf, self._files))
        self.current = self._started.changed(from_paste)
        self._fixed = from_paste
        self.check_at = monotonic() + CHECK_S

    def check(self, now: float) -> None:
        """Look for changed files; called at most every two seconds."""
        self.check_at = now + CHECK_S
        signature = self._signed()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self.current = self._reread()
        except Exception as exc:
            # A half-saved file, a typo: what is in force stays in force.
            LOG.warning("options stay as they are: %s", exc)

    def _reread(self) -> Settings:
        values: dict[str, Any] = {
            name: getattr(self._started, name) for name in MUTABLE
        }
        in_files = False
        for path in self._files:
            for name, text in _group_of(path).items():
                in_files = True
                if name in MUTABLE:
                    values[name] = parsed(name, text, _place(path))
        if in_files or self._files:
            written = set()
            for path in self._files:
                written |= set(_group_of(path))
            for option in OPTIONS:
                # Taken out of the file: the default is back.
                if option.name in MUTABLE and option.name not in written:
                    values[option.name] = _environment_or_default(option)
        values.update({k: v for k, v in self._fixed.items() if k in MUTABLE})
        if self._section is not None and self._paste_file:
            section = _filters(self._paste_file).get(self._section, {})
            for name in MUTABLE & self._fixed.keys() - section.keys():
                values[name] = getattr(self._started, name)
            for name in MUTABLE & section.keys():
                values[name] = parsed(name, section[name], self._where_paste)
        return self.current.changed(values)

    def _signed(self) -> Signature:
        paths = list(self._files)
        if self._paste_file and self._paste_file not in paths:
            paths.append(self._paste_file)
        return tuple(_stat(path) for path in paths)


def config_files(conf: cfg.ConfigOpts) -> list[str]:
    """Return the files that *conf* was read from, in order."""
    try:
        files = [str(path) for path in conf.config_file or ()]
        folders = conf.config_dir or ()
    except (cfg.NoSuchOptError, cfg.Error):
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


def _from_conf(conf: cfg.ConfigOpts, files: list[str]) -> dict[str, Any]:
    """Return our group's values of *conf*, checked name by name."""
    texts: dict[str, tuple[str, str]] = {}
    for path in files:
        for name, text in _group_of(path).items():
            if "$" not in text:
                parsed(name, text, _place(path))
            texts[name] = (path, text)
    conf.register_opts(OPTIONS, group=GROUP)
    group = conf[GROUP]
    values = {}
    for option in OPTIONS:
        try:
            values[option.name] = group[option.name]
        except (cfg.Error, ValueError) as exc:
            path, _ = texts.get(option.name, ("configuration", ""))
            raise ConfigError(
                f"{_place(path)}: {option.name}: {exc}"
            ) from None
    return values


def _environment_or_default(option: cfg.Opt) -> Any:
    text = os.environ.get(f"OS_{GROUP.upper()}__{option.name.upper()}")
    if text is not None:
        return parsed(option.name, text, "environment")
    return option.default


def _group_of(path: str) -> dict[str, str]:
    """Return our group's options as written in the file at *path*."""
    sections: dict[str, dict[str, list[str]]] = {}
    try:
        cfg.ConfigParser(path, sections).parse()
    except (OSError, cfg.ParseError):
        # The host has read this file, or failed over it, before us.
        return {}
    group = sections.get(GROUP, {})
    return {
        name.replace("-", "_"): values[-1] for name, values in group.items()
    }


def _section_of(path: str | None, local_conf: Mapping[str, str]) -> str | None:
    """Return the one section of the paste file that made this filter.

    paste does not tell. None where no section, or more than one, has just
    these options: then they do not change while the service runs.
    """
    if not path:
        return None
    try:
        sections = _filters(path)
    except (OSError, configparser.Error, UnicodeDecodeError):
        return None
    same = [
        name
        for name, options in sections.items()
        if options.keys() == local_conf.keys()
        and all(
            options[key] == str(value) or "%" in options[key]
            for key, value in local_conf.items()
        )
    ]
    return same[0] if len(same) == 1 else None


def _filters(path: str) -> dict[str, dict[str, str]]:
    """Return the options of our filters in the paste file, by section."""
    parser = configparser.RawConfigParser(
        strict=False, default_section="\0", allow_no_value=True
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    found = {}
    for name in parser.sections():
        options = {k: v or "" for k, v in parser.items(name)}
        maker = options.get("use", "") + options.get(
            "paste.filter_factory", ""
        )
        kind = name.partition(":")[0].strip()
        if kind == "filter" and (
            "nova_profiler" in maker or "nova-profiler" in maker
        ):
            found[name] = {
                k: v
                for k, v in options.items()
                if k not in _PASTE_KEYS and k != "use"
            }
    return found


def _stat(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _name(path: str | None) -> str:
    return os.path.basename(path or "")


def _place(path: str) -> str:
    return f"{_name(path)}, [{GROUP}]"
