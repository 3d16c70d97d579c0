# SPDX-License-Identifier: Apache-2.0
"""Where options come from in another project than nova, and its defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping

from oslo_config import cfg

from nova_profiler.capture.settings.options import (
    GROUP,
    OPTIONS,
    ConfigError,
)
from nova_profiler.projects import NOVA, NOVA_DB_API, project_named

# Names files with a [nova_profiler] group, in place of the project's own.
FILES_VARIABLE = "NOVA_PROFILER_CONFIG"


def conf_of(project: str, environ: Mapping[str, str]) -> cfg.ConfigOpts:
    """Return the configuration that has the options for *project*.

    The files that *environ* names; else what the project has read into
    oslo.config's global configuration; else, where it has one of its own or
    has not been started, the files that it reads. Raises ConfigError.
    """
    named = environ.get(FILES_VARIABLE, "").split(os.pathsep)
    files = [path.strip() for path in named if path.strip()]
    if files:
        return _read(project, files, dirs=[])
    known = project_named(project)
    is_global = known is None or not known.has_own_conf
    if is_global and getattr(cfg.CONF, "project", None):
        return cfg.CONF
    folder = environ.get(known.folder_variable, "").strip() if known else ""
    if folder:
        return _read(project, [os.path.join(folder, f"{project}.conf")])
    return _read(project)


def _read(
    project: str,
    files: list[str] | None = None,
    dirs: list[str] | None = None,
) -> cfg.ConfigOpts:
    """Return *files*, or those of *project* where oslo.config has them."""
    conf = cfg.ConfigOpts()
    try:
        conf(
            [],
            project=project,
            default_config_files=files,
            default_config_dirs=dirs,
        )
    except cfg.ConfigFilesNotFoundError as exc:
        missing = ", ".join(map(str, exc.config_files))
        raise ConfigError(f"{missing}: No such file or directory") from None
    except cfg.ConfigFileParseError as exc:
        # Its text has the line, which may hold a password.
        raise ConfigError(f"{exc.config_file}: cannot be read") from None
    return conf


def use_defaults_of(conf: cfg.ConfigOpts, is_api: bool = True) -> None:
    """Let options of *conf* that are not given be right for its project.

    nova's are those of the options themselves, and so are those of what is
    no project. Only an API has its project's name for a service.
    """
    name = getattr(conf, "project", None)
    if name is None or name == NOVA:
        return
    known = project_named(name)
    conf.register_opts(OPTIONS, group=GROUP)
    if is_api:
        service = known.service if known else str(name)
        conf.set_default("service_name", service, group=GROUP)
    if known and known.db_api:
        modules = [*NOVA_DB_API, *known.db_api]
        conf.set_default("db_api_modules", modules, group=GROUP)
