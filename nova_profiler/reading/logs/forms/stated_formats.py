# SPDX-License-Identifier: Apache-2.0
"""Formats of access logs that the user states, in Apache's or nginx's words.

``own=%h %l %u %t "%r" %>s %b %{ms}T`` or ``own=$remote_addr "$request"
$status $request_time``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.logs.entries import AccessEntry
from nova_profiler.reading.logs.forms import (
    SENDING,
    SERVER,
    address_of,
    bytes_of,
    ms_of,
    request_id_in,
    service_of,
)
from nova_profiler.reading.logs.line_parts.path_routes import (
    method_of,
    route_of_path,
)
from nova_profiler.reading.logs.line_parts.prefixes import LinePrefix
from nova_profiler.reading.logs.line_parts.stamps import (
    clf_epoch,
    moment_of,
)

STATED = "stated"

# The formats as they were stated: name and format, with ``=`` between.
Stated: TypeAlias = "tuple[str, ...]"

_LONGEST = 2_000
_ANY = r"[^\n]{0,4000}?"
_STAMP = (
    r"\[?(?P<date>\d\d/[A-Z][a-z]{2}/\d{4}):(?P<clock>\d\d:\d\d:\d\d)"
    r"(?: ?(?P<zone>[+-]\d{4}))?\]?"
)
_REQUEST = (
    r"(?P<method>[^\s\"]{1,40}) (?P<path>(?:[^\"\\]|\\.){0,4000}?)"
    r"(?: HTTP/\d(?:\.\d)?)?"
)
_NUMBER = r"[\d.]{1,20}|-"
_TRIES = r"[\d., :-]{1,400}"
# What each directive of Apache and each variable of nginx may hold.
_PATTERNS = {
    "%r": _REQUEST,
    "%m": r"(?P<method>[A-Z]{1,40})",
    "%U": r"(?P<path>[^\s?\"]{0,4000})",
    "%q": r"(?:\?[^\s\"]{0,4000})?",
    "%s": r"(?P<status>\d{3})",
    "%>s": r"(?P<status>\d{3})",
    "%<s": r"\d{3}",
    "%t": _STAMP,
    "%h": r"(?P<address>[^\s\"]{1,300})",
    "%a": r"(?P<address>[^\s\"]{1,300})",
    "%b": r"(?P<size>\d{1,15}|-)",
    "%B": r"(?P<size>\d{1,15})",
    "%D": r"(?P<us>\d{1,18}|-)",
    "%T": r"(?P<s>\d{1,12})",
    "%{us}T": r"(?P<us>\d{1,18})",
    "%{ms}T": r"(?P<ms>\d{1,15})",
    "%{s}T": r"(?P<s>\d{1,12})",
    "%%": "%",
    "$request": _REQUEST,
    "$request_method": r"(?P<method>[A-Z]{1,40})",
    "$request_uri": r"(?P<path>[^\s\"]{0,4000})",
    "$uri": r"(?P<path>[^\s\"]{0,4000})",
    "$status": r"(?P<status>\d{3})",
    "$time_local": _STAMP,
    "$time_iso8601": r"(?P<iso>[\dT:+\-Z.]{10,40})",
    "$msec": r"(?P<iso>\d{9,11}\.\d{3})",
    "$remote_addr": r"(?P<address>[^\s\"]{1,300})",
    "$body_bytes_sent": r"(?P<size>\d{1,15}|-)",
    "$request_time": r"(?P<s>" + _NUMBER + ")",
    "$upstream_response_time": r"(?P<upstream>" + _TRIES + ")",
}
_UNITS = (("us", 0.001), ("ms", 1.0), ("s", 1000.0))
_DIRECTIVE = re.compile(
    r"%[!\d,]{0,20}[<>]?(?:\{[^{}]{1,100}\}\^?)?[A-Za-z%]"
    r"|\$(?:\{[a-z_0-9]{1,100}\}|[a-z_][a-z_0-9]{0,100})"
)
_KNOWN_LETTERS = frozenset("aABbCDefhHiIklLmnoOpPqrRsStTuUvVX%")
_NAME = re.compile(r"[A-Za-z0-9][\w.\- ]{0,39}")


class FormatError(NovaProfilerError):
    """A stated format cannot be read; the message has the place."""


class _Compiled(NamedTuple):
    name: str
    match: Callable[[str], re.Match[str] | None]
    is_begin: bool


def stated_format(text: str) -> str:
    """Return *text*, ``NAME=FORMAT``, if it can be read; raise FormatError."""
    _compiled(text)
    return text


def entry_of(line: LinePrefix, stated: str) -> AccessEntry | None:
    """Return the request of *line* in the format *stated*, None if none."""
    compiled = _compiled(stated)
    match = compiled.match(line.message)
    if match is None:
        return None
    found = {name: text for name, text in match.groupdict().items() if text}
    timed = next(
        (
            (found[unit], unit_ms)
            for unit, unit_ms in _UNITS
            if found.get(unit, "-") != "-"
        ),
        None,
    )
    if timed is None:
        return None
    ms = ms_of(*timed)
    status = int(found["status"])
    at = _at(found, line)
    if at is not None and compiled.is_begin:
        at += ms / 1000
    return AccessEntry(
        compiled.name,
        service_of(line),
        at if at is not None else line.at,
        method_of(found["method"]),
        route_of_path(found["path"], status),
        status,
        ms,
        bytes_of(found.get("size", "-")),
        request_id_in(line.message.replace(found["path"], "")),
        remote_address=address_of(found.get("address", "-")),
        waits_ms=_waits_of(found.get("upstream"), ms),
    )


def _at(found: dict[str, str], line: LinePrefix) -> float | None:
    if "date" in found:
        return clf_epoch(
            found["date"], found["clock"], found.get("zone"), line.local
        )
    return moment_of(found.get("iso"), line.local)


def _waits_of(tries: str | None, ms: float) -> dict[str, float] | None:
    try:
        known = [
            float(one)
            for one in re.split(r"[,: ]+", tries or "")
            if one not in ("", "-")
        ]
    except ValueError:
        return None
    if not known:
        return None
    served = min(ms, 1000 * sum(known))
    return {SERVER: served, SENDING: ms - served}


@lru_cache(64)
def _compiled(stated: str) -> _Compiled:
    name, _, text = stated.partition("=")
    if not _NAME.fullmatch(name.strip()) or not text.strip():
        raise FormatError(
            f"{stated[:80]!r}: expected NAME=FORMAT, such as "
            'own=%h %l %u %t "%r" %>s %b %D'
        )
    if len(text) > _LONGEST:
        raise FormatError(f"{name}: more than {_LONGEST} letters")
    text = text.strip().replace('\\"', '"').replace("\\t", "\t")
    pattern = _pattern_of(name.strip(), text)
    groups = re.compile(pattern).groupindex
    for what, needed in (
        ("the time, as %D, %{ms}T, %T or $request_time", ("us", "ms", "s")),
        ("the status, as %>s or $status", ("status",)),
        ('the request, as "%r" or "$request"', ("method",)),
        ('the path, as "%r", %U or $request_uri', ("path",)),
    ):
        if not any(one in groups for one in needed):
            raise FormatError(f"{name}: the format does not have {what}")
    return _Compiled(
        name.strip(), re.compile(pattern).match, "$request_time" not in text
    )


def _pattern_of(name: str, text: str) -> str:
    """Return the expression for a format; each group stands once in it."""
    parts: list[str] = []
    known: set[str] = set()
    place = 0
    while place < len(text):
        mark = text[place]
        if mark not in "%$":
            parts.append(r"\s{1,20}" if mark == " " else re.escape(mark))
            place += 1
            continue
        found = _DIRECTIVE.match(text, place)
        if found is None or not _is_known(found[0]):
            shown = (found[0] if found else text[place:])[:20]
            raise FormatError(
                f"{name}: {shown!r} at letter {place + 1} of the format is "
                "no directive of Apache's or nginx's"
            )
        plain = _plain_name(found[0])
        pattern = _PATTERNS.get(plain, _ANY)
        # A second one of a kind is passed over.
        for group in re.findall(r"\?P<(\w+)>", pattern):
            if group in known:
                pattern = pattern.replace(f"?P<{group}>", "?:")
            known.add(group)
        parts.append(f"(?:{pattern})")
        place = found.end()
    return "".join(parts) + r"\s*\Z"


def _is_known(directive: str) -> bool:
    return directive[0] == "$" or directive[-1] in _KNOWN_LETTERS


def _plain_name(directive: str) -> str:
    """Return a directive without conditions and braces that mean nothing."""
    if directive[0] == "$":
        return "$" + directive[1:].strip("{}")
    bare = re.sub(r"\A%[!\d,]{0,20}", "%", directive)
    return "%a" if bare == "%{c}a" else bare
