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
    made_of,
    paste_sections,
    place,
    written_in,
)
from nova_profiler.capture.settings.former_values import FormerValues
from nova_profiler.capture.settings.options import (
    GROUP,
    MUTABLE,
    OPTION_OF,
    OPTIONS,
    ConfigError,
    Settings,
    is_hidden,
    named,
    parsed,
    parsed_all,
    wrong_value,
)
from nova_profiler.capture.settings.paste_options import Place
from nova_profiler.capture.settings.route_files import RouteTable, read_routes

LOG = logging.getLogger("nova_profiler")

# How often, in seconds, a request looks whether a file has changed.
CHECK_S = 2.0

_NAMES = frozenset(option.name for option in OPTIONS)

Signature = tuple[tuple[str, tuple[int, int, int] | None], ...]


class LiveSettings:
    """The settings in force; ``current`` is replaced when a file changes.

    So is ``route_table``, which is None without a ``routes_file``.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        global_conf: Mapping[str, str],
        local_conf: Mapping[str, str],
        service_name: str = Settings.service_name,
    ) -> None:
        """Read everything once. Raises ConfigError for what is wrong.

        *service_name* stands where the option of that name has its default.
        """
        self._conf = conf
        self._service_name = service_name
        self._paste_file = global_conf.get("__file__")
        self._where_paste = _where(self._paste_file)
        self._global_conf = dict(global_conf)
        self._paste = parsed_all(local_conf, self._where_paste)
        self._former = FormerValues()
        # Values of earlier releases, why a change of the paste file would
        # not be followed, and what of it Paste keeps from the filter.
        self.warnings = self._former.news_in(self._of_paste(local_conf))
        self._made_of: list[Place] = []
        self._paste_files: tuple[str, ...] = ()
        if self._paste_file:
            self._find_section(self._paste_file, local_conf)
        # Before anything is read: what changes meanwhile is read again.
        signed = self._signed()
        written = written_in(config_files(conf), skip_unreadable=True)
        # What a reference or an interpolation was written as.
        self._texts = {name: text for name, (_, text) in written.items()}
        values = _from_conf(conf, written)
        self.warnings += self._former.news_in(_texts_of(conf, written))
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
        self.current = self._named(
            Settings().changed(values).changed(self._paste)
        )
        self._signature = signed + _stamps(self.current.routes_file)
        self.route_table: RouteTable | None = read_routes(
            self.current.routes_file
        )
        # At the first request of each process.
        self.check_at = 0.0

    def _of_paste(
        self, texts: Mapping[str, str]
    ) -> dict[str, tuple[str, str]]:
        return {n: (self._where_paste, str(t)) for n, t in texts.items()}

    def _find_section(self, path: str, local_conf: Mapping[str, str]) -> None:
        """Find what made this filter, to follow what changes there."""
        name = os.path.basename(path)
        self._paste_files = (path,)
        try:
            found = made_of(path, self._global_conf, local_conf)
        except ConfigError as exc:
            self.warnings.append(f"{exc}; changes to it wait for a restart")
            return
        self._made_of = list(found.options)
        self._paste_files = found.files
        if not self._made_of:
            self.warnings.append(
                f"{name}: no section of a filter of ours has the options "
                "that Paste passed; changes to it wait for a restart"
            )
        kept = sorted(self._global_conf.keys() & _NAMES)
        if kept:
            self.warnings.append(
                f"{name}: {', '.join(kept)} in [DEFAULT] or behind `set`: "
                "Paste passes no such option to a filter; move it to the "
                "filter's section"
            )

    def check(self, now: float) -> None:
        """Look for changed files; called at most every two seconds."""
        self.check_at = now + CHECK_S
        signature = self._signed() + _stamps(self.current.routes_file)
        if signature == self._signature:
            return
        self._signature = signature
        try:
            now_read = self._reread()
            self.route_table = read_routes(now_read.routes_file)
            self.current = now_read
        except Exception as exc:
            # A half-saved file, a typo: what is in force stays in force.
            # Only our own errors are sure to hold nothing secret.
            shown = exc if isinstance(exc, ConfigError) else type(exc).__name__
            LOG.warning("options stay as they are: %s", shown)

    def _reread(self) -> Settings:
        """Return the settings with what the files hold now."""
        values = dict(self._unwritten)
        written = written_in(config_files(self._conf))
        self._warn_of_former(
            {name: (place(at), text) for name, (at, text) in written.items()}
        )
        for name, (path, text) in written.items():
            value = self._value_now(name, path, text)
            if name not in self._environment:
                values[name] = value
        values.update(self._reread_paste())
        now = self._named(self.current.changed(values))
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

    def _named(self, settings: Settings) -> Settings:
        """Return *settings* with the service's name where none is set."""
        if settings.service_name != Settings.service_name:
            return settings
        return settings.changed({"service_name": self._service_name})

    def _value_now(self, name: str, path: str, text: str) -> Any:
        """Return the value of an option written as *text* in *path*.

        Raises ConfigError where it is unknown or wrong.
        """
        named(name, place(path))
        if "$" in text:
            # Only the host's oslo.config knows what it stands for.
            return self._kept(name, text, self._texts.get(name), path)
        return parsed(name, text, place(path))

    def _kept(
        self, name: str, text: str, before: str | None, path: str
    ) -> Any:
        """Return what is in force of an option that cannot be worked out.

        A key that was taken out is good no longer, whatever replaced it.
        """
        if OPTION_OF[name].secret and text != before:
            LOG.warning(
                "%s, %s: a $ or %% waits for a restart; until then no key "
                "is good",
                place(path),
                name,
            )
            return ()
        return getattr(self.current, name)

    def _reread_paste(self) -> Mapping[str, Any]:
        """Return what our section of the paste file holds now."""
        if not self._made_of or self._paste_file is None:
            return self._paste
        found = paste_sections(self._paste_file)
        if any(place not in found.options for place in self._made_of):
            found = paste_sections(self._paste_file, self._global_conf)
        self._paste_files = found.files
        first, *others = self._made_of
        if first not in found.options:
            raise ConfigError(f"{self._where_paste}: its section is gone")
        options = found.options[first]
        for other in others:
            if found.options.get(other) != options:
                raise ConfigError(
                    f"{first} and {other} differ now; they were alike, and "
                    "which of them made this filter is known after a restart"
                )
        self._warn_of_former(self._of_paste(options))
        return parsed_all(options, self._where_paste)

    def _warn_of_former(self, texts: Mapping[str, tuple[str, str]]) -> None:
        for line in self._former.news_in(texts):
            LOG.warning("%s", line)

    def _signed(self) -> Signature:
        paths = config_files(self._conf)
        paths += [path for path in self._paste_files if path not in paths]
        return _stamps(*paths)


