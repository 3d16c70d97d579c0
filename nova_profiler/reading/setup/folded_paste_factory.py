# SPDX-License-Identifier: Apache-2.0
"""What to do about a filter's section that paste cannot load."""

from __future__ import annotations

import configparser
from importlib.metadata import PackageNotFoundError

from nova_profiler.reading.setup.pipelines import MAKER

_INSTALL = "pip install nova-profiler, in nova-api's environment"


def right_section(name: str) -> tuple[str, ...]:
    """Return the section of the filter *name*, ready to paste."""
    return (f"[filter:{name}]", MAKER)


def load_remedy(name: str, exc: Exception) -> tuple[str, ...]:
    """Return what helps where loading the filter *name* raised *exc*."""
    if isinstance(exc, configparser.DuplicateSectionError):
        return (
            f"take one of the two [{exc.section}] out of the file; the "
            f"second is in line {exc.lineno}",
        )
    if isinstance(exc, configparser.DuplicateOptionError):
        return (
            f"take one of the two {exc.option} out of [{exc.section}]; the "
            f"second is in line {exc.lineno}",
        )
    if isinstance(exc, configparser.InterpolationError):
        return (
            f"mend {exc.option} in [{exc.section}]; a % that stands for "
            "itself is written %%",
        )
    if isinstance(exc, PackageNotFoundError) and exc.name == "nova-profiler":
        # `use = egg:...` asks pip's records, which a mere path has not.
        return (_INSTALL, "or, in place of use =", *right_section(name))
    return right_section(name)
