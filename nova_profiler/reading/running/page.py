# SPDX-License-Identifier: Apache-2.0
"""Requests that are on, for a terminal: plain lines, the answer first."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from nova_profiler.reading.record_words import (
    full_title,
    open_call_words,
    telling_frame,
    title_of,
    user_of,
)
from nova_profiler.reading.running.workers import Request, Seen
from nova_profiler.reading.screen.terminal import counted, printable
from nova_profiler.routes import UNMATCHED

_INDENT = 12
# What a wrapped line's rest stands further in.
_HANGING = 2
_MOST_PLACES = 3
_MOST_PIDS = 8
_NOWHERE = "nothing that is timed"


def lines_of(
    seen: Seen, limit: int, width: int | None, with_stacks: bool
) -> Iterator[str]:
    """Yield the lines of the page, wrapped to *width*; None is any.

    Whole stacks are not wrapped.
    """
    for line in _whole_lines_of(seen, limit, with_stacks):
        yield from [line] if with_stacks else _wrapped(line, width)


def _wrapped(line: str, width: int | None) -> list[str]:
    if width is None:
        return [line]
    indent = len(line) - len(line.lstrip()) + _HANGING
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * min(indent, width // 2),
        break_on_hyphens=False,
    )


def _whole_lines_of(
    seen: Seen, limit: int, with_stacks: bool
) -> Iterator[str]:
    yield _summary(seen)
    places = _places(seen.requests)
    if places:
        yield places
    for request in seen.requests[:limit]:
        yield from _lines_of(request, with_stacks)
    more = len(seen.requests[limit:]) + seen.more
    if more:
        yield f"and {counted(more, 'request')} more; --limit for more"
    yield from _about_silent(seen.silent)


def _summary(seen: Seen) -> str:
    on = len(seen.requests) + seen.more
    workers = counted(seen.answered, "worker")
    if seen.silent:
        workers = f"{seen.answered} of {seen.answered + len(seen.silent)}"
        workers += " workers that answered"
    if not seen.requests:
        return f"no request is on in {workers}"
    verb = "is" if on == 1 else "are"
    longest = seconds_text(seen.requests[0].on_ms)
    where = "" if not seen.silent else ", with last words of the others"
    return (
        f"{counted(on, 'request')} {verb} on in {workers}{where}; the longest "
        f"for {longest}"
    )


def _places(requests: Sequence[Request]) -> str:
    """Return the calls that most of *requests* are in, empty for one."""
    if len(requests) < 2:
        return ""
    places = Counter(map(_place_of, requests)).most_common()
    named = ", ".join(f"{name} {n}" for name, n in places[:_MOST_PLACES])
    rest = sum(n for _, n in places[_MOST_PLACES:])
    return f"in: {named}" + (f", others {rest}" if rest else "")


def _place_of(request: Request) -> str:
    calls = request.record.open_calls
    if not calls:
        return _NOWHERE
    return printable(f"{calls[-1].group} {calls[-1].name}")


def _lines_of(request: Request, with_stacks: bool) -> Iterator[str]:
    record = request.record
    route = record.path if record.route == UNMATCHED else title_of(record)
    request_id = (record.request_id or "").removeprefix("req-")[:8]
    user = user_of(record)
    facts = [
        f"{seconds_text(request.on_ms):>{_INDENT - 2}}  "
        f"{full_title(record.method, route)}",
        request_id,
        f"pid {record.pid:.0f}",
        f"user {user}" if user else "",
    ]
    yield printable("  ".join(fact for fact in facts if fact))
    indent = " " * _INDENT
    if request.age_s:
        age = seconds_text(request.age_s * 1000)
        yield f"{indent}as its worker wrote {age} ago"
    words = open_call_words(record)
    if words:
        yield indent + printable(words)
    stacks = record.open_stacks or []
    if with_stacks:
        for stack in stacks:
            yield f"{indent}{printable(stack.thread)}"
            yield from (f"{indent}  {printable(f)}" for f in stack.frames)
    elif stacks and stacks[-1].frames:
        yield f"{indent}at {printable(telling_frame(stacks[-1].frames))}"
    if not any(stack.frames for stack in stacks):
        yield f"{indent}no stack: no thread works for it now"


def _about_silent(silent: Sequence[int]) -> Iterator[str]:
    if not silent:
        return
    pids = ", ".join(map(str, silent[:_MOST_PIDS]))
    more = f" and {len(silent) - _MOST_PIDS} more" * (len(silent) > _MOST_PIDS)
    yield f"no answer from pid {pids}{more}:"
    why = "held up outside Python, stopped, or a uWSGI without enable-threads"
    yield f"  {why}"


def seconds_text(ms: float) -> str:
    """Return a time on a human scale: ``0.83 s``, ``12.4 s``, ``3:07 min``."""
    seconds = ms / 1000
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"
