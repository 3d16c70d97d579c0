# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler check``: whether the set-up is right, with remedies."""

from __future__ import annotations

import configparser
import importlib
import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click
from oslo_config import cfg
from paste.deploy import loadwsgi

from nova_profiler.capture.hooks import late_patches
from nova_profiler.capture.profilers.pyspy import self_test
from nova_profiler.capture.profilers.pyspy.permission import (
    CHANGED_USER,
    find_pyspy,
    has_changed_user,
)
from nova_profiler.capture.settings.files import paste_sections
from nova_profiler.capture.settings.live import LiveSettings, faults_of
from nova_profiler.capture.settings.options import ConfigError, Settings
from nova_profiler.capture.sinks.own_descriptors import own_descriptor
from nova_profiler.capture.sinks.statsd_address import (
    address_of,
    socket_name,
)
from nova_profiler.errors import NovaProfilerError
from nova_profiler.factory import (
    check_engine,
    filter_factory,
    install_hooks,
)
from nova_profiler.paste_file import (
    FILTER,
    is_made_by_us,
    line_of,
    sections_of,
)
from nova_profiler.reading.command_line.options import json_option
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.destinations import (
    dump_dir_point,
    log_file_point,
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
    user_of_workers,
)
from nova_profiler.reading.setup.nova_conf import (
    know_references,
    oslo_point,
    read_nova_conf,
)
from nova_profiler.reading.setup.page import print_points
from nova_profiler.reading.setup.pipelines import (
    filters_of,
    load_remedy,
    nova_paste_file,
    pipeline_points,
    right_section,
    section_point,
)
from nova_profiler.trust.folders import user_name
from nova_profiler.untrusted_files import FileError

NOVA_CONF = "/etc/nova/nova.conf"

_NO_NOVA_CONF = Point(
    WARNING,
    "nova.conf",
    f"{NOVA_CONF} is not there: defaults and the paste file's options hold",
    ("nova-profiler check --config-file NOVA_CONF",),
)
_FILE = click.Path(exists=True, dir_okay=False, readable=True)


@click.command("check")
@click.option(
    "--paste",
    metavar="FILE",
    type=_FILE,
    help="nova's api-paste.ini; without it the one that nova.conf names, in "
    "/etc/nova or in nova's environment.",
)
@click.option(
    "--config-file",
    "config_files",
    metavar="FILE",
    type=_FILE,
    multiple=True,
    help=f"nova.conf, once for each file; {NOVA_CONF} without it.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    paste: str | None,
    config_files: Sequence[str],
    as_json: bool,
) -> None:
    """Check the set-up; print each point, and its remedy.

    Run it as nova-api's user, in nova-api's environment. The exit code is
    1 if a point is wrong.

    \b
    sudo -u nova nova-profiler check
    """
    points = []
    if not config_files:
        if os.path.exists(NOVA_CONF):
            config_files = (NOVA_CONF,)
        else:
            points.append(_NO_NOVA_CONF)
    conf, defaults, configured = read_nova_conf(config_files)
    path = paste or nova_paste_file(configured, sys.prefix)
    points += _points(path, conf, defaults)
    if as_json:
        click.echo(json.dumps([one._asdict() for one in points], indent=2))
    else:
        print_points(points)
    if any(one.state == WRONG for one in points):
        ctx.exit(1)


def _points(
    path: str, conf: cfg.ConfigOpts, defaults: set[str]
) -> Iterator[Point]:
    try:
        sections = sections_of(path)
    except FileError as exc:
        raise NovaProfilerError(f"{path}: {exc}") from None
    ours = filters_of(sections)
    yield section_point(path, sections, ours)
    yield from pipeline_points(sections, ours)
    yield oslo_point(path)
    know_references(conf, defaults)
    for name in ours:
        is_by_us = is_made_by_us(sections[f"{FILTER}{name}"])
        yield from _filter_points(path, name, conf, is_by_us)
    without_filter = _without_filter_section(path)
    for local_conf in without_filter:
        global_conf = {"__file__": os.path.abspath(path)}
        yield from _settings_points(global_conf, conf, local_conf)
    if not ours and not without_filter:
        yield from _settings_points({}, conf, {})


