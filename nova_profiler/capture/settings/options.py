# SPDX-License-Identifier: Apache-2.0
"""Every option, once: its name, type, default and meaning."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from oslo_config import cfg, types

from nova_profiler.capture.choosing.kept_kinds import (
    DUMP_WORDS,
    words_of_kinds,
)
from nova_profiler.capture.settings.former_values import (
    FORMER_VALUES,
    Choice,
)
from nova_profiler.capture.settings.line_kinds import LineKinds
from nova_profiler.capture.sinks import statsd_address
from nova_profiler.capture.sinks.otlp import endpoint as otlp_endpoints
from nova_profiler.errors import NovaProfilerError
from nova_profiler.groups import HOOKS
from nova_profiler.profiles import ENGINES
from nova_profiler.trust.signed_headers import SHORTEST_KEY

GROUP = "nova_profiler"

CHOICES = tuple(hook for hook in HOOKS if hook.is_choice)
HOOK_NAMES = tuple(hook.name for hook in CHOICES)
DUMP_WHEN = (*DUMP_WORDS, *words_of_kinds(DUMP_WORDS))
PROFILERS = ("none", *ENGINES)
PROFILE_WHEN = ("always", "rate", "armed", "signed")


# A user and a password in what looks like a URL.
_USER = re.compile(r"//[^/@]*@")


class ConfigError(NovaProfilerError):
    """An option is wrong: one line with where, what, and what is expected."""


def _option(
    kind: Callable[..., cfg.Opt], default: Any, help_text: str, **more: Any
) -> Any:
    """Return a field of Settings with the oslo.config option that sets it.

    *more* are the option's other arguments: min, max, choices, mutable...
    """
    return dataclasses.field(
        default=default,
        repr=not more.get("secret"),
        metadata={"kind": kind, "help": help_text, **more},
    )


def _words(choices: Iterable[str]) -> Callable[..., cfg.Opt]:
    """Return what makes an option that lists some of *choices*."""
    kind = types.List(item_type=types.String(choices=list(choices)))
    return partial(cfg.Opt, type=kind)


class _StatsdHost(types.String):
    """The type of an option that says where statsd listens."""

    expected = statsd_address.EXPECTED

    def __call__(self, value: Any) -> str:
        """Return *value* as text; raises ValueError."""
        text: str = super().__call__(value).strip()
        if text:
            statsd_address.address_of(text)
        return text


class _OtlpEndpoint(types.String):
    """The type of an option that says where a Collector listens."""

    expected = otlp_endpoints.EXPECTED

    def __call__(self, value: Any) -> str:
        """Return *value* as text; raises ValueError."""
        text: str = super().__call__(value).strip()
        if text:
            otlp_endpoints.endpoint_of(text)
        return text


class _Header(types.String):
    """One ``name=value``."""

    def __call__(self, value: Any) -> Any:
        text = super().__call__(value).strip()
        # oslo.config tries a text that is refused together with the next one.
        if "," in text:
            raise ValueError("a comma is written as %2C")
        if text:
            otlp_endpoints.header_of(text)
        return text


class _Key(types.String):
    """A key; a comma within one makes two, of which one may be short."""

    def __call__(self, value: Any) -> Any:
        key = super().__call__(value)
        # oslo.config tries a text that is refused together with the next one.
        if key and (len(key) < SHORTEST_KEY or "," in key):
            raise ValueError("too short")
        return key


@dataclasses.dataclass(frozen=True)
class Settings:
    """A snapshot of all options; a change makes a new one.

    A field with ``mutable`` may change while the service runs.
    """

    enabled: bool = _option(
        cfg.BoolOpt,
        True,
        "Time requests. When off, the filter is one attribute check.",
        mutable=True,
    )
    service_name: str = _option(
        cfg.StrOpt,
        "nova-api",
        "Name of this service in records and metrics. Unset, another "
        "project's API has its own: cinder-api, keystone.",
    )
    slow_ms: float = _option(
        cfg.FloatOpt,
        1000.0,
        "A request that takes at least this many milliseconds is slow.",
        min=0,
        mutable=True,
    )
    hooks: tuple[str, ...] = _option(
        _words(HOOK_NAMES),
        HOOK_NAMES,
        "What is timed inside a request: "
        + ", ".join(f"{hook.name} ({hook.meaning})" for hook in CHOICES)
        + ".",
    )
    db_api_modules: tuple[str, ...] = _option(
        cfg.ListOpt,
        ("nova.db.main.api", "nova.db.sqlalchemy.api"),
        "Modules whose public functions are the DB API, or module:Class for "
        "methods; those that exist are timed. Unset, another project's are "
        "added.",
    )
    timed_callables: tuple[str, ...] = _option(
        cfg.ListOpt,
        (),
        "More to time: module:function or module:Class.method.",
    )
    routes_file: str | None = _option(
        cfg.StrOpt,
        None,
        "File of routes for paths that no router names, one template such as "
        "/v2.0/networks/{id} a line. Unset: such routes are learned from what "
        "was answered.",
        mutable=True,
    )
    max_calls: int = _option(
        cfg.IntOpt,
        2000,
        "Calls listed one by one in a record; totals stay exact.",
        min=0,
        max=1_000_000,
    )
    profiler: str = _option(
        partial(cfg.Opt, type=Choice(PROFILERS, FORMER_VALUES["profiler"])),
        "none",
        "The engine that takes stacks: "
        + ", ".join(f"{n} ({facts.meaning})" for n, facts in ENGINES.items())
        + ".",
        mutable=True,
    )
    profiler_interval_ms: float | None = _option(
        cfg.FloatOpt,
        None,
        "Milliseconds between two samples. Unset: 10 with pyinstrument; "
        "with stacks as often as it can for 2.5 % of a processor, and never "
        "more often than every 10. It takes a value exactly, whatever that "
        "costs. cprofile takes no samples.",
        min=0.1,
        max=10_000,
        mutable=True,
    )
    profiler_dumpable: bool = _option(
        cfg.BoolOpt,
        False,
        "Let stacks look into a worker that has changed its user "
        "(uid = of uWSGI, --user of gunicorn, user= of WSGIDaemonProcess). "
        "While stacks are taken, any process of that user may then read the "
        "worker's memory, and a crash may write a core file, as with a "
        "server that its unit starts as that user.",
    )
    profile_when: tuple[str, ...] = _option(
        _words(PROFILE_WHEN),
        ("armed", "signed"),
        "Which requests are chosen: always (every one), rate (a share of "
        "all), armed (the next few after a slow one of the same method and "
        "route), signed (asked for by a header that `nova-profiler sign` "
        "makes, or osprofiler with the same key).",
        mutable=True,
    )
    profile_rate: float = _option(
        cfg.FloatOpt,
        0.01,
        "Share of requests for profile_when = rate; decided by the request "
        "id where it is known in time, so that all services choose the same "
        "ones.",
        min=0,
        max=1,
        mutable=True,
    )
    profile_keys: tuple[str, ...] = _option(
        partial(cfg.Opt, type=types.List(item_type=_Key())),
        (),
        f"HMAC keys of signed triggers, of {SHORTEST_KEY} characters or more; "
        "none: every one is refused.",
        secret=True,
        mutable=True,
    )
    dump_dir: str | None = _option(
        cfg.StrOpt,
        None,
        "Directory for dumps, one file a request; it belongs to the service's "
        "user, and no other may write to it. Unset: no dumps.",
    )
    dump_when: tuple[str, ...] = _option(
        _words(DUMP_WHEN),
        ("slow", "failed", "profiled"),
        "Which requests are dumped; in other services, which messages and "
        "tasks. A word with a kind is for that one alone: message:slow, "
        "task:all, periodic:failed. Without one, all is for requests.",
        mutable=True,
    )
    slow_call_ms: float = _option(
        cfg.FloatOpt,
        50.0,
        "In a dump, a call that takes at least this many milliseconds has the "
        "line of nova that made it.",
        min=1,
        mutable=True,
    )
    dump_max_files: int = _option(
        cfg.IntOpt,
        1000,
        "Files of dumps kept, over all workers; a dump and its stacks are "
        "two. The oldest go first.",
        min=1,
    )
    dump_max_mb: int = _option(
        cfg.IntOpt,
        512,
        "Megabytes of dumps kept, over all workers.",
        min=1,
    )
    dump_max_age_hours: int = _option(
        cfg.IntOpt,
        168,
        "Hours for which a dump is kept.",
        min=1,
    )
    statsd_host: str | None = _option(
        partial(cfg.Opt, type=_StatsdHost()),
        None,
        "Where metrics go: a host or [IPv6 address], over UDP, or "
        "unix:///path, a datagram socket of this machine. Unset: none are "
        "sent.",
    )
    statsd_port: int = _option(
        cfg.PortOpt,
        8125,
        "Its UDP port; one that stands in statsd_host wins.",
        min=1,
    )
    statsd_prefix: str = _option(
        cfg.StrOpt,
        "nova",
        "First part of every metric's name.",
    )
    statsd_labels: str = _option(
        cfg.StrOpt,
        "none",
        "Put service, route, method and status into labels instead of the "
        "metric's name.",
        choices=["none", "dogstatsd"],
    )
    otlp_endpoint: str | None = _option(
        partial(cfg.Opt, type=_OtlpEndpoint()),
        None,
        "Where an OpenTelemetry Collector takes OTLP over HTTP, as "
        "http://127.0.0.1:4318: times and traces go there. Unset: none are "
        "sent. It needs nova-profiler[otlp].",
    )
    otlp_headers: tuple[str, ...] = _option(
        partial(cfg.Opt, type=types.List(item_type=_Header())),
        (),
        "Headers that the Collector wants, as Authorization=Bearer%20token; "
        "%2C is a comma.",
        secret=True,
    )
    otlp_ca_file: str | None = _option(
        cfg.StrOpt,
        None,
        "Certificates by which an https Collector is known. Unset: the "
        "system's.",
    )
    otlp_traces: tuple[str, ...] = _option(
        _words(DUMP_WHEN),
        ("slow", "failed", "profiled"),
        "Which requests have a trace, in the words of dump_when.",
        mutable=True,
    )
    otlp_trace_rate: float = _option(
        cfg.FloatOpt,
        0.0,
        "Share of all requests that have a trace besides; decided by the "
        "request id, so that all services choose the same ones.",
        min=0,
        max=1,
        mutable=True,
    )
    log_requests: bool | tuple[str, ...] = _option(
        partial(cfg.Opt, type=LineKinds()),
        True,
        "Log one line per request, logger nova_profiler.requests. Messages, "
        "tasks and periodic tasks have lines where they are named: "
        "true,message:slow,task:all.",
        mutable=True,
    )
    log_calls: bool = _option(
        cfg.BoolOpt,
        False,
        "Log one line per DB API call, logger nova_profiler.calls.",
        mutable=True,
    )
    log_file: str | None = _option(
        cfg.StrOpt,
        None,
        "File that gets one JSON object per request; it may be rotated by "
        "renaming. Unset: none.",
    )

    def interval_ms(self, profiler: str) -> float:
        """Return the milliseconds between two samples of *profiler*.

        0: the engine decides.
        """
        if self.profiler_interval_ms is not None:
            return self.profiler_interval_ms
        return ENGINES[profiler].interval_ms

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """Return these settings with *values* in the place of some."""
        return dataclasses.replace(
            self, **{name: _plain(value) for name, value in values.items()}
        )


def _opt_of(field: dataclasses.Field[Any]) -> cfg.Opt:
    """Return the oslo.config option of a field of Settings."""
    more = dict(field.metadata)
    default = field.default
    if isinstance(default, tuple):
        default = list(default)
    made: cfg.Opt = more.pop("kind")(field.name, default=default, **more)
    return made


OPTIONS: tuple[cfg.Opt, ...] = tuple(
    _opt_of(field) for field in dataclasses.fields(Settings)
)
# By its name.
OPTION_OF = {option.name: option for option in OPTIONS}
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
    option = OPTION_OF.get(name)
    if option is None:
        raise ConfigError(f"{where}: unknown option {name!r}{_hint(name)}")
    return option


def is_hidden(option: cfg.Opt) -> bool:
    """Return whether no message has any part of a wrong value of *option*.

    What is no endpoint may hold a token anywhere: as its port, its path...
    """
    return option.secret or isinstance(option.type, _OtlpEndpoint)


def wrong_value(option: cfg.Opt, text: str, where: str) -> ConfigError:
    """Return the error for an *option* that was written as *text*."""
    shown = (
        "(hidden)" if is_hidden(option) else repr(_USER.sub("//", text)[:80])
    )
    return ConfigError(
        f"{where}: {option.name} = {shown}: expected {expected(option)}"
    )


def parsed_all(texts: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the values of *texts* by name; raises ConfigError."""
    return {name: parsed(name, str(t), where) for name, t in texts.items()}


