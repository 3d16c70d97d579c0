# SPDX-License-Identifier: Apache-2.0
"""Whether ``nova_profiler.wsgi`` finds the application that it is to wrap."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

from nova_profiler.capture.served.named_application import (
    OURS,
    VARIABLE,
    Named,
)
from nova_profiler.reading.setup import OK, WRONG, Point


def application_point(named: Named) -> Point:
    """Return whether the module of *named* is in this environment.

    It is looked for, and not imported: that would start the service.
    """
    shown = f"{named.module}:{named.path}"
    if _is_there(named.module):
        found = f"{shown} is there; a server loads {OURS}:application"
        return Point(OK, "application", found)
    return Point(
        WRONG,
        "application",
        f"{VARIABLE}: there is no module {named.module} here",
        (f"run this with the Python of {named.project}, or mend the name",),
    )


def _is_there(module: str) -> bool:
    """Return whether *module* can be imported, as far as places go.

    Its packages are not imported either: some start the service themselves.
    """
    places = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = _spec_of(name, places)
        if spec is None:
            return False
        # None, where it is no package: nothing is found below.
        places = spec.submodule_search_locations or []
    return True


def _spec_of(name: str, places: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, places)
        if spec is not None:
            return spec
    return None
