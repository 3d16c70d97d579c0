# SPDX-License-Identifier: Apache-2.0
"""What the options ask for, tried in this environment: the points of it."""

from __future__ import annotations

import configparser
import dataclasses
import importlib
import os
import warnings
from collections.abc import Iterator
from contextlib import suppress

from oslo_config import cfg

from nova_profiler.capture.hooks import late_patches
from nova_profiler.capture.profilers.stacks import self_test
from nova_profiler.capture.profilers.tracers import (
    CHANGED_USER,
    has_changed_user,
)
from nova_profiler.capture.settings.live import LiveSettings, faults_of
from nova_profiler.capture.settings.options import ConfigError, Settings
from nova_profiler.capture.settings.project_conf import use_defaults_of
from nova_profiler.capture.sinks.otlp.collector import fault_of_ca_file
from nova_profiler.capture.sinks.otlp.endpoint import endpoint_of
from nova_profiler.capture.sinks.own_descriptors import own_descriptor
from nova_profiler.capture.sinks.statsd_address import (
    address_of,
    socket_name,
)
from nova_profiler.factory import check_engine, install_hooks
from nova_profiler.paste_file import line_of
from nova_profiler.profiles import STACKS
from nova_profiler.projects import Project, project_named
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.destinations import (
    dump_dir_point,
    log_file_point,
    otlp_point,
    statsd_point,
    statsd_socket_point,
)
from nova_profiler.reading.setup.in_the_worker import (
    db_api_point,
    doubt_of_user,
    enabled_point,
    hook_remedy,
    missing_point,
    pids_of_workers,
    profiler_points,
    sqlalchemy_point,
    untried_points,
    user_of_workers,
)
from nova_profiler.trust.folders import user_name


def settings_points(
    global_conf: dict[str, str],
    conf: cfg.ConfigOpts,
    local_conf: dict[str, str],
    is_ours: bool = True,
) -> Iterator[Point]:
    """Yield the points of the options in *conf* and a filter's section.

    Where they are not this host's, *is_ours* is false: then nothing that they
    name is imported, looked up or sent to.
    """
    use_defaults_of(conf)
    faults = faults_of(conf, global_conf, local_conf)
    for fault in faults:
        yield Point(
            WRONG, "options", str(fault), ("mend or remove that line",)
        )
    if faults:
        return
    live = LiveSettings(conf, global_conf, local_conf)
    settings = live.current
    yield Point(OK, "options", "all are known and have valid values")
    for warning in live.warnings:
        yield Point(WARNING, "options", warning)
    yield enabled_point(settings.enabled)
    yield from _hook_points(settings, project_named(conf.project), is_ours)
    yield sqlalchemy_point(_sqlalchemy_version())
    problem, doubt = _trouble_with(settings)
    yield from profiler_points(
        settings.profiler,
        problem,
        settings.profile_when,
        settings.profile_keys,
        settings.dump_dir,
        doubt,
    )
    yield _statsd_point(settings, is_ours)
    yield _otlp_point(settings, is_ours)
    yield dump_dir_point(settings.dump_dir)
    yield log_file_point(
        settings.log_file,
        own_descriptor(settings.log_file) if settings.log_file else None,
    )


def _statsd_point(settings: Settings, is_ours: bool) -> Point:
    if not settings.statsd_host:
        return statsd_point(None, settings.statsd_port)
    if not is_ours:
        found = f"{settings.statsd_host}: not tried: another host's or user's"
        return Point(OK, "statsd_host", found)
    address = address_of(settings.statsd_host)
    if address.path is not None:
        return statsd_socket_point(address.path, socket_name(address.path))
    return statsd_point(address.host, address.port or settings.statsd_port)


