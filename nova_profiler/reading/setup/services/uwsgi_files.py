# SPDX-License-Identifier: Apache-2.0
"""What uWSGI's ini files serve, and whether our application is around it."""

from __future__ import annotations

import os
from typing import NamedTuple

from nova_profiler.errors import NovaProfilerError
from nova_profiler.trust.files import read_regular

OURS = "nova_profiler.wsgi:application"
_NAMED = "NOVA_PROFILER_APPLICATION="


class UwsgiFile(NamedTuple):
    """One file of uWSGI: what it serves, and with which environment."""

    path: str
    application: str
    is_wrapped: bool
    venv: str


def uwsgi_file(path: str) -> UwsgiFile | None:
    """Return what the file at *path* serves; None if it is not uWSGI's.

    Raises OSError.
    """
    try:
        text = read_regular(path, largest=1_000_000).decode("utf-8", "replace")
    except NovaProfilerError:
        return None
    inside = False
    values: dict[str, str] = {}
    named = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped == "[uwsgi]"
        elif inside and "=" in stripped and stripped[0] not in ";#":
            key, _, value = (part.strip() for part in stripped.partition("="))
            if key == "env" and value.startswith(_NAMED):
                named = value.removeprefix(_NAMED)
            values[key] = value
    served = values.get("module") or values.get("wsgi") or ""
    if not served and "wsgi-file" in values:
        served = os.path.basename(values["wsgi-file"])
    if not served:
        return None
    venv = next(
        (
            values[key]
            for key in ("virtualenv", "venv", "home", "pyhome")
            if key in values
        ),
        "",
    )
    is_wrapped = served == OURS
    return UwsgiFile(path, named if is_wrapped else served, is_wrapped, venv)
