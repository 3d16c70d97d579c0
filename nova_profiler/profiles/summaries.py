# SPDX-License-Identifier: Apache-2.0
"""What readers ask of a profile, of counted calls or of samples."""

from __future__ import annotations

from typing import NamedTuple, Protocol

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
    """Time without work: the function that waited, and its caller."""

    function: Function
    caller: Function | None
    number: int
    seconds: float


class Step(NamedTuple):
    """A function on the hot path; ``line`` is where most of it was spent."""

    function: Function
    line: int | None
    total_s: float
    share: float


class Profile(Protocol):
    """One profile, or many added up."""

    @property
    def engine(self) -> str:
        """Return what made it."""

    @property
    def kind(self) -> str:
        """Return CALLS or SAMPLES."""

    @property
    def profiles(self) -> int:
        """Return how many were added up."""

    @property
    def number(self) -> int:
        """Return how many calls or samples there are."""

    @property
    def busy_number(self) -> float:
        """Return how many of these were at work."""

    @property
    def sample_s(self) -> float:
        """Return what a sample stands for in the mean, 0 of calls."""

    @property
    def busy_s(self) -> float:
        """Return the time at work."""

    @property
    def waiting_s(self) -> float:
        """Return the time in which a thread only waited."""

    @property
    def elsewhere_s(self) -> float:
        """Return the time that was not the request's."""

    def rows(self) -> list[Row]:
        """Return each function that did something, by its own time."""

    def waits(self) -> list[Wait]:
        """Return what was waited in, longest first."""

    def hot_path(self) -> list[Step]:
        """Return the calls down to the deepest that holds most of the time.

        From the outermost call on always the callee with most of it, as
        long as that has at least MOST of the whole.
        """
