# SPDX-License-Identifier: Apache-2.0
"""Where settings come from, and how they change while the service runs."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nova_profiler.capture.settings.files import (
    Written,
    config_files,
    filters,
    place,
    section_of,
    written_in,
)
from nova_profiler.capture.settings.options import (
    GROUP,
    MUTABLE,
    OPTIONS,
    ConfigError,
    Settings,
    named,
    parsed,
    parsed_all,
    wrong_value,
)

LOG = logging.getLogger("nova_profiler")

# How often, in seconds, a request looks whether a file has changed.
CHECK_S = 2.0

Signature = tuple[tuple[str, tuple[int, int, int] | None], ...]


class LiveSettings:
    """The settings in force; ``current`` is replaced when a file changes."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        global_conf: Mapping[str, str],
        local_conf: Mapping[str, str],
    ) -> None:
        """Read everything once. Raises ConfigError for what is wrong."""
        self._conf = conf
        self._paste_file = global_conf.get("__file__")
        self._where_paste = "nova_profiler filter"
        if self._paste_file:
            name = os.path.basename(self._paste_file)
            self._where_paste = f"{name}, nova_profiler filter"
        self._signature = self._signed()
        self._paste = parsed_all(local_conf, self._where_paste)
        self._section = section_of(self._paste_file, local_conf)
        written = written_in(config_files(conf), skip_unreadable=True)
        values = _from_conf(conf, written)
        # Once: a process keeps its environment.
        self._environment = _environment_of(conf).keys()
        # What is in force where no file has the option.
        self._unwritten = {
            option.name: option.default
            if option.name in written.keys() - self._environment
            else values[option.name]
            for option in OPTIONS
            if option.mutable
        }
        self.current = Settings().changed(values).changed(self._paste)
        # At the first request of each process.
        self.check_at = 0.0

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
            # Only our own errors are sure to hold nothing secret.
            shown = exc if isinstance(exc, ConfigError) else type(exc).__name__
            LOG.warning("options stay as they are: %s", shown)

    def _reread(self) -> Settings:
        """Return the settings with what the files hold now."""
        values = dict(self._unwritten)
        for name, (path, text) in written_in(config_files(self._conf)).items():
            value = self._value_now(name, path, text)
            if name not in self._environment:
                values[name] = value
        values.update(self._reread_paste())
        now = self.current.changed(values)
        waiting = [
            name
            for name in values.keys() - MUTABLE
            if getattr(now, name) != getattr(self.current, name)
        ]
        if waiting:
            LOG.warning(
                "changed, but not before a restart: %s",
                ", ".join(sorted(waiting)),
            )
        return self.current.changed(
            {name: values[name] for name in values.keys() & MUTABLE}
        )

    def _value_now(self, name: str, path: str, text: str) -> Any:
        """Return the value of an option written as *text* in *path*.

        Raises ConfigError where it is unknown or wrong.
        """
        named(name, place(path))
        if "$" in text:
            # Only the host's oslo.config knows what it stands for.
            return getattr(self.current, name)
        return parsed(name, text, place(path))

    def _reread_paste(self) -> Mapping[str, Any]:
        """Return what our section of the paste file holds now."""
        if self._section is None or self._paste_file is None:
            return self._paste
        section = filters(self._paste_file).get(self._section)
        if section is None:
            raise ConfigError(f"{self._where_paste}: its section is gone")
        return {
            name: self._paste[name]
            # Only paste knows what it stands for.
            if "%" in text and name in self._paste
            else parsed(name, text, self._where_paste)
            for name, text in section.items()
        }

    def _signed(self) -> Signature:
        paths = config_files(self._conf)
        if self._paste_file and self._paste_file not in paths:
            paths.append(self._paste_file)
        return tuple((path, _stat(path)) for path in paths)


def _from_conf(conf: cfg.ConfigOpts, written: Written) -> dict[str, Any]:
    """Return our group's values of *conf*, checked name by name."""
    texts = {
        **{name: (place(at), text) for name, (at, text) in written.items()},
        **_environment_of(conf),
    }
    for name, (where, text) in texts.items():
        named(name, where)
        if "$" not in text:
            parsed(name, text, where)
    conf.register_opts(OPTIONS, group=GROUP)
    values = {}
    for option in OPTIONS:
        try:
            value = conf[GROUP][option.name]
            if value == "" and option.default is None:
                # "dump_dir =" is unset, too.
                value = None
            values[option.name] = value
        except (cfg.Error, ValueError) as exc:
            where, text = texts.get(option.name, ("configuration", ""))
            error = wrong_value(option, text, where)
            if isinstance(exc, (cfg.NoSuchOptError, cfg.NoSuchGroupError)):
                raise ConfigError(f"{error}; {exc}") from None
            raise error from None
    return values


def _environment_of(conf: cfg.ConfigOpts) -> dict[str, tuple[str, str]]:
    """Return our options in the environment, which wins over files."""
    if not getattr(conf, "_use_env", True):
        return {}
    prefix = f"OS_{GROUP.upper()}__"
    return {
        key[len(prefix) :].lower(): (f"environment, {key}", text)
        for key, text in os.environ.items()
        if key.startswith(prefix)
    }


def _stat(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
