# SPDX-License-Identifier: Apache-2.0
"""What a dump says about the stacks that py-spy took of its request."""

from __future__ import annotations

from nova_profiler.capture.greenthreads import runs_green
from nova_profiler.capture.profilers.pyspy.stacks import Stacks
from nova_profiler.capture.profilers.pyspy.watch import PyspyWatch
from nova_profiler.profiles import NOT_LOOKED

ESTIMATED = (
    "what waits is told by line of code, as py-spy saw it in all requests"
)
UNTOLD = (
    "running and waiting could not be told apart, for py-spy has not looked "
    "often enough yet: all but sleeps and locks is shown as work"
)
UNSEEN = (
    "py-spy sees the greenthread that runs: what the request waited is not "
    "in its stacks"
)
NOT_BEGUN = "it had not begun when the request ended"
_COVERED = 0.95


def notes_on(
    watch: PyspyWatch, stacks: Stacks, is_known: bool, trouble: str
) -> list[str]:
    """Return the notes on the *stacks* of *watch*.

    *is_known* is whether it was learnt what waits, *trouble* why there are
    no stacks, where there are none.
    """
    if not stacks.samples:
        # It is started by a first request, and may come too late for that.
        silent = NOT_LOOKED if watch.covered_s else NOT_BEGUN
        why = trouble or silent
        return [f"py-spy has no stack of this request: {why}"]
    notes = []
    duration_s = watch.ended - watch.began
    share = watch.covered_s / duration_s if duration_s > 0 else 0.0
    if share < _COVERED:
        part = f"{share:.0%}" if share >= 0.01 else "less than 1%"
        notes.append(f"py-spy was at work in {part} of this request")
    if stacks.left_out:
        notes.append(f"{stacks.left_out} samples left out: too many stacks")
    is_green = runs_green()
    if is_green:
        notes.append(UNSEEN)
    if not is_known:
        notes.append(UNTOLD)
    elif not is_green:
        notes.append(ESTIMATED)
    return notes
