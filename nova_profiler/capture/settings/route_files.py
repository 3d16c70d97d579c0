# SPDX-License-Identifier: Apache-2.0
"""The routes that an operator gives in a file, for paths without a router."""

from __future__ import annotations

import os
import re

from nova_profiler.capture.settings.options import ConfigError
from nova_profiler.errors import NovaProfilerError
from nova_profiler.trust.files import read_regular

MAX_ROUTES = 2_000
_MAX_BYTES = 1024 * 1024
_MAX_PARTS = 16

_LITERAL = re.compile(r"[A-Za-z0-9._~-]{1,64}\Z")
_NAMED = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]{0,63}\}\Z")
_REST = "*"
_EXPECTED = "expected a path such as /v2.0/networks/{id}"
# What asks for a form of the same thing.
_FORMATS = (".json", ".xml")


class _Place:
    """What may follow at one place of a path."""

    __slots__ = ("literals", "named", "rest", "route")

    def __init__(self) -> None:
        self.literals: dict[str, _Place] = {}
        self.named: _Place | None = None
        # The route that ends here; the one that takes all that follows.
        self.route: str | None = None
        self.rest: str | None = None


class RouteTable:
    """Templates such as ``/v2.0/networks/{id}``, and which a path is of."""

    def __init__(self) -> None:
        self._root = _Place()
        self._lines: dict[str, int] = {}

    def add(self, template: str, line: int) -> None:
        """Add *template*, which stands in *line*.

        Raises ValueError that states what is wrong with it.
        """
        parts = [part for part in template.split("/") if part]
        if not template.startswith("/") or len(parts) > _MAX_PARTS:
            raise ValueError(_EXPECTED)
        place = self._root
        shape = ""
        for number, part in enumerate(parts, 1):
            shape += "/{}" if part.startswith("{") else "/" + part
            if part == _REST and number == len(parts):
                break
            place = _next_place(place, part)
        earlier = self._lines.setdefault(shape, line)
        if earlier != line:
            raise ValueError(f"the same paths as in line {earlier}")
        if len(self._lines) > MAX_ROUTES:
            raise ValueError(f"expected at most {MAX_ROUTES} routes")
        template = "/" + "/".join(parts)
        if parts and parts[-1] == _REST:
            place.rest = template
        else:
            place.route = template

    def route_of(self, path: str) -> str | None:
        """Return the template that *path* is of, None if there is none.

        What is written out goes before a name, a name before ``*``. An
        ending ``.json`` or ``.xml`` is no part of the last name.
        """
        parts = [part for part in path.split("/") if part]
        return _route_at(self._root, parts, 0)


def _next_place(place: _Place, part: str) -> _Place:
    if _NAMED.match(part):
        if place.named is None:
            place.named = _Place()
        return place.named
    if not _LITERAL.match(part):
        raise ValueError(_EXPECTED)
    return place.literals.setdefault(part, _Place())


def _route_at(place: _Place, parts: list[str], at: int) -> str | None:
    """Return the route of ``parts[at:]`` below *place*.

    A place is looked at once at most: all ways that lead to it are one.
    """
    if at == len(parts):
        return place.route or place.rest
    part = parts[at]
    nexts = [place.literals.get(part)]
    if at + 1 == len(parts):
        nexts += [place.literals.get(without_format(part))]
    nexts.append(place.named)
    for following in nexts:
        if following is not None:
            found = _route_at(following, parts, at + 1)
            if found is not None:
                return found
    return place.rest


def without_format(path: str) -> str:
    """Return *path* without an ending that asks for JSON or XML."""
    if path.endswith(_FORMATS):
        return path[: path.rindex(".")]
    return path


def read_routes(path: str | None) -> RouteTable | None:
    """Return what the file at *path* holds, None without a path.

    One template a line; blank lines and what follows a ``#`` do not count.
    Raises ConfigError, one line with the file, the line and what was read.
    """
    if not path:
        return None
    name = os.path.basename(path)
    try:
        text = read_regular(path, "routes are", _MAX_BYTES).decode()
    except (OSError, UnicodeError, ValueError, NovaProfilerError) as exc:
        reason = getattr(exc, "strerror", None) or "no text in UTF-8"
        if isinstance(exc, NovaProfilerError):
            reason = str(exc)
        raise ConfigError(f"routes_file = {name!r}: {reason}") from None
    table = RouteTable()
    for number, line in enumerate(text.split("\n"), 1):
        template = line.partition("#")[0].strip()
        if not template:
            continue
        try:
            table.add(template, number)
        except ValueError as exc:
            raise ConfigError(
                f"{name}, line {number}: {ascii(template[:80])}: {exc}"
            ) from None
    return table
