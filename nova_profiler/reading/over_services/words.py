# SPDX-License-Identifier: Apache-2.0
"""The picture of a request in words: the same in every form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.over_services.picture import Picture, Way
from nova_profiler.reading.over_services.reasons import (
    reason_of,
    work_by_holder,
)
from nova_profiler.reading.over_services.relations.critical_path import (
    IN_LINE,
    WORK,
    Share,
)
from nova_profiler.reading.over_services.relations.served import Served
from nova_profiler.reading.screen.terminal import counted, ms_text, printable
from nova_profiler.record import MESSAGE, REQUEST, TASK

UNTIL_ANSWER = "Until the answer"
_NO_LIMIT = 10_000
# Of what no client waited for.
UNTIL_END = "Until its end"
UNTIL_DONE = "Until all was done"
# Less than this is not worth a place in a sentence.
_LEAST_SHARE = 0.005
_LONGEST_NAME = 40
_LONGEST_REASON = 60
_SHORT_REASONS = (32, 24)
# A line ends so much early where the next word has no room.
_LONGEST_WORD = 16
_BEFORE_UNIT = re.compile(r"(?<=[0-9]) (?=(?:s|ms|%|x)\b|%)")
# Of one picture; the rest is counted.
_MOST_DOUBTS = 5


def seconds_text(seconds: float) -> str:
    """Return a time in the unit that fits."""
    if seconds >= 10:
        return f"{seconds:.1f} s"
    if seconds >= 0.1:
        return f"{seconds:.2f} s"
    return f"{1000 * seconds:.1f} ms"


def wrapped(line: str, width: int) -> list[str]:
    """Return *line* in lines of *width*; a figure stays with its unit."""
    whole = _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", line)
    return [
        text.replace("\N{NO-BREAK SPACE}", " ")
        for text in wrap(whole, width, break_on_hyphens=False)
    ]


def title_line(picture: Picture) -> str:
    """Return the client's request, its status and its time."""
    root = picture.served[picture.root]
    status = f" {root.status}" if root.status else ""
    title = named(root)
    return f"{title}{status} {ms_text(1000 * root.duration_s)} ms"


def named(one: Served) -> str:
    """Return what a record is of, without the words that all have."""
    words = one.title.split(" ")
    title = one.title
    if one.kind == REQUEST.name:
        title = f"{one.method} {one.title}".strip()
    elif one.kind == MESSAGE.name and len(words) == 3:
        title = words[2]
    elif one.kind == TASK.name and len(words) == 3:
        title = f"{TASK.word} {words[2]}"
    return printable(title, 200)


def first_lines(picture: Picture, width: int) -> list[str]:
    """Return the request, and what held it: the answer to "why so long".

    Up to the answer, and up to the end where work went on after it; the last
    one may need two lines of *width*.
    """
    title = title_line(picture)
    label = answer_label(picture)
    answer, done = picture.until_answer, picture.until_done
    wide = 2 * width - _LONGEST_WORD
    if done is None:
        return [title, way_line(picture, answer, label, wide)]
    reasons = reasons_of(picture, answer)
    has_same = reasons[0] == reasons_of(picture, done)[0]
    for text in _forms(answer, reasons[:-1]):
        if len(title) + 2 + len(text) <= width:
            last = way_line(picture, done, UNTIL_DONE, wide)
            return [f"{title}: {text}", last]
    return [
        title,
        way_line(picture, answer, label, width),
        way_line(picture, done, UNTIL_DONE, width, [""])
        if has_same
        else way_line(picture, done, UNTIL_DONE, wide),
    ]


def answer_label(picture: Picture) -> str:
    """Return what the first way leads to: an answer, where one is awaited."""
    root = picture.served[picture.root]
    is_answered = root.kind == REQUEST.name or root.is_waited_for
    return UNTIL_ANSWER if is_answered else UNTIL_END


