# SPDX-License-Identifier: Apache-2.0
"""Whether and where the filter stands in the pipelines of a paste file."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError
from typing import NamedTuple

from nova_profiler.errors import NovaProfilerError
from nova_profiler.paste_file import FILTER, Sections, own_filters
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point

# The application that nova-api serves, and the keys of nova's own factory
# that hold a pipeline each.
ROOT = "osapi_compute"
_AUTH_KEYS = ("keystone", "noauth2")

# The usual name of the filter, and its factory.
_WORD = "nova_profiler"
MAKER = "paste.filter_factory = nova_profiler.factory:filter_factory"
_SECTION = (f"[filter:{_WORD}]", MAKER)
_INSTALL = "pip install nova-profiler, in nova-api's environment"
# A name at least this like ours is a slip for it.
_LIKENESS = 0.8


class Pipeline(NamedTuple):
    """A line of filters and an application.

    It is covered where a filter of ours stands in a pipeline around it.
    """

    section: str
    key: str
    names: tuple[str, ...]
    is_covered: bool


class Mine(NamedTuple):
    """Names of our filter: for remedies, of sections, without a section."""

    word: str
    ours: list[str]
    undeclared: list[str]

    @property
    def words(self) -> list[str]:
        """Return all words of a pipeline that mean our filter."""
        return [*self.ours, *self.undeclared]


def filters_of(sections: Sections) -> list[str]:
    """Return the names of our filters, mostly just ``nova_profiler``.

    A section of that name is one even with another factory: a slip.
    """
    ours = own_filters(sections)
    return [
        name.removeprefix(FILTER)
        for name in sections
        if name in ours or name == f"{FILTER}{_WORD}"
    ]


def _undeclared(sections: Sections, ours: list[str]) -> list[str]:
    """Return the names for our filter in pipelines that have no section."""
    words = {
        word
        for name, options in sections.items()
        if name.startswith(("pipeline:", "composite:"))
        for key in ("pipeline", *_AUTH_KEYS)
        for word in options.get(key, "").split()
        # egg:NAME and config:FILE need no section.
        if ":" not in word
    }
    declared = {name.partition(":")[2] for name in sections}
    known = [*ours, _WORD]
    return [
        word
        for word in sorted(words - declared)
        if get_close_matches(word, known, 1, _LIKENESS)
    ]


def pipelines_of(sections: Sections, ours: list[str]) -> list[Pipeline]:
    """Return the pipelines of the compute API, as requests reach them.

    Without an ``osapi_compute`` in the file, return all its pipelines.
    """
    roots = [ROOT]
    if not any(name.endswith(f":{ROOT}") for name in sections):
        roots = [name.partition(":")[2] for name in sections]
    found: dict[tuple[str, str], Pipeline] = {}
    for root in roots:
        for pipeline in _reached(sections, root, ours, False, ()):
            found.setdefault((pipeline.section, pipeline.key), pipeline)
    return list(found.values())


def _reached(
    sections: Sections,
    name: str,
    ours: list[str],
    is_covered: bool,
    seen: tuple[str, ...],
) -> Iterator[Pipeline]:
    if name in seen:
        return
    seen = (*seen, name)
    pipeline = sections.get(f"pipeline:{name}", {}).get("pipeline", "")
    if pipeline:
        names = tuple(pipeline.split())
        yield Pipeline(f"pipeline:{name}", "pipeline", names, is_covered)
        is_covered = is_covered or any(one in ours for one in names)
        # The application is last, unless our filter stands in its place.
        inner = [one for one in names if one not in ours][-1:]
        for one in inner:
            yield from _reached(sections, one, ours, is_covered, seen)
    section = f"composite:{name}"
    for key, value in sections.get(section, {}).items():
        if key in _AUTH_KEYS:
            yield Pipeline(section, key, tuple(value.split()), is_covered)
        elif key.startswith("/") or key.startswith("http"):
            yield from _reached(
                sections, value.strip(), ours, is_covered, seen
            )


def section_point(path: str, ours: list[str]) -> Point:
    """Return whether the filter is declared in the file at *path*."""
    name = "filter section"
    if ours:
        found = ", ".join(f"[filter:{one}]" for one in ours)
        return Point(OK, name, f"{found} in {path}")
    return Point(WRONG, name, f"{path} declares no filter of ours", _SECTION)


def pipeline_points(sections: Sections, ours: list[str]) -> list[Point]:
    """Return a point for each pipeline of the compute API."""
    undeclared = _undeclared(sections, ours)
    mine = Mine(ours[0] if ours else _WORD, ours, undeclared)
    pipelines = pipelines_of(sections, mine.words)
    if not pipelines:
        return [
            Point(
                WRONG,
                "pipelines",
                "the file has none: is it nova's api-paste.ini?",
                ("give nova's file with --paste FILE",),
            )
        ]
    return [_pipeline_point(one, mine) for one in pipelines]


def _pipeline_point(pipeline: Pipeline, mine: Mine) -> Point:
    name = f"[{pipeline.section}] {pipeline.key}"
    named = [one for one in pipeline.names if one in mine.words]
    if not named:
        return _without_filter(pipeline, name, mine)
    for one in named:
        if one in mine.undeclared:
            found = (
                f"{one} is in it, but there is no [filter:{one}]: nova-api "
                "does not start"
            )
            return Point(WRONG, name, found, _declared(pipeline, one, mine))
    if pipeline.names[-1] in mine.words:
        return Point(
            WRONG,
            name,
            f"{pipeline.names[-1]} is last in it, where the application has "
            "to be: nova-api does not start",
            _with_filter(pipeline, mine),
        )
    if pipeline.is_covered:
        return Point(OK, name, "in it; the one around it does the timing")
    place = pipeline.names.index(named[0])
    if place:
        before = ", ".join(pipeline.names[:place])
        return Point(
            WARNING,
            name,
            f"in it, but {before} {'stands' if place == 1 else 'stand'} "
            f"before it and will not be in its figures",
            _with_filter(pipeline, mine),
        )
    return Point(OK, name, "in it, outermost")


def _declared(pipeline: Pipeline, word: str, mine: Mine) -> tuple[str, ...]:
    """Return the missing section of *word*, or the line without a slip."""
    if word == mine.word:
        return _SECTION
    return _with_filter(pipeline, mine)


def _without_filter(pipeline: Pipeline, name: str, mine: Mine) -> Point:
    if pipeline.is_covered:
        return Point(OK, name, "timed by the filter around it")
    if pipeline.key == "pipeline" and any(
        "version" in one for one in (pipeline.section, pipeline.names[-1])
    ):
        return Point(OK, name, "not in it: version documents are not timed")
    # nova uses one of the two, mostly keystone.
    state = WARNING if pipeline.key == "noauth2" else WRONG
    if pipeline.key == "pipeline" and pipeline.section.endswith(":meta"):
        state = WARNING
    return Point(
        state,
        name,
        "the filter is not in it: its requests are not timed",
        _with_filter(pipeline, mine),
    )


def _with_filter(pipeline: Pipeline, mine: Mine) -> tuple[str, ...]:
    others = [one for one in pipeline.names if one not in mine.words]
    rest = " ".join(others) or "APPLICATION"
    return (
        f"[{pipeline.section}]",
        f"{pipeline.key} = {mine.word} {rest}",
    )


def nova_paste_file(configured: str | None, prefix: str) -> str:
    """Return the path of nova's paste file where no option names it.

    *configured* is api_paste_config of nova.conf, *prefix* the folder of
    the environment, into which nova installs its own. Raises
    NovaProfilerError.
    """
    name = configured or "api-paste.ini"
    places = [
        os.path.join(folder, name)
        for folder in ("/etc/nova", os.path.join(prefix, "etc", "nova"))
    ]
    for place in places:
        if os.path.exists(place):
            return place
    raise NovaProfilerError(
        f"{places[0]}: No such file or directory; give --paste FILE"
    )


def right_section(name: str) -> tuple[str, ...]:
    """Return the section of the filter *name*, ready to paste."""
    return (f"[filter:{name}]", MAKER)


def load_remedy(name: str, exc: Exception) -> tuple[str, ...]:
    """Return the remedy where loading the filter *name* raised *exc*."""
    if isinstance(exc, configparser.DuplicateSectionError):
        return (
            f"take one of the two [{exc.section}] out of the file; the "
            f"second is in line {exc.lineno}",
        )
    if isinstance(exc, configparser.DuplicateOptionError):
        return (
            f"take one of the two {exc.option} out of [{exc.section}]; the "
            f"second is in line {exc.lineno}",
        )
    if isinstance(exc, configparser.InterpolationError):
        return (
            f"mend {exc.option} in [{exc.section}]; a % that stands for "
            "itself is written %%",
        )
    if isinstance(exc, PackageNotFoundError) and exc.name == "nova-profiler":
        # `use = egg:...` needs pip's records, which a mere path lacks.
        return (_INSTALL, "or, in place of use =", *right_section(name))
    return right_section(name)
