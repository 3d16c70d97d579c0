# SPDX-License-Identifier: Apache-2.0
"""What a request's dump gets of the reader: a session file, and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from nova_profiler import OWN_FOLDER
from nova_profiler.capture.profilers.stacks.reader.seen.timed_looks import (
    OWN_LANE,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    WAITS,
)
from nova_profiler.capture.profilers.stacks.watch import (
    NO_SLOT,
    StacksWatch,
)
from nova_profiler.profiles import (
    IN_LINE,
    NOT_LOOKED,
    RAN_UNSEEN,
    SAMPLES_SUFFIX,
    STACKS,
    WAITED_UNSEEN,
    WAITING,
    WAITING_FOR_GIL,
)
from nova_profiler.profiles.frames import frame_text, identifier_of
from nova_profiler.profiles.session_files import About, Sample, write_session
from nova_profiler.profiles.timed_stacks import TimedStacks

GREEN = (
    "only the greenthread that runs is seen: what the request waited is not "
    "in its stacks"
)
CROWDED = (
    "it stood in line for a processor for {share:.0%} of the time that was "
    "seen: where is not known, and shares of functions are rough"
)
JOINED = "over time, {stacks} stacks gave way to a longer one beside them"
UNTIMED = "over time, {looks} looks are left out: too many stacks in turn"

NO_ROOM = "{stacks} stacks have no room in the file: their time is in the sums"

_STATES = {WAITS: WAITING, GIL: WAITING_FOR_GIL}
# Characters of the names in a file, with which it is read in a moment.
MOST_TEXT = 16 << 20
# Less than this is worth no record, and this share of a request a note.
_LEAST_S = 0.0005
_NOTED = 0.2


class Seen(NamedTuple):
    """What the reader answered about one request, its fields checked."""

    frames: list[tuple[int, str]]
    stacks: list[tuple[int, int, float]]
    looks: int
    left_out: int
    sums_s: dict[str, float]
    # Of each stretch: its piece, the place of its stack among *stacks*, its
    # start in microseconds after the request's, its microseconds.
    timed: list[tuple[int, int, int, int]]
    # Stretches with a neighbour's stack, and looks without a stretch.
    joined: int
    untimed: int


def seen_of(answer: Mapping[str, Any]) -> Seen:
    """Return what *answer* has; times in seconds."""
    frames = []
    for caller, name, file, first_line, line in answer.get("frames", ()):
        own = file.startswith(OWN_FOLDER)
        text = "" if own else frame_text(name, file, first_line, line)
        frames.append((caller, text))
    return Seen(
        frames,
        [
            (last, state, time_ns / 1e9)
            for last, state, _, time_ns in answer.get("stacks", ())
        ],
        answer.get("looks", 0),
        answer.get("left_out", 0),
        {
            name: answer.get(f"{name}_ns", 0) / 1e9
            for name in (
                "seen",
                "ran",
                "queued",
                "ran_unseen",
                "waited_unseen",
            )
        },
        [
            (piece, stack, start_us, us)
            for piece, stack, start_us, us in answer.get("timed", ())
        ],
        answer.get("joined", 0),
        answer.get("untimed", 0),
    )


def attach_result(
    watch: StacksWatch,
    answer: Mapping[str, Any],
    is_green: bool,
    notes: Sequence[str] = (),
) -> None:
    """Give the dump of *watch* its stacks, which may be none. May raise.

    *notes* are true of all its stacks, or why there are none.
    """
    attach, watch.attach_to = watch.attach_to, None
    if attach is None:
        return
    seen, request = seen_of(answer), watch.about
    sums = seen.sums_s
    interval_s = sums["seen"] / seen.looks if seen.looks else 0.0
    about = About(
        STACKS,
        f"{request.method} {request.route}",
        seen.looks,
        interval_s,
        datetime.fromisoformat(request.started_at).timestamp(),
        request.duration_ms / 1000,
        (request.cpu_ms or 0.0) / 1000,
    )
    profile: dict[str, Any] = {
        "engine": STACKS,
        "file": None,
        "notes": [*notes, *notes_on(watch, seen, is_green, bool(notes))],
        "samples": seen.looks,
        "interval_ms": round(interval_s * 1000, 3),
        "seen_ms": round(sums["seen"] * 1000, 3),
    }
    if not is_green:
        waited_s = max(0.0, sums["seen"] - sums["ran"] - sums["queued"])
        profile["ran_ms"] = round(sums["ran"] * 1000, 3)
        profile["in_line_ms"] = round(sums["queued"] * 1000, 3)
        profile["waited_ms"] = round(waited_s * 1000, 3)
    before = watch.profile or {}
    if "chosen_by" in before:
        profile["chosen_by"] = before["chosen_by"]
    placed = _placed(seen)
    if placed.others:
        profile["notes"].append(NO_ROOM.format(stacks=placed.others))
    content = _session_of(placed, seen, about, watch.lanes)
    attach(SAMPLES_SUFFIX, content, profile)


def notes_on(
    watch: StacksWatch, seen: Seen, is_green: bool, is_explained: bool
) -> list[str]:
    """Return what is not true or not complete about the stacks *seen*.

    *is_explained* is whether it is known why there are none.
    """
    if not seen.looks:
        if is_explained:
            return []
        return [f"the reader has no stack of this request: {NOT_LOOKED}"]
    notes = []
    if seen.left_out:
        notes.append(f"{seen.left_out} looks left out: too many stacks")
    if seen.joined:
        notes.append(JOINED.format(stacks=seen.joined))
    if seen.untimed:
        notes.append(UNTIMED.format(looks=seen.untimed))
    if watch.unseen:
        notes.append(f"{watch.unseen} {NO_SLOT}")
    seen_s = seen.sums_s["seen"]
    share = seen.sums_s["queued"] / seen_s if seen_s > 0 else 0.0
    if share >= _NOTED and not is_green:
        notes.append(CROWDED.format(share=share))
    return notes


class _Placed(NamedTuple):
    """The stacks that a file has room for, each with its number in Seen.

    ``others_s`` are the seconds of the ``others``, by whether they waited.
    """

    rows: list[tuple[Sample, int]]
    others: int
    others_s: dict[bool, float]


def _placed(seen: Seen) -> _Placed:
    """Return the stacks for a file: where it has no room, those of most time.

    What a thread waited for is one frame more; our own are left out.
    """
    found: list[tuple[Sample, int]] = []
    others, others_s = 0, {False: 0.0, True: 0.0}
    room = MOST_TEXT
    for number, (last, state, seconds) in sorted(
        enumerate(seen.stacks), key=lambda one: -one[1][2]
    ):
        names = list(_names(seen.frames, last))
        if not names or seconds <= 0:
            continue
        if state in _STATES:
            names.append(_STATES[state])
        room -= sum(map(len, names))
        if room < 0:
            others += 1
            others_s[state in _STATES] += seconds
            continue
        found.append(((names, seconds), number))
    # pyinstrument joins only neighbours that are equal.
    found.sort(key=lambda one: one[0][0])
    return _Placed(found, others, others_s)


def _session_of(
    placed: _Placed, seen: Seen, about: About, lanes: Mapping[int, int]
) -> bytes:
    """Return the file of the stacks *placed*, each with its seconds.

    Empty if there is none. Time without a place in the stacks is a record of
    its own. *lanes* are those of pieces in slots of their own.
    """
    if not placed.rows:
        return b""
    records = [record for record, _ in placed.rows]
    places = {number: place for place, (_, number) in enumerate(placed.rows)}
    root = identifier_of(records[0][0][0])
    sums_s = seen.sums_s
    for seconds, frame in (
        (sums_s["queued"], IN_LINE),
        (sums_s["ran_unseen"] + placed.others_s[False], RAN_UNSEEN),
        (sums_s["waited_unseen"] + placed.others_s[True], WAITED_UNSEEN),
    ):
        if seconds >= _LEAST_S:
            records.append(([frame], seconds))
    return write_session(
        records,
        about._replace(root=root),
        of_this_process=True,
        timed=_timed(seen, places, lanes),
    )


def _timed(
    seen: Seen, places: Mapping[int, int], lanes: Mapping[int, int]
) -> TimedStacks:
    """Return the stretches of *seen* by lane, each with its record.

    Pieces of which the record has no lane get the numbers behind the others.
    """
    numbers = {OWN_LANE: 0, **lanes}
    further = count(max(numbers.values()) + 1)
    rows = []
    for piece, stack, start_us, us in seen.timed:
        if stack not in places:
            # It was in our own frames only.
            continue
        if piece not in numbers:
            numbers[piece] = next(further)
        rows.append((numbers[piece], places[stack], start_us, us))
    rows.sort(key=lambda row: row[2])
    lane, record, start, length = zip(*rows, strict=True) if rows else [()] * 4
    return TimedStacks(
        list(lane), list(record), list(start), list(length), seen.joined
    )


def _names(frames: list[tuple[int, str]], last: int) -> Iterator[str]:
    """Return the frames up to number *last*, the outermost first."""
    found = []
    while 0 <= last < len(frames):
        caller, text = frames[last]
        if text:
            found.append(text)
        # Each entry comes after its caller's.
        last = caller if caller < last else -1
    return reversed(found)