def whole_lines(picture: Picture) -> list[str]:
    """Return how much of each way each holder had, with nothing left out."""
    ways = [(answer_label(picture), picture.until_answer)]
    if picture.until_done is not None:
        ways.append((UNTIL_DONE, picture.until_done))
    return [way_line(picture, way, label, _NO_LIMIT) for label, way in ways]


def way_line(
    picture: Picture,
    way: Way,
    label: str,
    room: int,
    reasons: Sequence[str] | None = None,
) -> str:
    """Return how much of *way* each holder had, in at most *room* letters.

    What took most of the first one's time stands behind it.
    """
    begin = f"{label}, {seconds_text(way.seconds)}: "
    if reasons is None:
        reasons = reasons_of(picture, way)
    text = ""
    for text in _forms(way, reasons):
        if len(begin) + len(text) <= room:
            break
    return begin + text


def _forms(way: Way, reasons: Sequence[str]) -> Iterator[str]:
    """Yield the same with less and less in it."""
    shares = _in_one_line(way.shares)
    if not shares:
        yield "no time at all"
        return
    shown = [one for one in shares if one.share >= _LEAST_SHARE] or shares[:1]
    for of_first in reasons:
        yield _holders(shares, shown, of_first, True)
        for most in range(len(shown), 0, -1):
            yield _holders(shares, shown[:most], of_first, False)


def _in_one_line(shares: Sequence[Share]) -> list[Share]:
    """Return *shares*, the largest first; all lines for workers are one."""
    lines = [one for one in shares if one.what == IN_LINE]
    others = [one for one in shares if one.what != IN_LINE]
    if lines:
        others.append(
            Share(
                "in line for workers" if lines[1:] else lines[0].holder,
                IN_LINE,
                sum(one.seconds for one in lines),
                sum(one.share for one in lines),
            )
        )
    return sorted(others, key=lambda one: -one.share)


def reasons_of(picture: Picture, way: Way) -> list[str]:
    """Return what took most of the first holder's time, ever shorter.

    The last one is empty.
    """
    shares = _in_one_line(way.shares)
    reason = None
    if shares and shares[0].what == WORK:
        held = work_by_holder(picture, way).get(shares[0].holder, [])
        reason = reason_of(picture, held)
    if reason is None:
        return [""]
    whole = printable(reason.text, _LONGEST_REASON)
    time = seconds_text(reason.seconds)
    short = [printable(reason.text, most) for most in _SHORT_REASONS]
    texts = [f" ({text})" for text in (f"{whole}, {time}", whole, *short)]
    return [*dict.fromkeys(texts), ""]


def _holders(
    shares: Sequence[Share],
    shown: Sequence[Share],
    of_first: str,
    has_seconds: bool,
) -> str:
    texts = []
    for number, one in enumerate(shown):
        name = printable(one.holder, _LONGEST_NAME)
        time = f" {seconds_text(one.seconds)}" if has_seconds else ""
        text = f"{name}{time} {share_words(one.share)}"
        texts.append(text + of_first if number == 0 else text)
    rest = sum(one.share for one in shares) - sum(one.share for one in shown)
    if rest >= _LEAST_SHARE:
        texts.append(f"others {share_words(rest)}")
    return ", ".join(texts)


def share_words(share: float) -> str:
    """Return a share in per cent; what is little is not nothing."""
    return "< 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def facts_of(picture: Picture) -> list[str]:
    """Return whose request it was, and what is known of it."""
    root = picture.served[picture.root]
    hosts = {one.host for one in picture.served if one.host}
    services = {one.service for one in picture.served}
    facts = [
        picture.request_id,
        f"{counted(len(picture.served), 'record')} of "
        f"{counted(len(services), 'service')} on "
        f"{counted(len(hosts), 'host')}",
        f"at {iso_of(root.began or 0.0)[:23].replace('T', ' ')} UTC",
    ]
    if root.user:
        facts.append(f"user {root.user}")
    return ["   ".join(printable(one, 80) for one in facts)]
