# SPDX-License-Identifier: Apache-2.0
"""What a profile answers, of counted calls or of samples."""

from __future__ import annotations

from typing import NamedTuple

from nova_profiler.profiles.functions import Function

CALLS = "calls"
SAMPLES = "samples"

# A function with at least this share holds most of the time.
MOST = 0.5


class Row(NamedTuple):
    """A function over the whole profile, its waiting left out.

    ``number`` is of calls, or of samples that had it on the stack.
    ``primitive`` are the calls that were not made from within itself,
    ``self_number`` the samples that had it on top; of calls there is no
    such number.
    """

    function: Function
    number: int
    primitive: int
    self_s: float
    total_s: float
    self_number: float | None = None


class Wait(NamedTuple):
    """Time without work: the function that waited, and its caller.

    ``line`` is the one in the caller where most of it was.
    """

    function: Function
    caller: Function | None
    number: int
    seconds: float
    line: int | None = None


class Step(NamedTuple):
    """A function on the hot path; ``line`` is where most of it was spent."""

    function: Function
    line: int | None
    total_s: float
    share: float