def _without_filter_section(path: str) -> list[dict[str, str]]:
    """Return the options of our filters that no [filter:] of *path* has.

    Those of filter-app: and of other files.
    """
    try:
        found = paste_sections(path).options
    except ConfigError:
        # oslo_point() has a point for that.
        return []
    here = os.path.abspath(path)
    return [
        options
        for place, options in found.items()
        if place.section
        and not (place.path == here and place.section.startswith(FILTER))
    ]


def _filter_points(
    path: str, name: str, conf: cfg.ConfigOpts, is_by_us: bool
) -> Iterator[Point]:
    try:
        # paste cannot open a relative path.
        context = loadwsgi.loadcontext(
            loadwsgi.FILTER,
            f"config:{os.path.abspath(path)}",
            name=name,
        )
    except Exception as exc:
        found = f"[filter:{name}] cannot be loaded: {_line_of(exc)}"
        yield Point(WRONG, "factory", found, load_remedy(name, exc))
        return
    # A section may `use =` another section, which is ours.
    if not is_by_us and context.object is not filter_factory:
        found = f"[filter:{name}] is another filter's: this one never runs"
        yield Point(WRONG, "factory", found, right_section(name))
        return
    yield Point(OK, "factory", f"[filter:{name}] can be imported")
    global_conf = {**context.global_conf, "__file__": os.path.abspath(path)}
    yield from _settings_points(global_conf, conf, context.local_conf)


def _settings_points(
    global_conf: dict[str, str],
    conf: cfg.ConfigOpts,
    local_conf: dict[str, str],
) -> Iterator[Point]:
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
    yield from _hook_points(settings)
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
    yield _statsd_point(settings)
    yield dump_dir_point(settings.dump_dir)
    yield log_file_point(
        settings.log_file,
        own_descriptor(settings.log_file) if settings.log_file else None,
    )


def _statsd_point(settings: Settings) -> Point:
    if not settings.statsd_host:
        return statsd_point(None, settings.statsd_port)
    address = address_of(settings.statsd_host)
    if address.path is not None:
        return statsd_socket_point(address.path, socket_name(address.path))
    return statsd_point(address.host, address.port or settings.statsd_port)


def _trouble_with(settings: Settings) -> tuple[str | None, str | None]:
    """Return why the profiler cannot work here, or why it may not.

    Both are None if it can.
    """
    try:
        check_engine(settings.profiler)
    except ConfigError as exc:
        return str(exc).removeprefix("nova_profiler: "), None
    if settings.profiler != "pyspy":
        return None, None
    program = find_pyspy() or "py-spy"
    user = user_of_workers(settings.dump_dir)
    as_user = None if user is None else self_test.User(*user)
    problem = self_test.problem_with(program, user=as_user)
    if problem is None and settings.profiler_dumpable:
        problem = self_test.problem_with(
            program, user=as_user, changed=True, dumpable=True
        )
        return problem, None
    workers = pids_of_workers(settings.dump_dir)
    changed = [pid for pid in workers if has_changed_user(pid)]
    if problem is None and changed:
        problem = f"the worker with pid {changed[0]} {CHANGED_USER}"
    if problem is not None or workers:
        return problem, None
    return None, doubt_of_user(
        as_user.name if as_user else user_name(os.geteuid())
    )


def _hook_points(settings: Settings) -> Iterator[Point]:
    try:
        with warnings.catch_warnings():
            # Warnings of nova's own imports are in nova's log.
            warnings.simplefilter("ignore")
            undo = install_hooks(settings)
    except Exception as exc:
        found = _line_of(exc)
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
        yield db_api_point(settings.db_api_modules)


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


def _line_of(exc: Exception) -> str:
    if isinstance(exc, configparser.Error):
        # Its text has the value, which may be a password.
        section, option = (
            getattr(exc, name, None) for name in ("section", "option")
        )
        place = f"[{section}] {option or ''}".rstrip() if section else ""
        line = line_of(exc)
        found = [place, f"line {line}" if line else ""]
        shown = ", ".join(one for one in found if one)
        return f"{type(exc).__name__}: {shown or 'the file'}"
    return " ".join(f"{type(exc).__name__}: {exc}".split())
