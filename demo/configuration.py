# SPDX-License-Identifier: Apache-2.0
"""The files that nova-api reads: nova.conf and api-paste.ini."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

_PIPELINE = re.compile(r"^((?:keystone|noauth2|pipeline)\s*=\s*)", re.M)
_FILTER = """
[filter:nova_profiler]
paste.filter_factory = nova_profiler.factory:filter_factory
"""


def nova_paste() -> Path:
    """Return the api-paste.ini that nova's package installed."""
    return Path(sys.prefix, "etc", "nova", "api-paste.ini")


def paste_text(original: str, with_filter: bool) -> str:
    """Return nova's api-paste.ini with keystone's filter stood in for.

    *with_filter* puts nova-profiler first in every pipeline.
    """
    keystone = "keystonemiddleware.auth_token:filter_factory"
    if keystone not in original:
        raise ValueError("nova's api-paste.ini has no authtoken filter")
    text = original.replace(keystone, "demo.token_check:filter_factory")
    if with_filter:
        text = _PIPELINE.sub(r"\1nova_profiler ", text) + _FILTER
    return text


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
        "cache": {"enabled": "false"},
        "oslo_messaging_notifications": {"driver": "noop"},
        "nova_profiler": profiler or {},
    }
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
    return {
        "OS_NOVA_CONFIG_DIR": str(directory),
        # nova takes the first file for paste's.
        "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf",
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": (
            "false" if mode == "eventlet" else "true"
        ),
    }
