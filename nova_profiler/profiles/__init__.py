# SPDX-License-Identifier: Apache-2.0
"""Profiles of requests read back: function tables, stacks, hot paths.

Two kinds of file lie beside a dump. A ``.prof`` is what pstats loads: every
function with its calls, its times and its callers, but no stacks. A
``.pyisession`` is a session of pyinstrument: samples, each a whole stack.
Both may come from anywhere; reading one never runs or trusts what is in it.
"""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.dump_store.names import COMPANION_SUFFIXES
from nova_profiler.errors import NovaProfilerError

# The innermost frame of a sample in which the thread was not running: an
# identifier without file and line. The frame above it is what waited.
WAITING = "[waiting]"

# pyinstrument's own innermost frames for time that was not the request's.
ELSEWHERE = frozenset({"[await]", "[out-of-context]"})

PYSPY = "pyspy"
PYINSTRUMENT = "pyinstrument"
CPROFILE = "cprofile"


class EngineFacts(NamedTuple):
    """What both wings know of an engine, a folder of capture/profilers."""

    # For the option's help, after the name.
    meaning: str
    # Milliseconds between two samples by default; 0: the engine decides.
    interval_ms: float = 0.0
    # Its files have a record for each sample, with the first line of each
    # function and not the line that ran.
    has_first_lines: bool = False
    # Too dear to watch every request with.
    is_dear: bool = False
    # The option that its engine() gets besides; none: it gets none.
    takes: str = ""


ENGINES = {
    PYSPY: EngineFacts(
        "of every request, from outside; those of slow, failed and chosen "
        "ones are kept",
        takes="profiler_dumpable",
    ),
    PYINSTRUMENT: EngineFacts(
        "samples of chosen requests",
        interval_ms=10.0,
        has_first_lines=True,
        is_dear=True,
    ),
    CPROFILE: EngineFacts("every call of chosen requests", is_dear=True),
}

CALLS_SUFFIX, SAMPLES_SUFFIX = COMPANION_SUFFIXES
# In a dump's profile, where py-spy had no sample of the request though it was
# at work: all that the request did took less than a sample.
NOT_LOOKED = "it did not look in that time"


class ProfileError(NovaProfilerError):
    """A profile cannot be read; the message names it and the reason."""
