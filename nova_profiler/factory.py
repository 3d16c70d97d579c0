# SPDX-License-Identifier: Apache-2.0
"""The entry point: the one place where the parts are put together."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from nova_profiler.capture.choosing.choice import Choice, is_logged
from nova_profiler.capture.choosing.traced import TraceChoice
from nova_profiler.capture.failures import HOOK_FAILURES, LOG, Failures
from nova_profiler.capture.hooks import HookError, HookLock, Undo
from nova_profiler.capture.hooks.attribute_patches import undo_all
from nova_profiler.capture.profilers import Engine, EngineError, Note
from nova_profiler.capture.profilers.engine_in_use import Watching
from nova_profiler.capture.record_making.recorder import Recorder
from nova_profiler.capture.served.kinds import tasks
from nova_profiler.capture.served.nova_routes import Routes
from nova_profiler.capture.served.routing.table import routers_of
from nova_profiler.capture.served.worker import Worker
from nova_profiler.capture.served.wsgi_facts import WsgiFacts
from nova_profiler.capture.served.wsgi_middleware import ProfilerMiddleware
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import ConfigError, Settings
from nova_profiler.capture.settings.project_conf import (
    conf_of,
    use_defaults_of,
)
from nova_profiler.capture.sinks import Sink
from nova_profiler.capture.sinks.dump_files import DumpSink
from nova_profiler.capture.sinks.json_file import JsonFileSink
from nova_profiler.capture.sinks.log_lines import CallLogSink, RequestLogSink
from nova_profiler.capture.sinks.otlp.endpoint import (
    endpoint_of,
    headers_of,
)
from nova_profiler.capture.sinks.statsd_sink import StatsdSink
from nova_profiler.capture.sinks.statsd_udp import transport_of
from nova_profiler.dump_store import DumpStore
from nova_profiler.groups import HOOKS, Hook
from nova_profiler.profiles import ENGINES
from nova_profiler.record import RequestRecord
from nova_profiler.trust.folders import UntrustedFolder, fault_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_lock = HookLock()
# paste calls the factory for each pipeline that names the filter: they
# share one worker, and the routes that it saw.
_workers: dict[tuple[Any, ...], tuple[Worker, WsgiFacts]] = {}


def filter_factory(
    global_conf: Mapping[str, str], /, **local_conf: str
) -> Callable[[WSGIApplication], ProfilerMiddleware]:
    """Return the filter for one section of a paste file.

    Options of the section win over those of the host's oslo.config. Raises
    ConfigError, one line, for an option that is unknown or wrong.
    """
    return make_filter(cfg.CONF, global_conf, local_conf)


def filter_app_factory(
    app: WSGIApplication, global_conf: Mapping[str, str], /, **local_conf: str
) -> ProfilerMiddleware:
    """Return the filter around *app*, for ``paste.filter_app_factory``.

    Raises ConfigError as filter_factory does.
    """
    return filter_factory(global_conf, **local_conf)(app)


def make_filter(
    conf: cfg.ConfigOpts,
    global_conf: Mapping[str, str],
    local_conf: Mapping[str, str],
    project: str = "",
) -> Callable[[WSGIApplication], ProfilerMiddleware]:
    """Return the filter as filter_factory does, with options from *conf*.

    *project* is that of the application, if it is known.
    """
    with _lock.now:
        use_defaults_of(conf)
        live = LiveSettings(conf, global_conf, local_conf)
        key = (
            id(conf),
            global_conf.get("__file__"),
            tuple(sorted(local_conf.items())),
            live.current,
        )
        shared = _workers.get(key)
        if shared is None:
            worker = _made(live)
            routes = Routes(lambda: live.route_table)
            facts = WsgiFacts(worker.failures, routes)
            shared = _workers[key] = worker, facts

    def filter_app(app: WSGIApplication) -> ProfilerMiddleware:
        worker, facts = shared
        try:
            facts.routes.ask(routers_of(app, project))
        except Exception as exc:
            # Its attributes may do anything; its routes are learned, then.
            worker.failures.note("route", exc)
        return ProfilerMiddleware(app, worker, facts)

    return filter_app


def wrapped(
    app: WSGIApplication, project: str, environ: Mapping[str, str]
) -> WSGIApplication:
    """Return *app* of *project* with the filter round it. Never raises.

    Options come from the files of the project, or from those that *environ*
    names. Where they are wrong, *app* itself is returned, and one line in the
    log has the reason: a profiler is no reason not to serve.
    """
    try:
        conf = conf_of(project, environ)
        return make_filter(conf, {}, {}, project)(app)
    except Exception as exc:
        # Only our own errors are sure to hold nothing secret.
        shown = exc if isinstance(exc, ConfigError) else type(exc).__name__
        LOG.error("%s; %s is served without nova-profiler", shown, project)
        return app


def _made(live: LiveSettings) -> Worker:
    settings = live.current
    check_engine(settings.profiler)

    def install() -> Undo:
        undos = [install_hooks(settings)]
        if "threads" in settings.hooks:
            # Some of what requests submit goes on after them.
            undos.append(tasks.follow())
        return undo_all(undos)

    return worker_of(live, install)


def worker_of(live: LiveSettings, install_hooks: Callable[[], Undo]) -> Worker:
    """Return a worker with the settings of *live*; it opens nothing yet.

    It calls *install_hooks*, and once more at its first capture.
    """
    settings = live.current
    failures = Failures()
    for warning in live.warnings:
        failures.warn(warning)
    sinks = sinks_of(live, failures)
    choice = Choice(failures.note, directory=settings.dump_dir)
    traces = TraceChoice(failures.note) if settings.otlp_endpoint else None
    return Worker(
        live,
        Recorder(sinks, failures, traces),
        Watching(partial(engine_of, settings=settings), choice, failures),
        failures,
        install_hooks,
    )


def check_engine(name: str) -> None:
    """Raise ConfigError, one line, if the engine *name* cannot work here."""
    if name == "none":
        return
    try:
        # A process gets one of its own when it needs it.
        engine_of(name, Failures().note).close()
    except EngineError as exc:
        raise ConfigError(f"nova_profiler: profiler = {name}: {exc}") from exc


def engine_of(
    name: str, note: Note, settings: Settings | None = None
) -> Engine:
    """Return a new engine; raises EngineError where it cannot work.

    Imports an engine's module only here, since it imports what it needs.
    """
    takes = ENGINES[name].takes
    taken = [getattr(settings or Settings(), takes)] if takes else []
    module = importlib.import_module(
        f"nova_profiler.capture.profilers.{name}.engine"
    )
    engine: Engine = module.engine(note, *taken)
    return engine


def sinks_of(live: LiveSettings, failures: Failures) -> list[Sink]:
    """Return the sinks that *live* asks for; nothing is opened yet."""
    made = (make(live, failures) for make in _SINKS)
    return [sink for sink in made if sink is not None]


def _statsd(live: LiveSettings, failures: Failures) -> Sink | None:
    settings = live.current
    if not settings.statsd_host:
        return None
    transport = transport_of(
        settings.statsd_host, settings.statsd_port, failures.note
    )
    return StatsdSink(
        transport.send,
        settings.statsd_prefix,
        settings.service_name,
        settings.statsd_labels,
        partial(_new_counts, failures),
    )


def _new_counts(failures: Failures) -> dict[str, int]:
    """Return what *failures* and the hooks counted since the last call."""
    if failures.has_new or HOOK_FAILURES.has_new:
        return {**failures.take_new(), **HOOK_FAILURES.take_new()}
    return {}


def _otlp(live: LiveSettings, failures: Failures) -> Sink | None:
    """Return the sink of OTLP, or None.

    Raises ConfigError where its extra or its certificates are missing.
    Imports it only here, since it imports protobuf.
    """
    settings = live.current
    if not settings.otlp_endpoint:
        return None
    folder = "nova_profiler.capture.sinks.otlp"
    try:
        collectors = importlib.import_module(f"{folder}.collector")
        sinks = importlib.import_module(f"{folder}.sink")
    except ImportError as exc:
        raise ConfigError(
            f"nova_profiler: otlp_endpoint needs opentelemetry-proto ({exc}): "
            "pip install 'nova-profiler[otlp]'"
        ) from exc
    endpoint = endpoint_of(settings.otlp_endpoint)
    headers = headers_of(filter(None, settings.otlp_headers))
    ca_file = settings.otlp_ca_file
    fault = (
        collectors.fault_of_ca_file(ca_file)
        if endpoint.is_tls and ca_file
        else None
    )
    if fault is not None:
        raise ConfigError(
            f"nova_profiler: otlp_ca_file = {ca_file!r}: {fault}"
        )
    sink: Sink = sinks.OtlpSink(
        partial(collectors.Collector, endpoint, headers, ca_file),
        (settings.service_name, socket.gethostname()),
        failures.note,
        partial(_all_counts, failures),
    )
    return sink


def _all_counts(failures: Failures) -> dict[str, int]:
    """Return what *failures* and the hooks have counted so far."""
    return {**failures.counts(), **HOOK_FAILURES.counts()}


def _log_file(live: LiveSettings, failures: Failures) -> Sink | None:
    path = live.current.log_file
    return JsonFileSink(path) if path else None


def _dumps(live: LiveSettings, failures: Failures) -> Sink | None:
    settings = live.current
    if not settings.dump_dir:
        return None
    fault = fault_of(settings.dump_dir)
    if fault is not None:
        # One line now; each dump that is lost for it is counted.
        failures.note(DumpSink.name, UntrustedFolder(fault))
    return DumpSink(
        DumpStore(
            settings.dump_dir,
            settings.dump_max_files,
            settings.dump_max_mb,
            settings.dump_max_age_hours,
            partial(failures.note, "dump_lock"),
        )
    )


def _request_log(live: LiveSettings, failures: Failures) -> Sink:
    def is_wanted(record: RequestRecord) -> bool:
        settings = live.current
        return is_logged(record, settings.log_requests, settings.slow_ms)

    return RequestLogSink(is_wanted)


def _call_log(live: LiveSettings, failures: Failures) -> Sink:
    return CallLogSink()


# What makes each sink, or None where the options ask for none; a record goes
# to them in this order.
_SINKS: tuple[Callable[[LiveSettings, Failures], Sink | None], ...] = (
    _statsd,
    _otlp,
    _log_file,
    _dumps,
    _request_log,
    _call_log,
)


def install_hooks(settings: Settings, is_serving: bool = True) -> Undo:
    """Install the hooks of *settings*; return what takes them away.

    Those that only replace attributes, unless the process *is_serving*: it
    may be a command that serves nothing.

    Raises ConfigError when one cannot be installed; then none is.
    """
    undos: list[Undo] = []
    try:
        for hook in HOOKS:
            if hook.is_choice and hook.name not in settings.hooks:
                continue
            if hook.is_process_wide and not is_serving:
                continue
            undos.append(_installed(hook, settings))
    except HookError as exc:
        undo_all(undos)()
        raise ConfigError(f"nova_profiler: {exc}") from exc
    return undo_all(undos)


def _installed(hook: Hook, settings: Settings) -> Undo:
    """Install *hook*, with the value of the option that it takes.

    Imports its module only here, since that imports what it hooks.
    """
    module = importlib.import_module(
        f"nova_profiler.capture.hooks.{hook.module}"
    )
    taken = [getattr(settings, hook.takes)] if hook.takes else []
    undo: Undo = module.install(*taken)
    return undo
