# SPDX-License-Identifier: Apache-2.0
"""The base of our errors, each of which a person can put right."""

from __future__ import annotations

import os


class NovaProfilerError(Exception):
    """One line with the place, what was found, and what to do.

    The command line prints it and exits with 2. Each folder has its own
    subclasses, so that a caller can skip one file and go on.
    """


def missing_extra(what: str, extra: str) -> NovaProfilerError:
    """Return the error for *what* that needs a package of *extra*."""
    return NovaProfilerError(f"{what}: pip install 'nova-profiler[{extra}]'")


SEE_CHECK = "; see nova-profiler check"


def with_path(
    error: OSError, path: str | os.PathLike[str], remedy: str = SEE_CHECK
) -> OSError:
    """Return *error* with *path*, which an operator chose, in its reason."""
    reason = error.strerror or type(error).__name__
    return OSError(error.errno, f"{reason}: {os.fspath(path)}{remedy}")
