# SPDX-License-Identifier: Apache-2.0
"""Whether the reader sees this Python rightly: it looks at stacks we know.

No table of offsets is trusted without it. Threads of our own stand in known
stacks, in each state in which a thread can be; what the reader states is
compared with what this interpreter itself states.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from types import ModuleType
from typing import Any

from nova_profiler.capture.greenthreads import start_thread
from nova_profiler.capture.profilers.stacks.child import Child
from nova_profiler.capture.profilers.stacks.known_stacks import (
    DEEP,
    Shown,
    deep,
    stack_here,
)
from nova_profiler.capture.profilers.stacks.reader.thread_states import (
    GIL,
    RUNS,
    WAITS,
)
from nova_profiler.capture.profilers.stacks.slot_words import (
    GO_ON,
    GREENLET,
    REQUEST,
    THREAD,
    TID,
)
from nova_profiler.capture.profilers.stacks.slots import Slots, next_number

# How long the reader may take to begin, and to answer.
BEGIN_S = 20.0
_ANSWER_S = 5.0
# How long the two threads may be at work, if the reader does not stop them.
_STATES_S = 0.1
_TRIES = 5


class Mismatch(Exception):
    """The reader is sure of what is not there."""


class Refusal(Exception):
    """The kernel does not let the reader look."""


class Unseen(Exception):
    """The reader could not be tried out now; it may be later."""


def try_out(
    child: Child, slots: Slots, greenlets: ModuleType | None = None
) -> None:
    """Return if *child* sees this process rightly.

    With *greenlets*, a parked one as well. Raises Mismatch, Refusal or
    Unseen, and EOFError if it ended.
    """
    trials: list[Callable[[Child, Slots], None]]
    trials = [_try_standing, _try_states]
    if greenlets is not None:
        trials.append(partial(_try_parked, greenlets))
    for trial in trials:
        _try_often(partial(trial, child, slots))


def _try_often(trial: Callable[[], None]) -> None:
    """Make *trial* until it succeeds; what is wrong fails each time.

    On a machine with much to do a thread of ours may not be where it is to
    be when the reader looks.
    """
    for left in range(_TRIES - 1, -1, -1):
        try:
            trial()
            break
        except (Mismatch, Unseen):
            if not left:
                raise


def _try_standing(child: Child, slots: Slots) -> None:
    """Stand in a deep stack through a generator, and wait."""

    def stand() -> tuple[Shown, Any]:
        child.ask("stands")
        is_here = stack_here(slots, at)
        return is_here, _answer(child, "stands", BEGIN_S)

    at = _taken(slots)
    try:
        number = slots.words[at]
        is_here, seen = slots.call_of(at)(deep, DEEP, stand)
    finally:
        _give_back(slots, at)
    _check_standing(number, is_here, seen)


def _try_parked(greenlets: ModuleType, child: Child, slots: Slots) -> None:
    """Have a greenlet parked in a deep stack, and look at it from here."""

    def stand() -> Shown:
        is_here = stack_here(slots, at)
        greenlets.getcurrent().parent.switch(is_here)
        return is_here

    at = _taken(slots)
    try:
        number = slots.words[at]
        greenlet = greenlets.greenlet(slots.call_of(at))
        slots.words[at + GREENLET] = id(greenlet)
        is_here = greenlet.switch(deep, DEEP, stand)
        child.ask("stands")
        seen = _answer(child, "stands", _ANSWER_S)
        greenlet.switch()
    finally:
        slots.words[at + GREENLET] = 0
        _give_back(slots, at)
    _check_standing(number, is_here, seen)


def _check_standing(number: int, is_here: Shown, seen: Any) -> None:
    found = [one for one in seen if one[0] == number]
    if len(found) != 1:
        raise Unseen("it did not see a thread that waited")
    _, state, is_sure, frames = found[0]
    # Only a look that is sure proves anything. On a machine with much to do
    # a thread may be on its way to where it waits for as long as the trials
    # last.
    if not is_sure:
        raise Unseen("a thread that waits seems to move")
    _compare(is_here, [tuple(frame) for frame in frames])
    if state != WAITS:
        raise Unseen("a thread that waits does not look like one")


def _compare(is_here: Shown, seen: list[tuple[Any, ...]]) -> None:
    """Raise Mismatch unless *seen* goes on where *is_here* ends.

    Of the last frame here the line is one that it has left since.
    """
    *callers, last = is_here
    if seen[: len(callers)] != callers or (
        seen[len(callers) : len(is_here)] == []
        or seen[len(callers)][:3] != last[:3]
    ):
        wrong = next(
            (
                (mine, its)
                for mine, its in zip(is_here, seen, strict=False)
                if mine != its
            ),
            (len(is_here), len(seen)),
        )
        raise Mismatch(f"it saw {wrong[1]} for {wrong[0]}")


def _try_states(child: Child, slots: Slots) -> None:
    """Have two threads at work: one has the GIL, the other waits for it."""
    words = slots.words
    words[GO_ON] = 0
    numbers: list[int] = []
    done: list[None] = []

    def second() -> None:
        try:
            # Without a slot the reader sees one thread only, and says so.
            with suppress(Unseen):
                _spin(slots, numbers, _spin_second)
        finally:
            done.append(None)

    start_thread(second)
    until = monotonic() + _STATES_S
    while not numbers and monotonic() < until:
        child.answer(0.001)
    first = _taken(slots)
    try:
        numbers.append(words[first])
        child.ask("states", *numbers)
        slots.call_of(first)(_spin_first, words)
        answer = _answer(child, "states", _ANSWER_S)
    finally:
        _give_back(slots, first)
        words[GO_ON] = 1
    until = monotonic() + _ANSWER_S
    while not done and monotonic() < until:
        child.answer(0.001)
    _check_states(answer)


def _check_states(answer: Any) -> None:
    known = {"_spin_first": "_step_first", "_spin_second": "_step_second"}
    for _, state, is_sure, frames in answer:
        names = [name for name, *_ in frames]
        if state == WAITS:
            # Between two steps, or on its way to a processor.
            continue
        if (
            len(names) < 2
            or known.get(names[1]) is None
            or (names[2:] not in ([], [known[names[1]]]))
        ):
            wrong = f"it saw {names} for a thread at work"
            raise Mismatch(wrong) if is_sure else Unseen(wrong)
    states = {state for _, state, *_ in answer}
    if not {RUNS, GIL} <= states:
        raise Unseen("it did not see threads at work in each state")


def _spin(
    slots: Slots, numbers: list[int], spin: Callable[[Any], None]
) -> None:
    at = _taken(slots)
    try:
        numbers.append(slots.words[at])
        slots.call_of(at)(spin, slots.words)
    finally:
        _give_back(slots, at)


def _spin_first(words: Any) -> None:
    until = monotonic() + _STATES_S
    while not words[GO_ON] and monotonic() < until:
        _step_first()


def _spin_second(words: Any) -> None:
    until = monotonic() + _STATES_S
    while not words[GO_ON] and monotonic() < until:
        _step_second()


def _step_first() -> int:
    return sum(range(100))


def _step_second() -> int:
    return sum(range(100))


def _taken(slots: Slots) -> int:
    """Return a slot in which this thread is seen, of no request."""
    at = slots.take()
    if not at:
        raise Unseen("there is no slot left to try it out in")
    words = slots.words
    words[at + REQUEST] = 0
    words[at + THREAD], words[at + TID] = slots.ids_here()
    words[at] = next_number()
    return at


def _give_back(slots: Slots, at: int) -> None:
    slots.words[at] = 0
    slots.give_back(at)


def _answer(child: Child, name: str, seconds: float) -> Any:
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:
        answer = child.answer(left)
        if answer is not None and "refused" in answer:
            raise Refusal(answer["refused"])
        if answer is not None and name in answer:
            return answer[name]
    raise Unseen("it did not answer; is the machine overloaded?")
