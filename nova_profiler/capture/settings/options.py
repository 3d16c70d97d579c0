# SPDX-License-Identifier: Apache-2.0
"""Every option, once: its name, type, default and meaning."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg, types

from nova_profiler.errors import NovaProfilerError

GROUP = "nova_profiler"

HOOKS = ("sqlalchemy", "db_api", "threads", "config")
DUMP_WHEN = ("slow", "failed", "profiled", "all")
PROFILERS = ("none", "pyspy", "pyinstrument", "cprofile")
PROFILE_WHEN = ("always", "rate", "armed", "signed")


class ConfigError(NovaProfilerError):
    """An option is wrong: one line with where, what, and what is expected."""


def _words(choices: tuple[str, ...]) -> types.List:
    return types.List(item_type=types.String(choices=list(choices)))


OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.BoolOpt(
        "enabled",
        default=True,
        mutable=True,
        help="Time requests. When off, the filter is one attribute check.",
    ),
    cfg.StrOpt(
        "service_name",
        default="nova-api",
        help="Name of this service in records and metrics.",
    ),
    cfg.FloatOpt(
        "slow_ms",
        default=1000.0,
        min=0,
        mutable=True,
        help="From so many milliseconds on a request is slow.",
    ),
    cfg.Opt(
        "hooks",
        type=_words(HOOKS),
        default=list(HOOKS),
        help="What is timed inside a request: sqlalchemy (statements, "
        "fetches, connections), db_api (Nova's database functions), "
        "threads (takes the request along into executors and "
        "greenthreads), config (counts look-ups of options).",
    ),
    cfg.ListOpt(
        "db_api_modules",
        default=["nova.db.main.api", "nova.db.sqlalchemy.api"],
        help="Modules whose public functions are the DB API; those that "
        "exist are timed.",
    ),
    cfg.ListOpt(
        "timed_callables",
        default=[],
        help="More to time: module:function or module:Class.method.",
    ),
    cfg.IntOpt(
        "max_calls",
        default=2000,
        min=0,
        max=1_000_000,
        help="Calls listed one by one in a record; totals stay exact.",
    ),
    cfg.StrOpt(
        "profiler",
        default="none",
        choices=list(PROFILERS),
        mutable=True,
        help="The engine that takes stacks: pyspy (of every request, from "
        "outside; those of slow, failed and chosen ones are kept), "
        "pyinstrument (samples of chosen requests) or cprofile (every call "
        "of chosen requests).",
    ),
    cfg.FloatOpt(
        "profiler_interval_ms",
        min=0.1,
        max=10_000,
        mutable=True,
        help="Milliseconds between two samples. Unset: 10 with "
        "pyinstrument; with pyspy as often as it can for 2.5 % of a "
        "processor, and never more often than every 20. pyspy takes a value "
        "exactly, whatever that costs. cprofile takes no samples.",
    ),
    cfg.Opt(
        "profile_when",
        type=_words(PROFILE_WHEN),
        default=["armed", "signed"],
        mutable=True,
        help="Which requests are chosen: always (every one), rate (a share "
        "of all), armed (the next few after a slow one of the same method "
        "and route), signed (asked for by a header that `nova-profiler "
        "sign` makes, or osprofiler with the same key).",
    ),
    cfg.FloatOpt(
        "profile_rate",
        default=0.01,
        min=0,
        max=1,
        mutable=True,
        help="Share of requests for profile_when = rate; decided by the "
        "request id where it is known in time, so that all services choose "
        "the same ones.",
    ),
    cfg.ListOpt(
        "profile_keys",
        default=[],
        secret=True,
        help="HMAC keys of signed triggers; none: every one is refused.",
    ),
    cfg.StrOpt(
        "dump_dir",
        help="Directory for dumps, one file a request; unset: no dumps.",
    ),
    cfg.Opt(
        "dump_when",
        type=_words(DUMP_WHEN),
        default=["slow", "failed", "profiled"],
        mutable=True,
        help="Which requests are dumped.",
    ),
    cfg.IntOpt(
        "dump_max_files",
        default=1000,
        min=1,
        help="Dumps kept, over all workers; the oldest go first.",
    ),
    cfg.IntOpt(
        "dump_max_mb",
        default=512,
        min=1,
        help="Megabytes of dumps kept, over all workers.",
    ),
    cfg.IntOpt(
        "dump_max_age_hours",
        default=168,
        min=1,
        help="Hours for which a dump is kept.",
    ),
    cfg.StrOpt(
        "statsd_host",
        help="Host that gets metrics over UDP; unset: none are sent.",
    ),
    cfg.PortOpt("statsd_port", default=8125, min=1, help="Its port."),
    cfg.StrOpt(
        "statsd_prefix",
        default="nova",
        help="First part of every metric's name.",
    ),
    cfg.StrOpt(
        "statsd_labels",
        default="none",
        choices=["none", "dogstatsd"],
        help="Put service, route, method and status into labels instead of "
        "the metric's name.",
    ),
    cfg.BoolOpt(
        "log_requests",
        default=True,
        mutable=True,
        help="Log one line per request, logger nova_profiler.requests.",
    ),
    cfg.BoolOpt(
        "log_calls",
        default=False,
        mutable=True,
        help="Log one line per DB API call, logger nova_profiler.calls.",
    ),
    cfg.StrOpt(
        "log_file",
        help="File that gets one JSON object per request; it may be rotated "
        "by renaming. Unset: none.",
    ),
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """A snapshot of all options; a change makes a new one."""

    enabled: bool = True
    service_name: str = "nova-api"
    slow_ms: float = 1000.0
    hooks: tuple[str, ...] = HOOKS
    db_api_modules: tuple[str, ...] = (
        "nova.db.main.api",
        "nova.db.sqlalchemy.api",
    )
    timed_callables: tuple[str, ...] = ()
    max_calls: int = 2000
    profiler: str = "none"
    profiler_interval_ms: float | None = None
    profile_when: tuple[str, ...] = ("armed", "signed")
    profile_rate: float = 0.01
    profile_keys: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    dump_dir: str | None = None
    dump_when: tuple[str, ...] = ("slow", "failed", "profiled")
    dump_max_files: int = 1000
    dump_max_mb: int = 512
    dump_max_age_hours: int = 168
    statsd_host: str | None = None
    statsd_port: int = 8125
    statsd_prefix: str = "nova"
    statsd_labels: str = "none"
    log_requests: bool = True
    log_calls: bool = False
    log_file: str | None = None

    def interval_ms(self, profiler: str) -> float:
        """Return the milliseconds between two samples of *profiler*.

        0 for pyspy means that it is to find what costs next to nothing.
        """
        if self.profiler_interval_ms is not None:
            return self.profiler_interval_ms
        return 0.0 if profiler == "pyspy" else 10.0

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """Return these settings with *values* in the place of some."""
        return dataclasses.replace(
            self, **{name: _plain(value) for name, value in values.items()}
        )


_BY_NAME = {option.name: option for option in OPTIONS}
MUTABLE = frozenset(o.name for o in OPTIONS if o.mutable)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Return the options for oslo-config-generator."""
    return [(GROUP, list(OPTIONS))]


