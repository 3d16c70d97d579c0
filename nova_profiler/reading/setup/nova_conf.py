# SPDX-License-Identifier: Apache-2.0
"""nova.conf as check reads it, and whether nova can read the paste file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from oslo_config import cfg

from nova_profiler.capture.settings.files import (
    OsloSections,
    oslo_sections_of,
)
from nova_profiler.errors import NovaProfilerError
from nova_profiler.paste_file import PasteFileError, is_of_paste
from nova_profiler.projects import NOVA
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.trust.files import FileError


def options_of(path: str) -> OsloSections:
    """Return the sections of the file at *path* as oslo.config reads them.

    Raises OSError, or NovaProfilerError for what is no such file.
    """
    try:
        return oslo_sections_of(path)
    except FileError as exc:
        raise NovaProfilerError(f"{path}: {exc}") from None
    except (UnicodeError, cfg.ParseError) as exc:
        lineno = getattr(exc, "lineno", None)
        raise PasteFileError(path, lineno) from None


def read_nova_conf(
    paths: Sequence[str],
    project: str = NOVA,
    with_folders: bool = True,
) -> tuple[cfg.ConfigOpts, set[str], str | None]:
    """Return nova.conf, its options in [DEFAULT] and api_paste_config.

    So it is with the files of another *project*. With *with_folders* it has
    the drop-ins of this host as well, as the service has. Raises
    NovaProfilerError for what is no such file.
    """
    defaults: set[str] = set()
    configured = None
    for path in paths:
        sections = options_of(path)
        if any(map(is_of_paste, sections)):
            raise NovaProfilerError(
                f"{path} is a paste file: give it as --paste, and nova.conf "
                f"as --config-file"
            )
        defaults |= sections.get("DEFAULT", {}).keys()
        named = sections.get("wsgi", {}).get("api_paste_config")
        configured = named[-1] if named else configured
    conf = cfg.ConfigOpts()
    conf(
        [],
        project=project,
        default_config_files=list(paths),
        default_config_dirs=None if with_folders else [],
    )
    return conf, defaults, configured


def own_options_alone(
    paths: Sequence[str],
) -> tuple[list[str], list[Point]]:
    """Return those of *paths* that name no further source of options.

    And a point for each other one: oslo.config would ask another machine,
    at an address in the file. What cannot be read is kept.
    """
    kept = []
    points = []
    for path in paths:
        try:
            sections = options_of(path)
        except (OSError, NovaProfilerError):
            sections = {}
        # oslo.config takes the name of this section in any case.
        names = [
            option.strip().lower().replace("-", "_")
            for section, options in sections.items()
            if section.strip().upper() == "DEFAULT"
            for option in options
        ]
        if "config_source" not in names:
            kept.append(path)
            continue
        found = (
            f"{path} names another source, which is not asked: what this file "
            "says is not tried"
        )
        remedy = ("run this on the file's host, as its user, without --etc",)
        points.append(Point(WARNING, "config_source", found, remedy))
    return kept, points


def oslo_point(path: str) -> Point:
    """Return whether oslo.config can read the paste file, as nova has it."""
    try:
        oslo_sections_of(path)
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


def know_references(conf: cfg.ConfigOpts, defaults: set[str]) -> None:
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
