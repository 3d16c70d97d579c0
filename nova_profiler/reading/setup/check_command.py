# SPDX-License-Identifier: Apache-2.0
"""``nova-profiler check``: whether the set-up is right, with remedies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

import click
from oslo_config import cfg
from paste.deploy import loadwsgi

from nova_profiler.capture.served.named_application import VARIABLE, named_in
from nova_profiler.capture.settings.files import paste_sections
from nova_profiler.capture.settings.options import ConfigError
from nova_profiler.capture.settings.project_conf import conf_of
from nova_profiler.command_name import command_name
from nova_profiler.errors import NovaProfilerError
from nova_profiler.factory import filter_factory
from nova_profiler.paste_file import (
    FILTER,
    Sections,
    is_made_by_us,
    sections_of,
)
from nova_profiler.projects import NOVA
from nova_profiler.reading.command_line.answers import (
    GATE_FOUND,
    print_json,
)
from nova_profiler.reading.command_line.options import json_option
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.nova_conf import (
    know_references,
    options_of,
    oslo_point,
    own_options_alone,
    read_nova_conf,
)
from nova_profiler.reading.setup.page import figures_of, print_points
from nova_profiler.reading.setup.pipelines import (
    filters_of,
    load_remedy,
    nova_paste_file,
    pipeline_points,
    right_section,
    section_point,
)
from nova_profiler.reading.setup.project import (
    ETC,
    conf_file_of,
    project_of,
    project_point,
)
from nova_profiler.reading.setup.services import FILTER as FILTER_WAY
from nova_profiler.reading.setup.services import Service
from nova_profiler.reading.setup.services.configuration import files_read
from nova_profiler.reading.setup.services.finding import services_of
from nova_profiler.reading.setup.services.points import service_points
from nova_profiler.reading.setup.services.processes import processes
from nova_profiler.reading.setup.settings_points import (
    fault_in,
    settings_points,
)
from nova_profiler.reading.setup.wsgi_application import application_point
from nova_profiler.trust.files import FileError
from nova_profiler.trust.folders import is_in_safe_hands

_FILE = click.Path(exists=True, dir_okay=False, readable=True)
_FOLDER = click.Path(exists=True, file_okay=False, readable=True)


@click.command("check")
@click.option(
    "--paste",
    metavar="FILE",
    type=_FILE,
    help="nova's api-paste.ini, or another project's; without it the one "
    "that nova.conf names, in /etc/nova or in nova's environment.",
)
@click.option(
    "--config-file",
    "config_files",
    metavar="FILE",
    type=_FILE,
    multiple=True,
    help=f"nova.conf, once for each file; {conf_file_of(NOVA)} without it; "
    "the configuration of the paste file's project, if that is another's.",
)
@click.option(
    "--application",
    metavar="MODULE:NAME",
    envvar=VARIABLE,
    help=f"What nova_profiler.wsgi wraps, instead of a paste file; {VARIABLE} "
    "of the environment without it.",
)
@click.option(
    "--etc",
    metavar="DIR",
    type=_FOLDER,
    help="Folder with nova/, placement/ and so on, of this host's containers "
    f"or of another host; {ETC} without it. Processes are not looked at then.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    paste: str | None,
    config_files: Sequence[str],
    application: str | None,
    etc: str | None,
    as_json: bool,
) -> None:
    """Check the set-up; print each point, and its remedy.

    Points are of the services of this host: which are switched on, and by
    what; of the filter; of the options of Nova. First come those that are
    wrong, and how many there are. With --paste,
    --config-file or --application only these are checked. Run it as the
    service's user or as root, in the service's environment. The exit code
    is 1 if a point is wrong.

    \b
    sudo -u nova nova-profiler check
    """
    services = []
    if etc or not (paste or config_files or application):
        running = [] if etc else list(processes())
        services = services_of(etc or ETC, running, options_of, sys.prefix)
    points = list(service_points(services, etc or ETC))
    if application and not paste:
        points += _application_points(application, config_files)
    elif paste or config_files or not services or _has_api(services):
        points += _paste_points(paste, config_files, etc)
    else:
        points += _options_points(services, is_ours=not etc)
    if as_json:
        print_json(figures_of(points, services))
    else:
        print_points(points)
    if any(one.state == WRONG for one in points):
        ctx.exit(GATE_FOUND)


def _application_points(
    name: str, config_files: Sequence[str]
) -> Iterator[Point]:
    """Yield the points of what has no paste file."""
    try:
        named = named_in({VARIABLE: name})
        if config_files:
            conf, *_ = read_nova_conf(config_files, named.project)
        else:
            conf = conf_of(named.project, os.environ)
    except ConfigError as exc:
        yield Point(WRONG, "application", str(exc))
        return
    yield application_point(named)
    yield project_point(named.project)
    yield from settings_points({}, conf, {})


def _has_api(services: Sequence[Service]) -> bool:
    """Return whether one of Nova's APIs is among *services*."""
    return any(
        one.kind.project == NOVA and one.kind.way == FILTER_WAY
        for one in services
    )