def parsed(name: str, text: str, where: str) -> Any:
    """Return the value of option *name* written as *text*.

    Raises ConfigError that names *where* it was read and what is expected.
    """
    option = named(name, where)
    if text.strip() == "" and option.default is None:
        return None
    try:
        value = _plain(option.type(text))
    except (ValueError, TypeError):
        raise wrong_value(option, text, where) from None
    if value != value:
        # "nan" is a number to Python and within any bounds.
        raise wrong_value(option, text, where)
    return value


def named(name: str, where: str) -> cfg.Opt:
    """Return the option *name*; raises ConfigError where there is none."""
    option = _BY_NAME.get(name)
    if option is None:
        raise ConfigError(f"{where}: unknown option {name!r}{_hint(name)}")
    return option


def wrong_value(option: cfg.Opt, text: str, where: str) -> ConfigError:
    """Return the error for an *option* that was written as *text*."""
    shown = "(hidden)" if option.secret else repr(text[:80])
    return ConfigError(
        f"{where}: {option.name} = {shown}: expected {expected(option)}"
    )


def parsed_all(texts: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the values of *texts* by name; raises ConfigError."""
    return {name: parsed(name, str(t), where) for name, t in texts.items()}


def expected(option: cfg.Opt) -> str:
    """Return in words what *option* takes."""
    kind = option.type
    if isinstance(kind, types.Boolean):
        return "true or false"
    if isinstance(kind, types.List):
        choices = getattr(kind.item_type, "choices", None)
        if choices:
            return "a list of " + ", ".join(choices)
        return "a list, separated by commas"
    if isinstance(kind, types.Number):
        what = "a whole number" if kind.num_type is int else "a number"
        if kind.min is not None and kind.max is not None:
            return f"{what} from {kind.min} to {kind.max}"
        return f"{what}, {kind.min} or more" if kind.min is not None else what
    choices = getattr(kind, "choices", None)
    return " or ".join(choices) if choices else "a text"


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return "; the options are " + ", ".join(_BY_NAME)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
