# SPDX-License-Identifier: Apache-2.0
"""The name of a service, where no option gives one."""

from __future__ import annotations

import re
from typing import Any

# nova-compute, cinder-volume, neutron-server.
_BINARY = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+){1,4}", re.ASCII)
_PROJECT = re.compile(r"[a-z][a-z0-9]*", re.ASCII)
_LONGEST = 40


def service_name_of(conf: Any, default: str) -> str:
    """Return the name of the program that read *conf*, or of its project.

    oslo.config has both: ``nova-conductor`` from the command line, ``nova``.
    *default* where it has neither.
    """
    try:
        names = conf.prog, conf.project
    except Exception:
        # Options that no program has read.
        return default
    for name, form in zip(names, (_BINARY, _PROJECT), strict=True):
        if (
            isinstance(name, str)
            and len(name) <= _LONGEST
            and form.fullmatch(name)
        ):
            return name
    return default
