# SPDX-License-Identifier: Apache-2.0
"""What a service that held the time waited for over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nova_profiler.groups import HTTP_GROUPS
from nova_profiler.reading.advice.far_services import far_request, project_of
from nova_profiler.reading.follow.search.hits import LogLine
from nova_profiler.reading.follow.story import Story
from nova_profiler.reading.logs.forms.own_log_lines import LOG_LINE
from nova_profiler.reading.over_services.picture import Picture
from nova_profiler.reading.over_services.reasons import (
    Held,
    held_calls,
    work_by_holder,
)
from nova_profiler.reading.screen.terminal import ms_text

# Less than that of what a service held is no answer to where the time went.
_LEAST_SHARE = 0.05
_UNKNOWN = "another service"
_OTHERS = "other services"
_IN_LINE = re.compile(
    rf", (?:{'|'.join(HTTP_GROUPS)}) (?P<calls>\d{{1,9}}) calls "
    r"(?P<ms>\d{1,12}(?:\.\d{1,6})?) ms"
)


def far_wait_text(story: Story, holder: str, held_ms: float) -> str:
    """Return for how long *holder* waited for which service, by HTTP.

    Until the client's answer. Empty if that is not known, or a small part of
    the *held_ms* milliseconds.
    """
    waits = _by_project(story, holder)
    ms = min(sum(waits.values()), held_ms)
    if ms <= 0 or ms < _LEAST_SHARE * held_ms:
        return ""
    named = max(waits, key=lambda one: waits[one])
    more = f" and {_OTHERS}" if len(waits) > 1 else ""
    return f", of it {ms_text(ms)} ms waiting for {named}{more} over HTTP"


def _by_project(story: Story, holder: str) -> dict[str, float]:
    """Return the milliseconds waited for each project."""
    found: dict[str, float] = {}
    if story.picture is not None:
        for call in _of_records(story.picture, holder):
            asked = far_request(call)
            name = _UNKNOWN if asked is None else project_of(asked.service)
            found[name] = found.get(name, 0.0) + 1000 * call.seconds
    elif story.answer is not None:
        for line in story.request.lines:
            for calls, ms in _of_line(line, story, holder):
                name = _UNKNOWN if calls == 1 else _OTHERS
                found[name] = found.get(name, 0.0) + ms
    return found


def _of_records(picture: Picture, holder: str) -> Iterator[Held]:
    """Yield the requests on the way to the answer that no record answered."""
    work = work_by_holder(picture, picture.until_answer).get(holder, [])
    for call in held_calls(picture, work):
        if call.group in HTTP_GROUPS:
            yield call
    for place in {one.place for one in work}:
        if place in picture.children:
            # Which of the totals records answered is not known.
            continue
        for total in picture.served[place].totals:
            if total.group in HTTP_GROUPS:
                yield Held(*total)


def _of_line(
    line: LogLine, story: Story, holder: str
) -> Iterator[tuple[int, float]]:
    entry = line.entry
    if entry is None or entry is not story.entry or entry.form != LOG_LINE:
        return
    if line.service == holder:
        for match in _IN_LINE.finditer(line.message):
            yield int(match["calls"]), float(match["ms"])