def _stamps(*paths: str | None) -> Signature:
    return tuple((path, _stat(path)) for path in paths if path)


def faults_of(
    conf: cfg.ConfigOpts,
    global_conf: Mapping[str, str],
    local_conf: Mapping[str, str],
) -> list[ConfigError]:
    """Return all that LiveSettings would raise for, one after the other."""
    where = _where(global_conf.get("__file__"))
    faults = _faults_in({n: (where, str(t)) for n, t in local_conf.items()})
    written = written_in(config_files(conf), skip_unreadable=True)
    faults += _faults_in(_texts_of(conf, written))
    if not faults:
        try:
            LiveSettings(conf, global_conf, local_conf)
        except ConfigError as exc:
            faults.append(exc)
    return faults


def _faults_in(texts: Mapping[str, tuple[str, str]]) -> list[ConfigError]:
    faults = []
    for name, (where, text) in texts.items():
        try:
            _check(name, where, text)
        except ConfigError as exc:
            faults.append(exc)
    return faults


def _check(name: str, where: str, text: str) -> None:
    """Raise ConfigError for an unknown name or a wrong value."""
    named(name, where)
    # Only oslo.config knows what a reference stands for.
    if "$" not in text:
        parsed(name, text, where)


def _where(paste_file: str | None) -> str:
    if not paste_file:
        return "nova_profiler filter"
    return f"{os.path.basename(paste_file)}, nova_profiler filter"


def _texts_of(
    conf: cfg.ConfigOpts, written: Written
) -> dict[str, tuple[str, str]]:
    """Return our group's options as they are written, with where."""
    return {
        **{name: (place(at), text) for name, (at, text) in written.items()},
        **_environment_of(conf),
    }


def _from_conf(conf: cfg.ConfigOpts, written: Written) -> dict[str, Any]:
    """Return our group's values of *conf*, checked name by name."""
    texts = _texts_of(conf, written)
    for name, (where, text) in texts.items():
        _check(name, where, text)
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
            is_reference = isinstance(
                exc, (cfg.NoSuchOptError, cfg.NoSuchGroupError)
            )
            # Of what is hidden, the name behind a $ is a part.
            if is_reference and not is_hidden(option):
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
