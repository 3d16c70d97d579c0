# SPDX-License-Identifier: Apache-2.0
"""The files that nova-api reads: nova.conf and api-paste.ini."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

_PIPELINE = re.compile(r"^((?:keystone|noauth2|pipeline)\s*=\s*)", re.M)
_KEYSTONE = "keystonemiddleware.auth_token:filter_factory"
_TOKEN_CHECK = "demo.server.token_check:filter_factory"
DROP_IN = "nova_profiler.conf"
_FACTORY = "nova_profiler.factory:filter_factory"


def nova_paste() -> Path:
    """Return the api-paste.ini that nova's package installed."""
    return Path(sys.prefix, "etc", "nova", "api-paste.ini")


def with_token_check(paste: str) -> str:
    """Return api-paste.ini with the demo's filter in keystone's place."""
    if _KEYSTONE not in paste:
        raise ValueError("nova's api-paste.ini has no filter of keystone")
    return paste.replace(_KEYSTONE, _TOKEN_CHECK)


def with_profiler(paste: str, options: Mapping[str, str] | None = None) -> str:
    """Return api-paste.ini with nova-profiler first in every pipeline."""
    lines = [
        "",
        "[filter:nova_profiler]",
        f"paste.filter_factory = {_FACTORY}",
        *(f"{name} = {value}" for name, value in (options or {}).items()),
        "",
    ]
    return _PIPELINE.sub(r"\1nova_profiler ", paste) + "\n".join(lines)


def nova_conf_text(
    directory: Path,
    databases: Mapping[str, str],
    neutron_url: str,
    profiler: Mapping[str, str] | None = None,
) -> str:
    """Return a nova.conf for nova-api alone, its files in *directory*.

    *databases* are the URLs of ``api`` and ``cell0``; *profiler* fills the
    group [nova_profiler].
    """
    groups: dict[str, Mapping[str, str]] = {
        "DEFAULT": {
            "host": "demo-api",
            "state_path": str(directory),
            "log_file": str(directory / "nova-api.log"),
            # Casts go nowhere and nothing answers a call.
            "transport_url": "fake://",
        },
        "api_database": {"connection": databases["api"]},
        # As in a deployed nova-api: the cell mappings lead to the others.
        "database": {"connection": databases["cell0"]},
        "oslo_concurrency": {"lock_path": str(directory / "locks")},
        "neutron": {"endpoint_override": neutron_url, "auth_type": "none"},
        "glance": {"api_servers": neutron_url},
        # Benchmarks create more servers than the default allows.
        "quota": dict.fromkeys(("instances", "cores", "ram"), "-1"),
        "cache": {"enabled": "false"},
        "oslo_messaging_notifications": {"driver": "noop"},
        "nova_profiler": profiler or {},
    }
    return conf_text(groups)


def conf_text(groups: Mapping[str, Mapping[str, str]]) -> str:
    """Return the text of a file for oslo.config."""
    lines = []
    for group, options in groups.items():
        lines.append(f"[{group}]")
        # $ would start a reference to another option.
        lines += [
            f"{name} = {value.replace('$', '$$')}"
            for name, value in options.items()
        ]
    return "\n".join(lines) + "\n"


def environment(directory: Path, mode: str) -> dict[str, str]:
    """Return the variables that lead nova.wsgi.osapi_compute to the files."""
    # nova takes the first file for paste's.
    files = ["api-paste.ini", "nova.conf"]
    if (directory / DROP_IN).exists():
        files.append(DROP_IN)
    return {
        "OS_NOVA_CONFIG_DIR": str(directory),
        "OS_NOVA_CONFIG_FILES": ";".join(files),
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": (
            "false" if mode == "eventlet" else "true"
        ),
    }
