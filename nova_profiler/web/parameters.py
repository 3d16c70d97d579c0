# SPDX-License-Identifier: Apache-2.0
"""The parameters of each page; a line about what else an address has.

An address is a view: a misspelt parameter would show another one in silence.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from nova_profiler.reading.requests.one_request.flame_boxes import TIMES
from nova_profiler.reading.screen.terminal import printable
from nova_profiler.web import choice
from nova_profiler.web.compare import sides
from nova_profiler.web.guard import PARAMETER
from nova_profiler.web.one_request import view as request_view
from nova_profiler.web.one_request.page import place_of
from nova_profiler.web.route import view as route_view

if TYPE_CHECKING:
    from webob.multidict import MultiDict

# Of each page.
_OF_ALL = ("format", PARAMETER)
_OF_PATHS = {
    "": choice.PARAMETERS,
    "/": choice.PARAMETERS,
    "/route": route_view.PARAMETERS,
    "/compare": sides.PARAMETERS,
}


def _is_place(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_time(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


# What a value has to be that a page would pass over otherwise, in words.
# Values of other parameters are refused where they are read.
_ALL = ("all".__eq__, "all")
_PLACE = (_is_place, "a number")
_TIME = (_is_time, "milliseconds")
_VALUES: dict[str, tuple[Callable[[str], bool], str]] = {
    "call": _PLACE,
    "callers": _ALL,
    "calls": _ALL,
    "format": (("json", "html").__contains__, "json"),
    "frame": _PLACE,
    "from_ms": _TIME,
    "libraries": _ALL,
    "time": (TIMES.__contains__, " or ".join(filter(None, TIMES))),
    "to_ms": _TIME,
}
# Names and values of a client: so many, and so long.
_MOST = 3
_LONGEST = 40


def known_at(path: str) -> Sequence[str] | None:
    """Return the parameters of the page at *path*; None for what is no page.

    A file to download is none.
    """
    known: Sequence[str] | None = _OF_PATHS.get(path)
    place = place_of(path)
    if place is not None and place.download is None:
        # Of a log's request no parameter is read, but links may keep them.
        known = () if place.part else request_view.PARAMETERS
    return None if known is None else (*known, *_OF_ALL)


def line_about(path: str, parameters: MultiDict) -> str:
    """Return a line about *parameters* that the page at *path* passes over.

    Those that it has none of, values that cannot be, and values that a later
    one of the same name takes the place of. Empty where all count.
    """
    known = known_at(path)
    if known is None:
        return ""
    unknown = [name for name in dict.fromkeys(parameters) if name not in known]
    repeated = [
        name
        for name in dict.fromkeys(parameters)
        if name in known and len(set(parameters.getall(name))) > 1
    ]
    odd = [
        f"{name} = {printable(parameters[name], _LONGEST)}, "
        f"expected {_VALUES[name][1]}"
        for name in dict.fromkeys(parameters)
        if name in known and not _can_be(name, parameters[name])
    ]
    found = []
    if odd:
        found.append(f"ignored: {_listed(odd)}")
    if unknown:
        names = _listed(_with_guess(name, known) for name in unknown)
        found.append(f"ignored: this page has no parameter {names}")
    if repeated:
        names = _listed(repeated)
        found.append(f"of several values the last one counts: {names}")
    return "; ".join(found)


def _can_be(name: str, value: str) -> bool:
    return not value or name not in _VALUES or _VALUES[name][0](value)


def _with_guess(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name[:_LONGEST], known, 1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    return f"{printable(name, _LONGEST) or 'without a name'}{guess}"


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = len(found) - _MOST
    return ", ".join(found[:_MOST]) + (f" and {more} more" if more > 0 else "")
