# SPDX-License-Identifier: Apache-2.0
"""The WSGI application that the environment names, loaded by that name."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from nova_profiler.capture.settings.options import ConfigError

VARIABLE = "NOVA_PROFILER_APPLICATION"
# The module that reads it.
OURS = "nova_profiler.wsgi"

_EXPECTED = "expected module:callable, as in placement.wsgi.api:application"
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_NAME = re.compile(rf"({_DOTTED}):({_DOTTED})(\(\))?")


class Named(NamedTuple):
    """A name in its parts."""

    module: str
    path: str
    # Whether what it names is called, without arguments, for the application.
    is_factory: bool

    @property
    def project(self) -> str:
        """Return the package that it is of."""
        return self.module.partition(".")[0]


def named_in(environ: Mapping[str, str]) -> Named:
    """Return the name that *environ* has; raises ConfigError."""
    text = environ.get(VARIABLE, "").strip()
    if not text:
        raise ConfigError(f"{VARIABLE} is not set: {_EXPECTED}")
    found = _NAME.fullmatch(text)
    if found is None:
        raise ConfigError(f"{VARIABLE} = {text[:200]!r}: {_EXPECTED}")
    if found[1] == OURS:
        raise ConfigError(f"{VARIABLE} = {text!r} is nova-profiler itself")
    return Named(found[1], found[2], bool(found[3]))


def loaded(name: Named) -> Any:
    """Return the application called *name*.

    What its import raises passes on as it is, as if a server had loaded it.
    Raises ConfigError for what is no WSGI application.
    """
    found = importlib.import_module(name.module)
    for part in name.path.split("."):
        found = getattr(found, part)
    if name.is_factory:
        found = found()  # type: ignore[operator]  # or raises
    shown = f"{VARIABLE}: {name.module}:{name.path}"
    if not callable(found):
        kind = type(found).__name__
        raise ConfigError(f"{shown} is of type {kind}: {_EXPECTED}")
    if _makes_one(found):
        raise ConfigError(
            f"{shown} takes no request; if it makes the application, append ()"
        )
    return found


def _makes_one(found: Any) -> bool:
    """Return whether *found* can be called without a request, and only so."""
    try:
        signature = inspect.signature(found, follow_wrapped=False)
        signature.bind()
    except (TypeError, ValueError):
        return False
    try:
        signature.bind({}, None)
    except TypeError:
        return True
    return False
