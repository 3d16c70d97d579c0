# SPDX-License-Identifier: Apache-2.0
"""What a request's dump gets of py-spy: a session file, and notes on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from nova_profiler.capture.greenthreads import runs_green
from nova_profiler.capture.profilers.pyspy.stacks import (
    Frame,
    Stacks,
    frames_of,
    leaf_of,
)
from nova_profiler.capture.profilers.pyspy.waits import Waits
from nova_profiler.capture.profilers.pyspy.watch import PyspyWatch
from nova_profiler.profiles import (
    NOT_LOOKED,
    PYSPY,
    SAMPLES_SUFFIX,
    WAITING,
)
from nova_profiler.profiles.frames import frame_text, identifier_of
from nova_profiler.profiles.pending import PENDING
from nova_profiler.profiles.session_files import About, Sample, write_session

ESTIMATED = (
    "what waits is estimated by line of code, from all requests of the worker"
)
UNKNOWN = (
    "py-spy has not looked often enough yet to distinguish running from "
    "waiting: all but sleeps and locks is shown as work"
)
UNSEEN = (
    "py-spy sees the greenthread that runs: what the request waited is not "
    "in its stacks"
)
NOT_BEGUN = "it had not begun when the request ended"

# Less than this share of a request watched is worth a note.
_COVERED = 0.95
# A thread is not exactly on or off the processor in any sample: less than
# this is noise.
_LEAST_SHARE = 0.05


def attach_result(watch: PyspyWatch, waits: Waits, trouble: str) -> None:
    """Give the dump of *watch* its stacks, which may be none.

    *trouble* is why there are none, where that is known. May raise.
    """
    attach, watch.attach_to = watch.attach_to, None
    stacks, watch.stacks = watch.stacks or Stacks(), None
    if attach is None:
        return
    if watch.seen_s > watch.covered_s > 0:
        # Where two recordings overlap, a sample of each is half as much.
        stacks.shrink(watch.covered_s / watch.seen_s)
    interval_s = stacks.interval_s
    about = About(
        PYSPY,
        watch.title,
        stacks.samples,
        interval_s,
        datetime.fromisoformat(watch.started_at).timestamp(),
        watch.duration_s,
        watch.cpu_s,
    )
    attach(
        SAMPLES_SUFFIX,
        session_of(stacks.times, waits.share, about),
        {
            **{k: v for k, v in watch.profile.items() if k != PENDING},
            "notes": notes_on(watch, stacks, waits.is_known, trouble),
            "samples": stacks.samples,
            "interval_ms": round(interval_s * 1000, 3),
        },
    )


def notes_on(
    watch: PyspyWatch, stacks: Stacks, is_known: bool, trouble: str
) -> list[str]:
    """Return the notes on the *stacks* of *watch*.

    *is_known* is whether it was learnt which lines wait, *trouble* why
    there are no stacks, where there are none.
    """
    if not stacks.samples:
        # py-spy is started by a first request, and may begin too late for it.
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
        notes.append(UNKNOWN)
    elif not is_green:
        notes.append(ESTIMATED)
    return notes


def session_of(
    times: Mapping[bytes, float],
    waits: Callable[[bytes], float],
    about: About,
) -> bytes:
    """Return the file of the stacks in *times*, each with its seconds.

    Empty if there is none, or of our own frames only. *waits* returns which
    share of its time an innermost frame waits: that part of it gets one
    frame more, WAITING.
    """
    first_lines: dict[tuple[str, str], int] = {}
    stacks = [
        (frames, time_s, waits(leaf_of(stack)))
        for stack, time_s in times.items()
        if (frames := frames_of(stack))
    ]
    for frames, _, _ in stacks:
        for function, file, line in frames:
            known = first_lines.get((function, file), line)
            first_lines[function, file] = min(known, line)
    records: list[Sample] = []
    for frames, time_s, share in stacks:
        names = [_named(frame, first_lines) for frame in frames]
        share = round(share, 3)
        if share < 1 - _LEAST_SHARE:
            share = share if share > _LEAST_SHARE else 0.0
            records.append((names, time_s * (1 - share)))
        else:
            share = 1.0
        if share:
            records.append(([*names, WAITING], time_s * share))
    if not records:
        return b""
    # pyinstrument joins only neighbours that are equal.
    records.sort(key=lambda record: record[0])
    root = identifier_of(records[0][0][0])
    return write_session(
        records, about._replace(root=root), of_this_process=True
    )


def _named(frame: Frame, first_lines: dict[tuple[str, str], int]) -> str:
    """Return *frame* as pyinstrument writes it.

    A function is known by its name, file and first line. py-spy does not
    report the last: the first of its lines that was seen stands for it.
    """
    function, file, line = frame
    return frame_text(function, file, first_lines[function, file], line)