def _options_points(
    services: Sequence[Service], is_ours: bool
) -> Iterator[Point]:
    """Yield the points of the options of Nova's services but its APIs.

    Those of the first that is on stand for all: what they differ in is mostly
    no option of ours.
    """
    novas = [one for one in services if one.kind.project == NOVA]
    for one in sorted(novas, key=lambda one: not one.by)[:1]:
        files = [path for path in one.files if path not in one.unreadable]
        # For root these may be files of any user, for any process.
        is_ours = is_ours and all(map(_is_of_this_host, files))
        if not is_ours:
            files, refused = own_options_alone(files)
            yield from refused
        conf, defaults, _ = read_nova_conf(files, with_folders=False)
        know_references(conf, defaults)
        yield from settings_points({}, conf, {}, is_ours)


def _is_of_this_host(path: str) -> bool:
    """Return whether what *path* names may be tried here.

    Not of a container, and not where other users may write to it.
    """
    try:
        return not path.startswith("/proc/") and is_in_safe_hands(path)
    except OSError:
        return False


def _paste_points(
    paste: str | None, config_files: Sequence[str], etc: str | None
) -> Iterator[Point]:
    """Yield the points of nova, or of the project of the file *paste*.

    Raises NovaProfilerError for a file that is not there or cannot be read.
    """
    project = project_of(_sections_of(paste)) if paste else NOVA
    usual = conf_file_of(project, etc or ETC)
    if not config_files and etc:
        config_files = files_read(etc, project, project)
    elif not config_files and os.path.exists(usual):
        config_files = (usual,)
    if not config_files:
        yield Point(
            WARNING,
            f"{project}.conf",
            f"{usual} is not there: defaults and the paste file's options "
            "hold",
            (f"{command_name()} check --config-file {project.upper()}_CONF",),
        )
    if etc:
        config_files, refused = own_options_alone(config_files)
        yield from refused
    conf, defaults, configured = read_nova_conf(config_files, project, not etc)
    path = paste or nova_paste_file(configured, sys.prefix, etc or ETC)
    if project != NOVA:
        yield project_point(project)
    yield from _points(path, conf, defaults, is_ours=not etc)


def _sections_of(path: str) -> Sections:
    try:
        return sections_of(path)
    except FileError as exc:
        raise NovaProfilerError(f"{path}: {exc}") from None


def _points(
    path: str, conf: cfg.ConfigOpts, defaults: set[str], is_ours: bool
) -> Iterator[Point]:
    sections = _sections_of(path)
    ours = filters_of(sections)
    yield section_point(path, sections, ours)
    yield from pipeline_points(sections, ours)
    yield oslo_point(path)
    know_references(conf, defaults)
    for name in ours if is_ours else ():
        is_by_us = is_made_by_us(sections[f"{FILTER}{name}"])
        yield from _filter_points(path, name, conf, is_by_us)
    if ours and not is_ours:
        # To load a section is to import what it names.
        yield Point(OK, "factory", "not tried: another host's or user's")
    others = _unloaded_sections(path, with_filters=not is_ours)
    for local_conf in others:
        global_conf = {"__file__": os.path.abspath(path)}
        yield from settings_points(global_conf, conf, local_conf, is_ours)
    if not others and not (ours and is_ours):
        yield from settings_points({}, conf, {}, is_ours)


def _unloaded_sections(path: str, with_filters: bool) -> list[dict[str, str]]:
    """Return the options of our filters that no [filter:] of *path* has.

    Those of filter-app: and of other files; *with_filters* all of them.
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
        and (
            with_filters
            or place.path != here
            or not place.section.startswith(FILTER)
        )
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
        found = f"[filter:{name}] cannot be loaded: {fault_in(exc)}"
        yield Point(WRONG, "factory", found, load_remedy(name, exc))
        return
    # A section may `use =` another section, which is ours.
    if not is_by_us and context.object is not filter_factory:
        found = f"[filter:{name}] is another filter's: this one never runs"
        yield Point(WRONG, "factory", found, right_section(name))
        return
    yield Point(OK, "factory", f"[filter:{name}] can be imported")
    global_conf = {**context.global_conf, "__file__": os.path.abspath(path)}
    yield from settings_points(global_conf, conf, context.local_conf)
