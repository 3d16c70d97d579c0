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

# The same where it is known what for: for Python's own lock, or in line for a
# processor; and time of which only the sum is known.
WAITING_FOR_GIL = "[waiting for the GIL]"
IN_LINE = "[in line for a processor]"
RAN_UNSEEN = "[running between looks]"
WAITED_UNSEEN = "[waiting between looks]"
WAITING_STATES = frozenset({WAITING_FOR_GIL, IN_LINE, WAITED_UNSEEN})

STACKS = "stacks"
PYSPY = "pyspy"
PYINSTRUMENT = "pyinstrument"
CPROFILE = "cprofile"


class EngineFacts(NamedTuple):
    """What both wings know of an engine, a folder of capture/profilers."""

    # For the option's help, after the name.
    meaning: str
    # Milliseconds between two samples by default; 0: the engine decides.
    interval_ms: float = 0.0
    # Its files have the first line of each function.
    has_first_lines: bool = False
    # Its files have a record for each sample.
    has_each_sample: bool = False
    # Its files state of each stack whether its thread ran: no function waits
    # by its name there, and sleep(0) runs.
    has_states: bool = False
    # Too dear to watch every request with.
    is_dear: bool = False
    # The option that its engine() gets besides; none: it gets none.
    takes: str = ""


ENGINES = {
    STACKS: EngineFacts(
        "of every request, read from outside without a stop; those of slow, "
        "failed and chosen ones are kept",
        has_first_lines=True,
        has_states=True,
        takes="profiler_dumpable",
    ),
    PYINSTRUMENT: EngineFacts(
        "samples of chosen requests",
        interval_ms=10.0,
        has_first_lines=True,
        has_each_sample=True,
        is_dear=True,
    ),
    CPROFILE: EngineFacts("every call of chosen requests", is_dear=True),
}
# Engines that are gone, each with the one that has taken its place.
FORMER_ENGINES = {PYSPY: STACKS}
# What is known of all whose files are read.
WRITERS = {**ENGINES, **dict.fromkeys(FORMER_ENGINES, EngineFacts(""))}

CALLS_SUFFIX, SAMPLES_SUFFIX = COMPANION_SUFFIXES
# In a dump's profile, where an engine had no sample of the request though it
# was at work: all that the request did took less than a sample.
NOT_LOOKED = "it did not look in that time"


class ProfileError(NovaProfilerError):
    """A profile cannot be read; the message names it and the reason."""
