# SPDX-License-Identifier: Apache-2.0
"""nova.conf as check reads it, and whether nova can read the paste file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from oslo_config import cfg

from nova_profiler.capture.settings.files import oslo_sections_of
from nova_profiler.errors import NovaProfilerError
from nova_profiler.paste_file import PasteFileError
from nova_profiler.reading.setup import OK, WRONG, Point
from nova_profiler.untrusted_files import FileError


def read_nova_conf(
    paths: Sequence[str],
) -> tuple[cfg.ConfigOpts, set[str], str | None]:
    """Return nova.conf, its options in [DEFAULT] and api_paste_config."""
    defaults: set[str] = set()
    configured = None
    for path in paths:
        try:
            sections = oslo_sections_of(path)
        except FileError as exc:
            raise NovaProfilerError(f"{path}: {exc}") from None
        except (UnicodeError, cfg.ParseError) as exc:
            lineno = getattr(exc, "lineno", None)
            raise PasteFileError(path, lineno) from None
        defaults |= sections.get("DEFAULT", {}).keys()
        named = sections.get("wsgi", {}).get("api_paste_config")
        configured = named[-1] if named else configured
    conf = cfg.ConfigOpts()
    conf([], project="nova", default_config_files=list(paths))
    return conf, defaults, configured


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
