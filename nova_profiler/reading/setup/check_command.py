# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler check``: whether the set-up is right, with remedies."""

from __future__ import annotations

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
from nova_profiler.capture.profilers.pyspy.permission import find_pyspy
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import ConfigError, Settings
from nova_profiler.factory import (
    check_engine,
    filter_factory,
    install_hooks,
)
from nova_profiler.paste_file import (
    FILTER,
    PasteFileError,
    is_made_by_us,
    sections_of,
)
from nova_profiler.reading.command_line.options import json_option
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.destinations import (
    dump_dir_point,
    log_file_point,
    statsd_point,
)
from nova_profiler.reading.setup.in_the_worker import (
    db_api_point,
    enabled_point,
    hook_remedy,
    missing_point,
    profiler_points,
    sqlalchemy_point,
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
    conf, defaults, configured = _nova_conf(config_files)
    path = paste or nova_paste_file(configured, sys.prefix)
    points += _points(path, conf, defaults)
    if as_json:
        click.echo(json.dumps([one._asdict() for one in points], indent=2))
    else:
        print_points(points)
    if any(one.state == WRONG for one in points):
        ctx.exit(1)


def _nova_conf(
    paths: Sequence[str],
) -> tuple[cfg.ConfigOpts, set[str], str | None]:
    """Return nova.conf, its options in [DEFAULT] and api_paste_config."""
    defaults: set[str] = set()
    configured = None
    for path in paths:
        sections: dict[str, dict[str, list[str]]] = {}
        try:
            cfg.ConfigParser(path, sections).parse()
        except (UnicodeError, cfg.ParseError) as exc:
            lineno = getattr(exc, "lineno", None)
            raise PasteFileError(path, lineno) from None
        defaults |= sections.get("DEFAULT", {}).keys()
        named = sections.get("wsgi", {}).get("api_paste_config")
        configured = named[-1] if named else configured
    conf = cfg.ConfigOpts()
    conf([], project="nova", default_config_files=list(paths))
    return conf, defaults, configured


def _points(
    path: str, conf: cfg.ConfigOpts, defaults: set[str]
) -> Iterator[Point]:
    sections = sections_of(path)
    ours = filters_of(sections)
    yield section_point(path, ours)
    yield from pipeline_points(sections, ours)
    yield _oslo_point(path)
    _know_references(conf, defaults)
    for name in ours:
        is_by_us = is_made_by_us(sections[f"{FILTER}{name}"])
        yield from _filter_points(path, name, conf, is_by_us)
    if not ours:
        yield from _settings_points(path, conf, {})


def _oslo_point(path: str) -> Point:
    """Return whether oslo.config can read the paste file, as nova has it."""
    try:
        cfg.ConfigParser(path, {}).parse()
    except cfg.ParseError as exc:
        found = f"line {exc.lineno} of {path} is not option = value"
        remedy = ("nova reads this file with oslo.config, too: mend the line",)
        return Point(WRONG, "oslo.config", found, remedy)
    except UnicodeError:
        found = f"{path} is not UTF-8"
        remedy = (
            "nova reads this file with oslo.config, too: save it as UTF-8",
        )
        return Point(WRONG, "oslo.config", found, remedy)
    return Point(OK, "oslo.config", f"oslo.config can read {path}")


def _know_references(conf: cfg.ConfigOpts, defaults: set[str]) -> None:
    """Register the options that ``$name`` in a value may stand for."""
    for name in defaults - {"config_file", "config_dir", "config_source"}:
        conf.register_opt(cfg.StrOpt(name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nova.conf import paths

        paths.register_opts(conf)
    except Exception:
        # Without nova, or with nova.conf's own values, these are known now.
        return


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
    yield from _settings_points(path, conf, context.local_conf)


def _settings_points(
    path: str, conf: cfg.ConfigOpts, local_conf: dict[str, str]
) -> Iterator[Point]:
    try:
        live = LiveSettings(conf, {"__file__": path}, local_conf)
    except ConfigError as exc:
        yield Point(WRONG, "options", str(exc), ("mend or remove that line",))
        return
    settings = live.current
    yield Point(OK, "options", "all are known and have valid values")
    yield enabled_point(settings.enabled)
    yield from _hook_points(settings)
    yield sqlalchemy_point(_sqlalchemy_version())
    yield from profiler_points(
        settings.profiler,
        _problem_with(settings.profiler),
        settings.profile_when,
        settings.profile_keys,
        settings.dump_dir,
    )
    yield statsd_point(settings.statsd_host, settings.statsd_port)
    yield dump_dir_point(settings.dump_dir)
    yield log_file_point(settings.log_file)


def _problem_with(profiler: str) -> str | None:
    """Return why *profiler* cannot work here, None if it can."""
    try:
        check_engine(profiler)
    except ConfigError as exc:
        return str(exc).removeprefix("nova_profiler: ")
    if profiler == "pyspy":
        return self_test.problem_with(find_pyspy() or "py-spy")
    return None


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
    return " ".join(f"{type(exc).__name__}: {exc}".split())
