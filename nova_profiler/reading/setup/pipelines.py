# SPDX-License-Identifier: Apache-2.0
"""Whether and where the filter stands in the pipelines of a paste file."""

from __future__ import annotations

import configparser
import os
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError
from typing import NamedTuple

from nova_profiler.errors import NovaProfilerError
from nova_profiler.paste_file import (
    FILTER,
    FILTER_APP,
    Sections,
    is_ours,
    own_filters,
)
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.paste_pipelines import (
    Pipeline,
    has_applications,
    lines_of,
    pipelines_of,
    unknown_composites,
)
from nova_profiler.reading.setup.project import ETC

# The usual name of the filter, and its factory.
_WORD = "nova_profiler"
MAKER = "paste.filter_factory = nova_profiler.factory:filter_factory"
_SECTION = (f"[filter:{_WORD}]", MAKER)
_INSTALL = "pip install nova_profiler-*.whl, in nova-api's environment"
# A name at least this like ours is a slip for it.
_LIKENESS = 0.8


class Mine(NamedTuple):
    """Names of our filter: for remedies, of sections, without a section.

    ``direct`` are such as egg:nova-profiler, which need no section, and
    sections that are a filter and its place in one.
    """

    word: str
    ours: list[str]
    undeclared: list[str]
    direct: list[str]

    @property
    def words(self) -> list[str]:
        """Return all words of a pipeline that mean our filter."""
        return [*self.ours, *self.undeclared, *self.direct]


def filters_of(sections: Sections) -> list[str]:
    """Return the names of our filters, mostly just ``nova_profiler``.

    A section of that name is one even with another factory: a slip.
    """
    ours = own_filters(sections)
    return [
        name.removeprefix(FILTER)
        for name in sections
        if name.startswith(FILTER)
        and (name in ours or name == f"{FILTER}{_WORD}")
    ]


def words_of_ours(sections: Sections) -> list[str]:
    """Return all words of a pipeline of *sections* that mean our filter."""
    return [*filters_of(sections), *_direct(sections)]


def _undeclared(sections: Sections, ours: list[str]) -> list[str]:
    """Return the names for our filter in pipelines that have no section."""
    declared = {name.partition(":")[2] for name in sections}
    words = {
        word
        for _, _, names in lines_of(sections, ours)
        for word in names
        # egg:NAME and config:FILE need no section.
        if ":" not in word
    }
    known = [*ours, _WORD]
    return [
        word
        for word in sorted(words - declared)
        if get_close_matches(word, known, 1, _LIKENESS)
    ]


def _direct(sections: Sections) -> list[str]:
    """Return the words for our filter that need no section."""
    words = {
        word
        for options in sections.values()
        for key, value in options.items()
        if key != "use" and ":" in value
        for word in value.split()
        if word.startswith(("egg:", "config:")) and is_ours(word)
    }
    # A section of its own, too.
    words |= {one for one in own_filters(sections) if FILTER_APP in one}
    return sorted(words)


def section_point(path: str, sections: Sections, ours: list[str]) -> Point:
    """Return whether the filter is declared in the file at *path*."""
    name = "filter section"
    places = [f"[{FILTER}{one}]" for one in ours]
    places += [
        f"[{one}]" if one.startswith(FILTER_APP) else one
        for one in _direct(sections)
    ]
    if places:
        return Point(OK, name, f"{', '.join(places)} in {path}")
    return Point(WRONG, name, f"{path} declares no filter of ours", _SECTION)


def pipeline_points(sections: Sections, ours: list[str]) -> list[Point]:
    """Return a point for each pipeline of the compute API."""
    undeclared = _undeclared(sections, ours)
    direct = _direct(sections)
    eggs = [one for one in direct if not one.startswith(FILTER_APP)]
    word = (ours or eggs or [_WORD])[0]
    mine = Mine(word, ours, undeclared, direct)
    pipelines = pipelines_of(sections, mine.words or [_WORD])
    if not pipelines:
        return [_none_point(sections)]
    with_it = {
        one.section
        for one in pipelines
        if any(name in mine.words for name in one.names)
    }
    return [_pipeline_point(one, mine, with_it) for one in pipelines]


def _none_point(sections: Sections) -> Point:
    name = "pipelines"
    unknown = unknown_composites(sections)
    if has_applications(sections):
        which = ", ".join(unknown) or "what it has"
        return Point(
            WARNING,
            name,
            f"none that this check knows: {which} may lead through the "
            "filter, or may not",
            ("look whether a record comes of a request",),
        )
    return Point(
        WRONG,
        name,
        "the file has none: is it nova's api-paste.ini?",
        ("give nova's file with --paste FILE",),
    )


def _pipeline_point(
    pipeline: Pipeline, mine: Mine, with_it: set[str]
) -> Point:
    name = f"[{pipeline.section}] {pipeline.key}"
    named = [one for one in pipeline.names if one in mine.words]
    if not named:
        return _without_filter(pipeline, name, mine, with_it)
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


def _without_filter(
    pipeline: Pipeline, name: str, mine: Mine, with_it: set[str]
) -> Point:
    if pipeline.is_covered:
        return Point(OK, name, "timed by the filter around it")
    if pipeline.untimed is not None:
        return Point(OK, name, f"not in it: {pipeline.untimed} are not timed")
    return Point(
        WARNING if _is_one_of_several(pipeline, with_it) else WRONG,
        name,
        "the filter is not in it: its requests are not timed",
        _with_filter(pipeline, mine),
    )


def _is_one_of_several(pipeline: Pipeline, with_it: set[str]) -> bool:
    """Return whether the service may well go by another pipeline.

    Options such as auth_strategy and flavor choose one of a composite's
    lines, or one of the file's pipelines.
    """
    if pipeline.key == "pipeline":
        if pipeline.section.endswith(":meta"):
            return True
        return any(one.startswith("pipeline:") for one in with_it)
    if pipeline.key == "keystone":
        return False
    return pipeline.key.startswith("noauth") or pipeline.section in with_it


def _with_filter(pipeline: Pipeline, mine: Mine) -> tuple[str, ...]:
    others = [one for one in pipeline.names if one not in mine.words]
    rest = " ".join(others) or "APPLICATION"
    return (
        f"[{pipeline.section}]",
        f"{pipeline.key} = {mine.word} {rest}",
    )


def nova_paste_file(
    configured: str | None, prefix: str, etc: str = ETC
) -> str:
    """Return the path of nova's paste file where no option names it.

    *configured* is api_paste_config of nova.conf, *prefix* the folder of
    the environment, into which nova installs its own, *etc* that of the
    host's configuration. Raises NovaProfilerError.
    """
    name = configured or "api-paste.ini"
    folders = [os.path.join(etc, "nova")]
    # This environment's is not that of another host or container.
    if os.path.normpath(etc) == ETC:
        folders.append(os.path.join(prefix, "etc", "nova"))
    places = [os.path.join(folder, name) for folder in folders]
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
