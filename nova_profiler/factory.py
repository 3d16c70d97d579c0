# SPDX-License-Identifier: Apache-2.0
"""The paste entry point: the one place where the parts are put together."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from nova_profiler.capture.choosing.choice import Choice
from nova_profiler.capture.failures import HOOK_FAULTS, Faults
from nova_profiler.capture.hooks import HookError, Undo
from nova_profiler.capture.profilers import Engine, EngineError, Note
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.served.wsgi_middleware import ProfilerMiddleware
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import ConfigError, Settings
from nova_profiler.capture.sinks import Sink
from nova_profiler.capture.sinks.dump_files import DumpSink
from nova_profiler.capture.sinks.json_file import JsonFileSink
from nova_profiler.capture.sinks.log_lines import CallLogSink, RequestLogSink
from nova_profiler.capture.sinks.statsd_udp import StatsdSink, Transport
from nova_profiler.dump_store import DumpStore
from nova_profiler.routes import Routes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_lock = threading.Lock()
# paste calls the factory for each pipeline that names the filter: they
# share one set of parts.
_parts: dict[tuple[Any, ...], Parts] = {}


class Parts:
    """What the filters of one section share."""

    def __init__(
        self,
        live: LiveSettings,
        recorder: Recorder,
        watching: Watching,
        faults: Faults,
    ) -> None:
        self.live = live
        self.recorder = recorder
        self.watching = watching
        self.faults = faults
        self.undo_hooks: Undo = lambda: None

    def undo(self) -> None:
        """Take the hooks away and end the engine."""
        self.undo_hooks()
        self.watching.close()


def filter_factory(
    global_conf: Mapping[str, str], /, **local_conf: str
) -> Callable[[WSGIApplication], ProfilerMiddleware]:
    """Return the filter for one section of a paste file.

    Options of the section win over those of the host's oslo.config. Raises
    ConfigError, one line, for an option that is unknown or wrong.
    """
    return make_filter(cfg.CONF, global_conf, local_conf)


def make_filter(
    conf: cfg.ConfigOpts,
    global_conf: Mapping[str, str],
    local_conf: Mapping[str, str],
) -> Callable[[WSGIApplication], ProfilerMiddleware]:
    """Return the filter as filter_factory does, with options from *conf*."""
    with _lock:
        live = LiveSettings(conf, global_conf, local_conf)
        key = (
            id(conf),
            global_conf.get("__file__"),
            tuple(sorted(local_conf.items())),
            live.current,
        )
        parts = _parts.get(key)
        if parts is None:
            parts = _parts[key] = _made(live)

    def filter_app(app: WSGIApplication) -> ProfilerMiddleware:
        return ProfilerMiddleware(
            app, parts.live, parts.recorder, parts.watching, parts.faults
        )

    return filter_app


def _made(live: LiveSettings) -> Parts:
    settings = live.current
    faults = Faults()
    sinks = sinks_of(live, faults)
    check_engine(settings.profiler)
    choice = Choice(faults.note, directory=settings.dump_dir)
    watching = Watching(engine_of, choice, faults)
    recorder = Recorder(sinks, Routes(), faults)
    parts = Parts(live, recorder, watching, faults)
    parts.undo_hooks = install_hooks(settings)
    return parts


def check_engine(name: str) -> None:
    """Raise ConfigError, one line, if the engine *name* cannot work here."""
    if name == "none":
        return
    try:
        # A process gets one of its own when it needs it.
        engine_of(name, Faults().note).close()
    except EngineError as exc:
        raise ConfigError(f"nova_profiler: profiler = {name}: {exc}") from exc


def engine_of(name: str, note: Note) -> Engine:
    """Return a new engine; raises EngineError where it cannot work.

    Imports an engine's module only here, since it imports what it needs.
    """
    module = importlib.import_module(_ENGINES[name])
    engine: Engine = module.engine(note)
    return engine


def sinks_of(live: LiveSettings, faults: Faults) -> list[Sink]:
    """Return the sinks that *live* asks for; nothing is opened yet."""
    settings = live.current
    sinks: list[Sink] = []
    if settings.statsd_host:
        sinks.append(
            StatsdSink(
                Transport(
                    settings.statsd_host, settings.statsd_port, faults.note
                ).send,
                settings.statsd_prefix,
                settings.service_name,
                settings.statsd_labels,
                lambda: _news(faults),
            )
        )
    if settings.log_file:
        sinks.append(JsonFileSink(settings.log_file))
    if settings.dump_dir:
        sinks.append(
            DumpSink(
                DumpStore(
                    settings.dump_dir,
                    settings.dump_max_files,
                    settings.dump_max_mb,
                    settings.dump_max_age_hours,
                )
            )
        )
    sinks.append(RequestLogSink(lambda: live.current.log_requests))
    sinks.append(CallLogSink())
    return sinks


def _news(faults: Faults) -> dict[str, int]:
    """Return what *faults* and the hooks counted since this was asked."""
    if faults.has_news or HOOK_FAULTS.has_news:
        return {**faults.untold(), **HOOK_FAULTS.untold()}
    return {}


def install_hooks(settings: Settings) -> Undo:
    """Install the hooks of *settings*; return what takes them away.

    Imports a hook's module only here, since it imports what it hooks.
    Raises ConfigError when one cannot be installed.
    """
    undos: list[Undo] = []
    try:
        for name in settings.hooks:
            undos.append(_INSTALLERS[name](settings))
        if settings.timed_callables:
            from nova_profiler.capture.hooks import timed_callables

            undos.append(timed_callables.install(settings.timed_callables))
    except HookError as exc:
        for undo in reversed(undos):
            undo()
        raise ConfigError(f"nova_profiler: {exc}") from exc

    def undo_hooks() -> None:
        for undo in reversed(undos):
            undo()

    return undo_hooks


def _sqlalchemy(settings: Settings) -> Undo:
    from nova_profiler.capture.hooks.database import sqlalchemy_statements

    return sqlalchemy_statements.install()


def _db_api(settings: Settings) -> Undo:
    from nova_profiler.capture.hooks.database import db_api_calls

    return db_api_calls.install(settings.db_api_modules)


def _threads(settings: Settings) -> Undo:
    from nova_profiler.capture.hooks import thread_spawns

    return thread_spawns.install()


def _config(settings: Settings) -> Undo:
    from nova_profiler.capture.hooks import config_lookups

    return config_lookups.install()


_ENGINES = {
    "pyspy": "nova_profiler.capture.profilers.pyspy.engine",
    "pyinstrument": "nova_profiler.capture.profilers.pyinstrument.engine",
    "cprofile": "nova_profiler.capture.profilers.cprofile.engine",
}

_INSTALLERS: dict[str, Callable[[Settings], Undo]] = {
    "sqlalchemy": _sqlalchemy,
    "db_api": _db_api,
    "threads": _threads,
    "config": _config,
}