def expected(option: cfg.Opt) -> str:
    """Return in words what *option* takes."""
    kind = option.type
    if isinstance(kind, (_StatsdHost, _OtlpEndpoint)):
        return kind.expected
    if isinstance(kind, LineKinds):
        return kind.expected
    if isinstance(kind, types.Boolean):
        return "true or false"
    if isinstance(kind, types.List):
        choices = getattr(kind.item_type, "choices", None)
        if choices:
            plain = [one for one in choices if ":" not in one]
            more = (
                ", each maybe with a kind" if len(plain) < len(choices) else ""
            )
            return "a list of " + ", ".join(plain) + more
        if isinstance(kind.item_type, _Key):
            return (
                f"keys of {SHORTEST_KEY} or more characters, separated by "
                "commas"
            )
        if isinstance(kind.item_type, _Header):
            return "a list of name=value, separated by commas"
        return "a list, separated by commas"
    if isinstance(kind, types.Number):
        what = "a whole number" if kind.num_type is int else "a number"
        if kind.min is not None and kind.max is not None:
            return f"{what} from {kind.min} to {kind.max}"
        return f"{what}, {kind.min} or more" if kind.min is not None else what
    choices = getattr(kind, "choices", None)
    return " or ".join(choices) if choices else "a text"


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name, OPTION_OF, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return "; the options are " + ", ".join(OPTION_OF)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
