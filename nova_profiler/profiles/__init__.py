# SPDX-License-Identifier: Apache-2.0
"""Profiles of requests read back: function tables, stacks, hot paths.

Two kinds of file lie beside a dump. A ``.prof`` is what pstats loads: every
function with its calls, its times and who called it, but no stacks. A
``.pyisession`` is a session of pyinstrument: samples, each a whole stack.
Both may come from anywhere; reading one never runs or trusts what it says.
"""

from __future__ import annotations

from nova_profiler.errors import NovaProfilerError

# The innermost frame of a sample in which the thread was not running: an
# identifier without file and line. What is above it is who waited.
WAITING = "[waiting]"

# pyinstrument's own innermost frames for time that was not the request's.
ELSEWHERE = frozenset({"[await]", "[out-of-context]"})

PYSPY = "pyspy"
PYINSTRUMENT = "pyinstrument"
CPROFILE = "cprofile"
ENGINES = (PYSPY, PYINSTRUMENT, CPROFILE)

CALLS_SUFFIX = ".prof"
SAMPLES_SUFFIX = ".pyisession"

# What a dump's profile says of a request that py-spy had no sample of,
# though it was at work: all that the request did took less than a sample.
NOT_LOOKED = "it did not look in that time"


class ProfileError(NovaProfilerError):
    """A profile cannot be read; the message says which and why."""