def _otlp_point(settings: Settings, is_ours: bool) -> Point:
    if not settings.otlp_endpoint:
        return otlp_point(None, 0)
    endpoint = endpoint_of(settings.otlp_endpoint)
    if not is_ours:
        found = f"{endpoint.host}: not tried: another host's or user's"
        return Point(OK, "otlp_endpoint", found)
    ca_file = settings.otlp_ca_file
    fault = fault_of_ca_file(ca_file) if endpoint.is_tls and ca_file else None
    if fault is not None:
        return Point(
            WRONG,
            "otlp_ca_file",
            f"{ca_file}: {fault}: the service does not start",
            ("name a file of certificates that the service's user can read",),
        )
    return otlp_point(endpoint.host, endpoint.port)


def _trouble_with(settings: Settings) -> tuple[str | None, str | None]:
    """Return why the profiler cannot work here, or why it may not.

    Both are None if it can.
    """
    try:
        check_engine(settings.profiler)
    except ConfigError as exc:
        return str(exc).removeprefix("nova_profiler: "), None
    if settings.profiler != STACKS:
        return None, None
    problem_with = self_test.problem_with
    user = user_of_workers(settings.dump_dir)
    as_user = None if user is None else self_test.User(*user)
    problem = problem_with(user=as_user)
    if problem is None and settings.profiler_dumpable:
        problem = problem_with(user=as_user, changed=True, dumpable=True)
        return problem, None
    workers = pids_of_workers(settings.dump_dir)
    changed = [pid for pid in workers if has_changed_user(pid)]
    if problem is None and changed:
        problem = f"the worker with pid {changed[0]} {CHANGED_USER}"
    if problem is not None or workers:
        return problem, None
    return None, doubt_of_user(
        settings.profiler,
        as_user.name if as_user else user_name(os.geteuid()),
    )


def _hook_points(
    settings: Settings, project: Project | None, is_ours: bool
) -> Iterator[Point]:
    if not is_ours:
        untried = _own_db_api(settings, project)
        yield from untried_points(settings.timed_callables, untried)
        known = [o for o in settings.db_api_modules if o not in untried]
        settings = dataclasses.replace(
            settings, timed_callables=(), db_api_modules=tuple(known)
        )
    try:
        with warnings.catch_warnings():
            # Warnings of nova's own imports are in nova's log.
            warnings.simplefilter("ignore")
            undo = install_hooks(settings)
    except Exception as exc:
        found = fault_in(exc)
        remedy = hook_remedy(found, settings.hooks, settings.timed_callables)
        yield Point(WRONG, "hooks", found, remedy)
        return
    try:
        missing = _missing_points()
    finally:
        undo()
    hooks = ", ".join(settings.hooks) or "none"
    yield Point(OK, "hooks", f"{hooks} can be installed")
    for line in missing:
        yield missing_point(line)
    if "db_api" in settings.hooks:
        yield db_api_point(settings.db_api_modules, project)


def _own_db_api(settings: Settings, project: Project | None) -> list[str]:
    """Return the modules of db_api_modules that only the files name."""
    known = (*Settings.db_api_modules, *(project.db_api if project else ()))
    return [one for one in settings.db_api_modules if one not in known]


def _missing_points() -> list[str]:
    """Return what installed hooks do not find in the libraries here.

    nova-api has them loaded; here they are imported for that.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in late_patches.waiting_modules():
            # Whatever one raises: where it is not, it is not looked at.
            with suppress(Exception):
                importlib.import_module(name)
    late_patches.look_again()
    return late_patches.missing_points()


def _sqlalchemy_version() -> str | None:
    try:
        import sqlalchemy
    except ImportError:
        return None
    return sqlalchemy.__version__


def fault_in(exc: Exception) -> str:
    """Return *exc* in one line, without a value that may be a password."""
    if isinstance(exc, configparser.Error):
        # Its text has the value.
        section, option = (
            getattr(exc, name, None) for name in ("section", "option")
        )
        place = f"[{section}] {option or ''}".rstrip() if section else ""
        line = line_of(exc)
        found = [place, f"line {line}" if line else ""]
        shown = ", ".join(one for one in found if one)
        return f"{type(exc).__name__}: {shown or 'the file'}"
    return " ".join(f"{type(exc).__name__}: {exc}".split())
